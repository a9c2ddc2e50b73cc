/**
 * One life of one worker, as a store. Comlink has no word for a worker that died, so every call is watched here.
 *
 *   hello ──► open ──► serving ──(error, messageerror, no answer in time)──► dead: all in flight rejected ──► terminated
 *
 * Invariants
 * - Every call settles. A dead worker is asked to close and then terminated, in `graceMs` at most; `onDead` is told once.
 * - A call is posted in the task it is made in. What cannot be cloned is that call's failure, not the worker's.
 * - Storage the worker cannot reach any more is its death too: the page may still reach it.
 */
import { type Remote, wrap } from 'comlink'
import type { Clock } from '../base/clock.ts'
import { WaymarkError } from '../base/errors.ts'
import { toStorageError } from '../store/storage-error.ts'
import type { Store } from '../store/store.ts'
import {
  faceVersion,
  fromErrorValue,
  type HostFace,
  type OpenRequest,
  type Reply,
  storeClosed,
} from './host-face.ts'

/** `unreachable`: the worker runs, and its storage does not open. */
export type Death = 'error' | 'messageerror' | 'timeout' | 'unreachable'

export interface ConnectOptions extends OpenRequest {
  readonly worker: Worker
  readonly clock: Clock
  readonly handshakeMs: number
  readonly timeoutMs: number
  /** `ended`: from then on it does nothing any more. */
  readonly onDead: (error: WaymarkError, death: Death, ended: Promise<void>) => void
}

const graceMs = 1_000

/** Rejects, with the worker terminated, where it does not answer, is of another version, or cannot open the database. */
export async function connectWorker(options: ConnectOptions): Promise<Store> {
  const { worker, name, isKnown, clock, handshakeMs, timeoutMs, onDead } = options
  const remote: Remote<HostFace> = wrap<HostFace>(worker)
  const inFlight = new Set<(error: WaymarkError) => void>()
  let generation = 0
  let dead: WaymarkError | undefined
  let isServing = false
  let closing: Promise<void> | undefined

  const onError = (event: Event) => {
    event.preventDefault() // told to whoever waits, below
    die('error', event)
  }
  worker.addEventListener('error', onError)
  worker.addEventListener('messageerror', (event) => die('messageerror', event))

  function die(death: Death, cause?: unknown): void {
    if (dead !== undefined) return
    dead = workerDied(death, cause)
    const ended = end()
    for (const reject of [...inFlight]) reject(dead)
    if (isServing) onDead(dead, death, ended)
  }

  /**
   * Lets it finish what it has begun, where it still can: in WebKit a worker that ends amid a reading and a writing
   * transaction leaves the database locked (https://bugs.webkit.org/show_bug.cgi?id=324094).
   */
  function end(): Promise<void> {
    return new Promise((resolve) => {
      const terminate = () => {
        cancel()
        worker.terminate()
        resolve()
      }
      const cancel = clock.after(graceMs, terminate)
      remote.close().then(terminate, terminate)
    })
  }

  function call<T>(post: () => Promise<T>, waitMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      if (dead !== undefined) return reject(dead)
      const cancel = clock.after(waitMs, () => die('timeout'))
      const settle = () => {
        cancel()
        inFlight.delete(fail)
      }
      const fail = (error: WaymarkError) => {
        settle()
        reject(error)
      }
      inFlight.add(fail)
      post().then(
        (value) => {
          settle()
          resolve(value)
        },
        (error: unknown) => fail(toStorageError(error, 'use')),
      )
    })
  }

  async function ask<T>(post: () => Promise<Reply<T>>): Promise<T> {
    const reply = await call(post, timeoutMs)
    generation = Math.max(generation, reply.generation)
    if (!('error' in reply)) return reply.value
    if (reply.error.details['doing'] === 'open') die('unreachable')
    throw fromErrorValue(reply.error)
  }

  const terms = () => ({ generation, until: clock.now() + timeoutMs })

  try {
    const version = await call(() => remote.hello(), handshakeMs)
    if (version !== faceVersion) throw otherVersion()
    await ask(() => remote.open({ name, isKnown }))
  } catch (error) {
    if (dead === undefined) worker.terminate()
    throw error
  }
  isServing = true
  return {
    kind: 'indexeddb',
    get generation() {
      return generation
    },
    write: (write) => ask(() => remote.write(terms(), write)),
    read: (ranges) => ask(() => remote.read(terms(), ranges)),
    close() {
      closing ??= ask(() => remote.close())
        .catch(() => {}) // it died: as closed as can be
        .then(() => {
          dead ??= storeClosed()
          worker.terminate()
        })
      return closing
    },
  }
}

function workerDied(death: Death, cause: unknown): WaymarkError {
  return new WaymarkError(
    'storage-failed',
    `The worker that stores for this page was given up (${death}). What was entered is kept in this page and tried again.`,
    { details: { death }, cause, isRetryable: true },
  )
}

function otherVersion(): WaymarkError {
  return new WaymarkError(
    'storage-failed',
    'The worker file is of another version of Waymark. Build it with the page.',
  )
}
