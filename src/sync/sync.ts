/**
 * Drives the sync machine for one account: gathers what there is to say and exchanges it (`exchange.ts`) when the machine
 * says so.
 *
 * Invariants
 * - Only sessions of this account are ever read or sent; signing in as someone else makes a new driver.
 * - One exchange at a time, also across stop and start. Once closed, nothing more is written.
 */
import { initialTransition, type SnapshotFrom, transition } from 'xstate'
import type { Clock } from '../base/clock.ts'
import { createEmitter } from '../base/emitter.ts'
import { WaymarkError } from '../base/errors.ts'
import { type Random, randomFraction } from '../base/ids.ts'
import type { Journal } from '../journal/journal.ts'
import type { Backend } from '../protocol/backend.ts'
import type { ServerMarks, SyncState, SyncStatus } from '../protocol/sync-status.ts'
import type { SessionState } from '../record/state.ts'
import type { Store } from '../store/store.ts'
import { createBaseRows } from './base-row.ts'
import { createExchange } from './exchange.ts'
import { findUnsent } from './find-unsent.ts'
import { createMarks } from './marks.ts'
import { parkedRange } from './parked-row.ts'
import { createQueue, type Wish } from './queue.ts'
import { backOffMs, type SyncEvent, syncMachine } from './sync-machine.ts'

export interface SyncOptions {
  readonly account: string
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  /** The journal of a session of this account, shared with whoever has it open. Call `release` when done. */
  readonly borrowJournal: (session: string) => Promise<{ journal: Journal; key: string; release: () => void }>
  /** False where a session has become another account's, asked when what would be sent of it was read. Default: never. */
  readonly isOurs?: (session: string) => Promise<boolean>
  /** The server acknowledged changes of this session, or sent some: other tabs want to know. */
  readonly onSynced: (session: string) => void
  readonly onError: (error: unknown) => void
  /** Lets one tab at a time exchange; `run` is called in any case. Default: at once. */
  readonly takeTurn?: (signal: AbortSignal, run: () => Promise<SyncEvent>) => Promise<SyncEvent>
  /** How long to gather changes before a push, in milliseconds. Default 800. */
  readonly gatherMs?: number
}

export interface Sync {
  readonly status: SyncStatus
  /** An entry of this session was stored: it is sent after a short gathering. */
  note(session: string): void
  /** Asks the server for what other devices did to this session. */
  pull(session: string): void
  /** The journal of this session begins anew: nothing of it is known to be on the server. */
  unmark(session: string): void
  /** Reads again what another tab may have been acknowledged. */
  refresh(session: string): Promise<void>
  marksOf(session: string): ServerMarks
  /** The state the server last acknowledged; `undefined` where that is nothing. */
  acknowledged(session: string): Promise<SessionState | undefined>
  /** What was refused is given up: it is parked no more, and what stands now is sent. */
  unpark(session: string): Promise<void>
  /** Exchanges at once, parked sessions too, whatever was being waited for; resolves when that exchange is over. */
  now(): Promise<SyncStatus>
  start(): void
  stop(): void
  send(event: { type: 'online' | 'offline' | 'signIn' }): void
  /** Called with a session when its marks moved, with nothing when the status did. */
  onChange(listener: (session?: string) => void): () => void
  /** Resolves when nothing of it runs any more. */
  close(): Promise<void>
}

