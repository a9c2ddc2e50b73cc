/**
 * The browser's storage in a worker, and on the page where there is no worker to be had.
 *
 *   worker ──(dies)──► another, at most `respawnLimit` times ──► the page's own store, for good
 *      └──(cannot be made, no handshake, its storage does not open)──────────┘
 *
 * Invariants
 * - Every operation settles. What was in flight in a worker that died is rejected as retryable: it may have been stored
 *   or not, as with any connection that breaks; the journal sends the same bytes again and knows its own.
 * - Operations are handed on in the order they were asked for, those that wait for a new worker before later ones, and
 *   only when the worker before does nothing any more.
 * - `generation` grows when what was stored is gone, never because a worker was.
 */
import { type Clock, systemClock } from '../base/clock.ts'
import { openIdbStore } from '../store/idb-store.ts'
import { toStorageError } from '../store/storage-error.ts'
import type { Range, Store, Write } from '../store/store.ts'
import { connectWorker } from './connect-worker.ts'
import { dataGone, storeClosed } from './host-face.ts'

export interface WorkerStoreOptions {
  /** Makes a worker whose file calls `hostStore()`; called again for each that died. */
  readonly worker: () => Worker
  /** Name of the database. Default 'waymark', the default namespace. */
  readonly name?: string
  readonly clock?: Clock
  /** How long a new worker may take to say that it is there. Default 3 000. */
  readonly handshakeMs?: number
  /**
   * How long an operation may take before its worker is given up. Default 15 000: the storage in the worker gives an
   * operation up after 10 000 by itself.
   */
  readonly timeoutMs?: number
  /** Hears why the page's own store took over. Default: nobody is told; that store keeps the same promises. */
  readonly onFallback?: (reason: unknown) => void
}

const respawnLimit = 3

/**
 * Opens a store for `createWaymark({ store })`; whoever opened it closes it, after Waymark. Rejects as the page's own
 * storage does, with `storage-unavailable` or `storage-failed`, where that does not open either.
 */
export async function openWorkerStore(options: WorkerStoreOptions): Promise<Store> {
  const { worker, name = 'waymark', clock = systemClock, onFallback } = options
  const { handshakeMs = 3_000, timeoutMs = 15_000 } = options
  let current: Store | undefined
  /** What the stores before the current one had seen. */
  let earlier = 0
  let isKnown = false
  let hasWorker = true
  let respawns = 0
  let isOpening = false
  /** When the worker before has stopped: two at work would mix the order of what they were given. */
  let ending = Promise.resolve()
  let closing: Promise<void> | undefined
  /** Operations that wait for the next store, in order. */
  const waiting: { hand: (store: Store) => void; refuse: (error: unknown) => void }[] = []
  const underWay = new Set<Promise<unknown>>()

  const generation = () => earlier + (current?.generation ?? 0)

  function fallBack(reason: unknown): void {
    hasWorker = false
    onFallback?.(reason)
  }

  async function spawn(): Promise<Store | undefined> {
    try {
      const spawned: Store = await connectWorker({
        ...{ worker: worker(), name, isKnown, clock, handshakeMs, timeoutMs },
        onDead: (error, death, ended) => {
          ending = ended
          earlier = generation()
          current = undefined
          if (death === 'unreachable' || respawns === respawnLimit) fallBack(error)
          else respawns += 1
        },
      })
      return spawned
    } catch (error) {
      fallBack(error)
      return undefined
    }
  }

  /** Opens the next store of the ladder and hands it what waits, in one task. */
  async function openNext(): Promise<void> {
    isOpening = true
    await ending
    try {
      current = (hasWorker ? await spawn() : undefined) ?? (await openIdbStore({ name, clock, isKnown }))
      isKnown = true
      isOpening = false
      for (const { hand } of waiting.splice(0)) hand(current)
    } catch (error) {
      isOpening = false
      for (const { refuse } of waiting.splice(0)) refuse(error)
      throw error
    }
  }

  function next<A, T>(asked: A, operate: (store: Store, asked: A) => Promise<T>): Promise<T> {
    const begunIn = generation()
    return new Promise((resolve, reject) => {
      const kept = structuredClone(asked) // the caller may change it while this waits
      waiting.push({
        hand: (store) => (generation() === begunIn ? resolve(operate(store, kept)) : reject(dataGone())),
        refuse: reject,
      })
      if (!isOpening) openNext().catch(() => {}) // told to those that wait
    })
  }

  function run<A, T>(asked: A, operate: (store: Store, asked: A) => Promise<T>): Promise<T> {
    if (closing !== undefined) return Promise.reject(storeClosed())
    const running = (current === undefined ? next(asked, operate) : operate(current, asked)).catch(
      (error: unknown) => {
        throw toStorageError(error, 'use')
      },
    )
    underWay.add(running)
    const settled = () => underWay.delete(running)
    running.then(settled, settled)
    return running
  }

  await openNext()
  return {
    kind: 'indexeddb',
    get generation() {
      return generation()
    },
    write: (write: Write) => run(write, (store, asked) => store.write(asked)),
    read: (ranges: readonly Range[]) => run(ranges, (store, asked) => store.read(asked)),
    close() {
      closing ??= Promise.allSettled(underWay).then(() => current?.close())
      return closing
    },
  }
}
