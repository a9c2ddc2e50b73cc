/**
 * Drives the sync machine for one account: gathers what there is to say, exchanges it, acts on the answers.
 *
 * Invariants
 * - Only sessions of this account are ever read or sent; signing in as someone else makes a new driver.
 * - One session's fate never holds up another: a rejected session is set aside with its reason, one that gets nowhere
 *   rests with growing waits, the rest go on.
 * - Nothing is ever dropped because of what a server said, or because a store or a backend failed.
 * - One exchange at a time, also across stop and start. Once closed, nothing more is written.
 */
import { initialTransition, type SnapshotFrom, transition } from 'xstate'
import type { Clock } from '../base/clock.ts'
import { createEmitter } from '../base/emitter.ts'
import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import { type Random, randomFraction } from '../base/ids.ts'
import type { Journal } from '../journal/journal.ts'
import type { Backend, ExchangeOutcome } from '../protocol/backend.ts'
import {
  noServerMarks,
  type Parked,
  type ServerMarks,
  type SyncState,
  type SyncStatus,
} from '../protocol/sync-status.ts'
import type { SyncOutcome } from '../protocol/wire.ts'
import type { SessionState } from '../record/state.ts'
import type { Store } from '../store/store.ts'
import { createBaseRows } from './base-row.ts'
import { findUnsent } from './find-unsent.ts'
import { acknowledge, mergeSnapshot, type Outgoing, prepare, textPerPush } from './outbox.ts'
import { parkedRange, readParkedRow, toParkedRow } from './parked-row.ts'
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

interface Sent {
  readonly sent: Outgoing
  readonly journal: Journal
}