export function createSync(options: SyncOptions): Sync {
  const { account, backend, clock, random, borrowJournal, onSynced, onError, gatherMs = 800 } = options
  const { takeTurn = (_signal, run) => run(), isOurs = async () => true } = options
  const store: Pick<Store, 'read' | 'write'> = {
    read: (ranges) => options.store.read(ranges),
    async write(write) {
      if (isClosed) throw new WaymarkError('closed', 'Sync was closed.')
      return options.store.write(write)
    },
  }
  const bases = createBaseRows(store, account)
  const changed = createEmitter<string | undefined>()
  const marks = createMarks({ account, store, bases, isClosed: () => isClosed, onChange: changed.emit })
  const queue = createQueue({ clock, random, onWoken: () => send({ type: 'work' }) })
  const exchange = createExchange({
    ...{ account, backend, store, bases, marks, queue, clock, random, borrowJournal, isOurs, takeTurn },
    isClosed: () => isClosed,
    ...{ pull, rest, onSynced, report },
  })
  const settled = createEmitter<void>()
  let [snapshot] = initialTransition(syncMachine) as [SnapshotFrom<typeof syncMachine>, unknown]
  let nextTryAt: number | undefined
  let cancelTimer = () => {}
  let cancelGathering: (() => void) | undefined
  let cancelLook = () => {}
  let controller = new AbortController()
  /** The exchange under way and those that wait for it. */
  let running = Promise.resolve()
  let isClosed = false

  const stateOf = () => snapshot.value as SyncState

  function send(event: SyncEvent): void {
    if (isClosed) return
    const before = snapshot
    ;[snapshot] = transition(syncMachine, snapshot, event) as [typeof snapshot, unknown]
    const isEntered = stateOf() !== before.value || (event.type === 'answered' && stateOf() === 'exchanging')
    if (isEntered) {
      cancelTimer()
      nextTryAt = undefined
      const { waitMs } = snapshot.context
      if (stateOf() === 'exchanging') {
        controller = new AbortController()
        const { signal } = controller
        running = running.then(() => exchangeOnce(signal))
      } else if (waitMs > 0 || stateOf() === 'backingOff') {
        nextTryAt = clock.now() + waitMs
        cancelTimer = clock.after(waitMs, () => send({ type: 'timer' }))
      }
      if (stateOf() !== 'exchanging') settled.emit()
    }
    changed.emit(undefined)
  }

  /** What fails because everything is being closed is no news. */
  function report(error: unknown): void {
    if (!isClosed) onError(error)
  }

  function rest(session: string, wish: Wish): void {
    if (isClosed) return
    queue.rest(session, wish)
    changed.emit(undefined)
  }

  async function exchangeOnce(signal: AbortSignal): Promise<void> {
    const event = await exchange.run(signal)
    if (event === undefined) {
      if (queue.due.size > 0 && !isClosed) gather()
      return
    }
    if (event.type === 'answered' && queue.due.size > 0) send({ type: 'work' })
    send(event)
  }

  function look(failures = 0): void {
    cancelLook()
    wantUnsent().catch((error: unknown) => {
      report(error)
      if (isClosed) return
      cancelLook = clock.after(backOffMs(failures, randomFraction(random)), () => look(failures + 1))
    })
  }

  /** What earlier pages left behind. */
  async function wantUnsent(): Promise<void> {
    const found = await findUnsent(store, account)
    if (isClosed) return
    for (const { session, parked } of found) {
      if (parked !== undefined) marks.set(session, { parked })
      else queue.want(session, false)
    }
    if (queue.due.size > 0) gather()
  }

  function pull(session: string): void {
    queue.want(session, true)
    gather()
  }

  function gather(): void {
    cancelGathering ??= clock.after(gatherMs, () => {
      cancelGathering = undefined
      send({ type: 'work' })
    })
  }

  return {
    get status(): SyncStatus {
      const { failures, reason } = snapshot.context
      const resting = stateOf() === 'idle' ? queue.resting() : undefined
      if (resting === undefined) return { state: stateOf(), nextTryAt, failures, reason }
      return { ...resting, state: 'backingOff', reason: 'a session gets no further' }
    },
    note(session) {
      queue.want(session, false)
      gather()
    },
    pull,
    unmark: (session) => marks.set(session, { position: -1, rev: null }),
    async refresh(session) {
      try {
        await marks.refresh(session)
      } catch (error) {
        report(error)
      }
    },
    acknowledged: async (session) => (await bases.read(session)).state,
    async unpark(session) {
      await store.write({ durability: 'strict', remove: [parkedRange(session)] })
      marks.set(session, { parked: undefined })
      onSynced(session)
      queue.want(session, false)
      gather()
    },
    marksOf: marks.of,
    async now() {
      if (isClosed || stateOf() === 'stopped') return this.status
      const isOver = new Promise<void>((resolve) => {
        const off = settled.on(() => {
          off()
          resolve()
        })
      })
      for (const session of marks.parked()) queue.want(session, false)
      queue.wake()
      cancelGathering?.()
      cancelGathering = undefined
      send({ type: 'now' })
      await isOver
      return this.status
    },
    start() {
      send({ type: 'start' })
      look()
    },
    stop() {
      cancelLook()
      controller.abort()
      send({ type: 'stop' })
    },
    send,
    onChange: changed.on,
    async close() {
      isClosed = true
      controller.abort()
      cancelTimer()
      cancelLook()
      cancelGathering?.()
      queue.close()
      settled.emit()
      await running
    },
  }
}
