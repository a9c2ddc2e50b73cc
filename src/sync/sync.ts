/**
 * Drives the sync machine for one account: gathers what there is to say, exchanges it, acts on the answers.
 *
 * Invariants
 * - Only sessions of this account are ever read or sent; signing in as someone else makes a new driver.
 * - One session's fate never holds up another: a rejected session is set aside with its reason, the rest go on.
 * - Nothing is ever dropped because of what a server said.
 */
import { initialTransition, type SnapshotFrom, transition } from 'xstate'
import type { Clock } from '../base/clock.ts'
import { createEmitter } from '../base/emitter.ts'
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
import { readHead } from '../record/head.ts'
import type { Key, Range, Store } from '../store/store.ts'
import { createBaseRows } from './base-row.ts'
import { acknowledge, mergeSnapshot, type Outgoing, prepare } from './outbox.ts'
import { type SyncEvent, syncMachine } from './sync-machine.ts'

export interface SyncOptions {
  readonly account: string
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  /** The journal of a session of this account, shared with whoever has it open. Call `release` when done. */
  readonly borrowJournal: (session: string) => Promise<{ journal: Journal; key: string; release: () => void }>
  /** The server acknowledged changes of this session, or sent some: other tabs want to know. */
  readonly onSynced: (session: string) => void
  readonly onError: (error: unknown) => void
  /** How long to gather changes before a push, in milliseconds. Default 800. */
  readonly gatherMs?: number
}

export interface Sync {
  readonly status: SyncStatus
  /** An entry of this session was stored: it is sent after a short gathering. */
  note(session: string): void
  /** Asks the server for what other devices did to this session. */
  pull(session: string): void
  /** Reads again what another tab may have been acknowledged. */
  refresh(session: string): Promise<void>
  marksOf(session: string): ServerMarks
  /** Exchanges at once, whatever was being waited for; resolves when that exchange is over. */
  now(): Promise<SyncStatus>
  start(): void
  stop(): void
  send(event: { type: 'online' | 'offline' | 'signIn' }): void
  /** Called with a session when its marks moved, with nothing when the status did. */
  onChange(listener: (session?: string) => void): () => void
  close(): void
}

const sessionsPerExchange = 20