const sessionsPerExchange = 20
/** Length of the text of one exchange, about: a session is left for the next one where it is reached. */
const textPerExchange = 2_000_000

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
  const marksBySession = new Map<string, ServerMarks>()
  const queue = createQueue({ clock, random, onWoken: () => send({ type: 'work' }) })
  const settled = createEmitter<void>()
  let [snapshot] = initialTransition(syncMachine) as [SnapshotFrom<typeof syncMachine>, unknown]
  let nextTryAt: number | undefined
  let cancelTimer = () => {}
  let cancelGathering: (() => void) | undefined
  let cancelLook = () => {}
  let controller = new AbortController()
  /** The exchange under way and those that wait for it; what the backend was last asked. */
  let running = Promise.resolve()
  let asked: Promise<unknown> = Promise.resolve()
  let sessionLimit = sessionsPerExchange
  let textLimit = textPerPush
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
        running = running.then(() => exchange(signal))
      } else if (waitMs > 0 || stateOf() === 'backingOff') {
        nextTryAt = clock.now() + waitMs
        cancelTimer = clock.after(waitMs, () => send({ type: 'timer' }))
      }
      if (stateOf() !== 'exchanging') settled.emit()
    }
    changed.emit(undefined)
  }

  function mark(session: string, marks: Partial<ServerMarks>): void {
    if (isClosed) return
    const next = { ...(marksBySession.get(session) ?? noServerMarks), ...marks }
    // What the server holds is refused no more, however late a row says so.
    const isHeld = next.parked !== undefined && next.parked.position <= next.position
    marksBySession.set(session, isHeld ? { ...next, parked: undefined } : next)
    changed.emit(session)
  }

  /** What fails because everything is being closed is no news. */
  function report(error: unknown): void {
    if (!isClosed) onError(error)
  }

  async function exchange(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    /** Taken from what is due and not dealt with: due again, whatever ends this exchange. */
    const open = new Map<string, Wish>()
    const borrowed: (() => void)[] = []
    let event: SyncEvent
    try {
      event = await takeTurn(signal, () => attempt({ signal, open, borrowed }))
    } catch (error) {
      report(error)
      event = { type: 'unreachable', reason: 'internal fault', fraction: randomFraction(random) }
    }
    for (const release of borrowed) release()
    for (const [session, { isPullWanted }] of open) queue.want(session, isPullWanted)
    if (signal.aborted) {
      if (queue.due.size > 0 && !isClosed) gather()
      return
    }
    if (event.type === 'answered') {
      if (queue.due.size > 0) send({ type: 'work' })
      else [sessionLimit, textLimit] = [sessionsPerExchange, textPerPush]
    }
    send(event)
  }

  async function attempt(of: {
    readonly signal: AbortSignal
    readonly open: Map<string, Wish>
    readonly borrowed: (() => void)[]
  }): Promise<SyncEvent> {
    const { signal, open, borrowed } = of
    const outgoing: Sent[] = []
    let length = 0
    for (const [session, wish] of [...queue.due].slice(0, sessionLimit)) {
      if (length >= textPerExchange) break
      queue.take(session)
      open.set(session, wish)
      try {
        const { journal, key, release } = await borrowJournal(session)
        borrowed.push(release)
        if (signal.aborted) break
        const sent = await prepare({ store, journal, key, bases, textLimit, ...wish })
        if (signal.aborted) break
        if (!(await isOurs(session))) {
          open.delete(session)
          continue
        }
        if (sent === undefined) {
          open.delete(session)
          await refreshMarks(session)
          // A failing store says so in the journal; what is stored already is looked at again all the same.
          if (journal.marks.failure !== undefined) rest(session, wish)
          continue
        }
        outgoing.push({ sent, journal })
        length += sent.length
        mark(session, { position: sent.base.position, rev: sent.base.rev })
      } catch (error) {
        open.delete(session)
        // Unsent until its flow is given to Waymark again; or removed from this device.
        if (isWaymarkError(error, 'flow-unknown') || isWaymarkError(error, 'session-unknown')) continue
        report(error)
        rest(session, wish)
      }
    }
    if (signal.aborted || outgoing.length === 0) return { type: 'answered' }
    const outcome = await reach(outgoing, signal)
    if (signal.aborted && outcome.type !== 'answered') return { type: 'answered' }
    if (outcome.type === 'refused' && outcome.status === 413 && (await makeSmaller(outgoing, open))) {
      return { type: 'answered' }
    }
    if (outcome.type === 'unreachable') return { ...outcome, fraction: randomFraction(random) }
    if (outcome.type !== 'answered') return outcome
    for (const [i, { sent, journal }] of outgoing.entries()) {
      if (isClosed) break
      const { session } = journal
      const wish = open.get(session) ?? { isPullWanted: false }
      // What is said of another session is no answer to this one.
      const said = outcome.outcomes[i]
      const answer = said?.session === session ? said : undefined
      let isFurther = false
      try {
        isFurther = answer !== undefined && (await act({ journal, sent, answer, now: outcome.serverNow }))
      } catch (error) {
        report(error)
      }
      open.delete(session)
      if (!isFurther) rest(session, wish)
    }
    return { type: 'answered' }
  }

  async function reach(outgoing: readonly Sent[], signal: AbortSignal): Promise<ExchangeOutcome> {
    const aborted = new Promise<ExchangeOutcome>((resolve) => {
      const end = () => resolve({ type: 'unreachable', reason: 'aborted' })
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
    })
    const ask = async (): Promise<ExchangeOutcome> => {
      await asked
      if (signal.aborted) return aborted
      const items = outgoing.map(({ sent }) => sent.item)
      const answer = Promise.resolve(backend.exchange(items, { account, signal }))
      asked = answer.catch(() => {})
      return answer
    }
    try {
      return await Promise.race([ask(), aborted])
    } catch (error) {
      report(error)
      return { type: 'unreachable', reason: 'the backend threw' }
    }
  }

  /** The whole request was too large: fewer sessions next time, then less of one; what cannot be made smaller is parked. */
  async function makeSmaller(outgoing: readonly Sent[], open: Map<string, Wish>): Promise<boolean> {
    const { sent, journal } = outgoing[0]!
    const half = Math.floor(sent.entriesLength / 2)
    if (outgoing.length > 1) sessionLimit = Math.ceil(outgoing.length / 2)
    else if (sent.item.type === 'pull') return false
    else if (sent.item.entries.length > 1 && half < textLimit) textLimit = half
    else {
      await park(sent, 'too-large')
      open.delete(journal.session)
    }
    return true
  }

  /** False where the answer got the session no further. */
  async function act(of: Sent & { readonly answer: SyncOutcome; readonly now: number | undefined }) {
    const { journal, sent, answer, now } = of
    const { session } = journal
    switch (answer.type) {
      case 'accepted':
        await acknowledge(bases, session, sent, answer.rev)
        queue.progressed(session)
        onSynced(session)
        mark(session, { position: sent.upTo, rev: answer.rev, parked: undefined })
        if (sent.hasMore || journal.position > sent.upTo) queue.want(session, false)
        return true
      case 'unchanged':
        queue.progressed(session)
        return true
      case 'stale':
      case 'snapshot': {
        if (answer.snapshot.rev === sent.base.rev) return answer.type === 'snapshot'
        const result = await mergeSnapshot({ store, journal, bases, sent, snapshot: answer.snapshot, now })
        if (result === 'unreadable') return false
        if (result === 'behind') return startOver(session)
        if (result === 'lost') {
          // Lost to another tab, or to a failing store: starts over after a rest.
          if (!queue.isPatient(session)) return false
          pull(session)
          return true
        }
        onSynced(session)
        await refreshMarks(session)
        if (answer.type === 'snapshot') queue.progressed(session)
        else if (queue.isPatient(session)) queue.want(session, false)
        else return false
        return true
      }
      case 'unknown':
        if (sent.base.rev !== null) return startOver(session)
        return sent.item.type === 'pull'
      case 'rejected':
      case 'too-large':
      case 'denied': {
        const reason = answer.type === 'too-large' ? `larger than ${answer.limitBytes} bytes` : answer.reason
        await park(sent, reason, answer.type === 'rejected' ? answer.issues : [])
        return true
      }
    }
  }

  async function park(sent: Outgoing, reason: string, issues: Parked['issues'] = []): Promise<void> {
    const { session } = sent.item
    const parked: Parked = { session, reason, issues, at: clock.now(), position: sent.upTo }
    await store.write({ durability: 'strict', put: [toParkedRow(account, parked)] })
    queue.progressed(session)
    mark(session, { parked })
  }

  function rest(session: string, wish: Wish): void {
    if (isClosed) return
    queue.rest(session, wish)
    changed.emit(undefined)
  }

  /** The server lost what it had acknowledged: nothing of this session is safe there until it is sent again. */
  async function startOver(session: string): Promise<boolean> {
    await bases.forget(session)
    onSynced(session)
    mark(session, { position: -1, rev: null })
    if (!queue.isPatient(session)) return false
    queue.want(session, false)
    return true
  }

  async function refreshMarks(session: string): Promise<void> {
    const before = marksBySession.get(session)
    const [{ position, rev }, [parked = []]] = await Promise.all([
      bases.read(session),
      store.read([parkedRange(session)]),
    ])
    // What was learned while this was read is newer.
    if (marksBySession.get(session) !== before) return refreshMarks(session)
    mark(session, { position, rev, parked: readParkedRow(parked[0], account) })
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
      if (parked !== undefined) mark(session, { parked })
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
    unmark: (session) => mark(session, { position: -1, rev: null }),
    async refresh(session) {
      try {
        await refreshMarks(session)
      } catch (error) {
        report(error)
      }
    },
    acknowledged: async (session) => (await bases.read(session)).state,
    marksOf: (session) => marksBySession.get(session) ?? noServerMarks,
    async now() {
      if (isClosed || stateOf() === 'stopped') return this.status
      const isOver = new Promise<void>((resolve) => {
        const off = settled.on(() => {
          off()
          resolve()
        })
      })
      for (const [session, { parked }] of marksBySession) if (parked !== undefined) queue.want(session, false)
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