export function createSync(options: SyncOptions): Sync {
  const { account, backend, store, clock, random, borrowJournal, onSynced, onError, gatherMs = 800 } = options
  const bases = createBaseRows(store, account)
  const changed = createEmitter<string | undefined>()
  const marksBySession = new Map<string, ServerMarks>()
  const due = new Map<string, { isPullWanted: boolean }>()
  const settled = createEmitter<void>()
  let [snapshot] = initialTransition(syncMachine) as [SnapshotFrom<typeof syncMachine>, unknown]
  let nextTryAt: number | undefined
  let cancelTimer = () => {}
  let cancelGathering: (() => void) | undefined
  let controller = new AbortController()
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
      if (stateOf() === 'exchanging') void exchange()
      else if (waitMs > 0 || stateOf() === 'backingOff') {
        nextTryAt = clock.now() + waitMs
        cancelTimer = clock.after(waitMs, () => send({ type: 'timer' }))
      }
      if (stateOf() !== 'exchanging') settled.emit()
    }
    changed.emit(undefined)
  }

  function mark(session: string, marks: Partial<ServerMarks>): void {
    marksBySession.set(session, { ...(marksBySession.get(session) ?? noServerMarks), ...marks })
    changed.emit(session)
  }

  /** What fails because everything is being closed is no news. */
  function report(error: unknown): void {
    if (!isClosed) onError(error)
  }

  async function exchange(): Promise<void> {
    controller = new AbortController()
    const { signal } = controller
    const borrowed: (() => void)[] = []
    try {
      const round = [...due].slice(0, sessionsPerExchange)
      const outgoing: { sent: Outgoing; journal: Journal }[] = []
      for (const [session, wish] of round) {
        due.delete(session)
        try {
          const { journal, key, release } = await borrowJournal(session)
          borrowed.push(release)
          const sent = await prepare({ store, journal, key, bases, isPullWanted: wish.isPullWanted })
          if (sent !== undefined) outgoing.push({ sent, journal })
          if (sent !== undefined) mark(session, { position: sent.base.position, rev: sent.base.rev })
          else await refreshMarks(session)
        } catch (error) {
          report(error)
        }
      }
      if (outgoing.length === 0) {
        if (due.size > 0) send({ type: 'work' })
        send({ type: 'answered' })
        return
      }
      const outcome = await reach(outgoing, signal)
      if (signal.aborted || outcome.type !== 'answered') {
        for (const { sent } of outgoing) want(sent.item.session, sent.item.type === 'pull')
      }
      if (signal.aborted) return
      if (outcome.type === 'unreachable') return send({ ...outcome, fraction: randomFraction(random) })
      if (outcome.type !== 'answered') return send(outcome)
      for (const [i, { sent, journal }] of outgoing.entries()) {
        const answer = outcome.outcomes[i]
        if (answer !== undefined) await act(journal, sent, answer)
      }
      if (due.size > 0) send({ type: 'work' })
      send({ type: 'answered' })
    } catch (error) {
      report(error)
      if (!signal.aborted) {
        send({ type: 'unreachable', reason: 'internal fault', fraction: randomFraction(random) })
      }
    } finally {
      for (const release of borrowed) release()
    }
  }

  async function reach(
    outgoing: readonly { sent: Outgoing }[],
    signal: AbortSignal,
  ): Promise<ExchangeOutcome> {
    try {
      const items = outgoing.map(({ sent }) => sent.item)
      return await backend.exchange(items, { account, signal })
    } catch (error) {
      report(error)
      return { type: 'unreachable', reason: 'the backend threw' }
    }
  }

  async function act(journal: Journal, sent: Outgoing, answer: SyncOutcome): Promise<void> {
    const { session } = journal
    switch (answer.type) {
      case 'accepted':
        await acknowledge(bases, session, sent, answer.rev)
        if (marksBySession.get(session)?.parked !== undefined) {
          await store.write({ durability: 'relaxed', remove: [{ store: 'parked', prefix: [session] }] })
        }
        onSynced(session)
        mark(session, { position: sent.upTo, rev: answer.rev, parked: undefined })
        if (sent.hasMore || journal.position > sent.upTo) want(session, false)
        return
      case 'unchanged':
        return
      case 'stale':
      case 'snapshot': {
        const isNews = answer.snapshot.rev !== sent.base.rev
        const { snapshot } = answer
        const result = isNews ? await mergeSnapshot({ store, journal, bases, sent, snapshot }) : undefined
        if (result === 'behind') return startOver(session)
        if (result === 'merged') {
          onSynced(session)
          await refreshMarks(session)
        }
        // A merge that lost to another tab, or to a failing store, starts over after a rest.
        if (result !== 'merged' && isNews) pull(session)
        else if (answer.type === 'stale') want(session, false)
        return
      }
      case 'unknown':
        if (sent.item.type === 'push' || sent.base.rev !== null) await startOver(session)
        return
      case 'rejected':
      case 'too-large':
      case 'denied': {
        const reason = answer.type === 'too-large' ? `larger than ${answer.limitBytes} bytes` : answer.reason
        const issues = answer.type === 'rejected' ? answer.issues : []
        const parked: Parked = { session, reason, issues, at: clock.now() }
        await store.write({
          durability: 'strict',
          put: [{ store: 'parked', key: [session], value: { v: 1, account, ...parked } }],
        })
        mark(session, { parked })
      }
    }
  }

  /** The server lost what it had acknowledged: nothing of this session is safe there until it is sent again. */
  async function startOver(session: string): Promise<void> {
    await bases.forget(session)
    onSynced(session)
    mark(session, { position: -1, rev: null })
    want(session, false)
  }

  async function refreshMarks(session: string): Promise<void> {
    const [{ position, rev }, [parked = []]] = await Promise.all([
      bases.read(session),
      store.read([{ store: 'parked', prefix: [session] }]),
    ])
    mark(session, { position, rev, parked: parked[0] as Parked | undefined })
  }

  /** Sessions of this account with entries the server has not acknowledged: what an earlier page left behind. */
  async function findUnsent(): Promise<void> {
    const [heads = []] = await store.read([{ store: 'heads', prefix: [account] }])
    const sessions = heads.flatMap((value) => readHead(value)?.id ?? [])
    const rows = await store.read(
      sessions.flatMap((session): Range[] => [
        { store: 'journal', prefix: [session], isReverse: true, limit: 1, isKeys: true },
        { store: 'sync', prefix: [session, 'row'] },
        { store: 'parked', prefix: [session] },
        { store: 'drafts', prefix: [session], limit: 1 },
      ]),
    )
    sessions.forEach((session, i) => {
      const [last, base, parked, drafts] = rows.slice(i * 4, i * 4 + 4).map((found) => found[0]) as [
        Key?,
        { i?: number }?,
        unknown?,
        unknown?,
      ]
      const isUnsent = ((last?.[1] as number | undefined) ?? -1) > (base?.i ?? -1) || drafts !== undefined
      if (isUnsent && parked === undefined) want(session, false)
    })
    if (due.size > 0) gather()
  }

  function want(session: string, isPullWanted: boolean): void {
    due.set(session, { isPullWanted: isPullWanted || (due.get(session)?.isPullWanted ?? false) })
  }

  function pull(session: string): void {
    want(session, true)
    gather()
  }

  function gather(): void {
    cancelGathering ??= clock.after(gatherMs, () => {
      cancelGathering = undefined
      send({ type: 'work' })
    })
  }

  return {
    get status() {
      const { failures, reason } = snapshot.context
      return { state: stateOf(), nextTryAt, failures, reason }
    },
    note(session) {
      want(session, false)
      gather()
    },
    pull,
    async refresh(session) {
      try {
        await refreshMarks(session)
      } catch (error) {
        report(error)
      }
    },
    marksOf: (session) => marksBySession.get(session) ?? noServerMarks,
    async now() {
      const isOver = new Promise<void>((resolve) => {
        const off = settled.on(() => {
          off()
          resolve()
        })
      })
      if (stateOf() === 'stopped') return this.status
      cancelGathering?.()
      cancelGathering = undefined
      send({ type: 'now' })
      await isOver
      return this.status
    },
    start() {
      send({ type: 'start' })
      findUnsent().catch(report)
    },
    stop() {
      controller.abort()
      send({ type: 'stop' })
    },
    send,
    onChange: changed.on,
    close() {
      isClosed = true
      controller.abort()
      cancelTimer()
      cancelGathering?.()
      settled.emit()
    },
  }
}
