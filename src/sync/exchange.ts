/**
 * One exchange with the backend: takes what is due, says it, acts on each answer.
 *
 * Invariants
 * - One session's fate never holds up another: a rejected session is set aside with its reason, one that gets nowhere
 *   rests with growing waits, the rest go on.
 * - What was taken from the queue and not dealt with is due again, whatever ended the exchange.
 * - Nothing is ever dropped because of what a server said, or because a store or a backend failed.
 */
import type { Clock } from '../base/clock.ts'
import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import { type Random, randomFraction } from '../base/ids.ts'
import type { Journal } from '../journal/journal.ts'
import { type Backend, type ExchangeOutcome, isExchangeOutcome } from '../protocol/backend.ts'
import type { Parked } from '../protocol/sync-status.ts'
import type { SyncOutcome } from '../protocol/wire.ts'
import type { Store } from '../store/store.ts'
import type { BaseRows } from './base-row.ts'
import type { Marks } from './marks.ts'
import { acknowledge, mergeSnapshot, type Outgoing, prepare, textPerPush } from './outbox.ts'
import { toParkedRow } from './parked-row.ts'
import type { Queue, Wish } from './queue.ts'
import type { SyncEvent } from './sync-machine.ts'

export interface Exchange {
  /** What came of it, `undefined` where it was aborted. Never rejects. */
  run(signal: AbortSignal): Promise<SyncEvent | undefined>
}

interface Sent {
  readonly sent: Outgoing
  readonly journal: Journal
}

const sessionsPerExchange = 20
/** Length of the text of one exchange, about: a session is left for the next one where it is reached. */
const textPerExchange = 2_000_000

export function createExchange(of: {
  readonly account: string
  readonly backend: Backend
  readonly store: Pick<Store, 'read' | 'write'>
  readonly bases: BaseRows
  readonly marks: Marks
  readonly queue: Queue
  readonly clock: Clock
  readonly random: Random
  readonly borrowJournal: (session: string) => Promise<{ journal: Journal; key: string; release: () => void }>
  readonly isOurs: (session: string) => Promise<boolean>
  readonly takeTurn: (signal: AbortSignal, run: () => Promise<SyncEvent>) => Promise<SyncEvent>
  readonly isClosed: () => boolean
  /** Asks for what other devices did to this session, after the gathering. */
  readonly pull: (session: string) => void
  readonly rest: (session: string, wish: Wish) => void
  readonly onSynced: (session: string) => void
  readonly report: (error: unknown) => void
}): Exchange {
  const { account, backend, store, bases, marks, queue, clock, random, borrowJournal, isOurs, takeTurn } = of
  const { isClosed, pull, rest, onSynced, report } = of
  /** What the backend was last asked. */
  let asked: Promise<unknown> = Promise.resolve()
  let sessionLimit = sessionsPerExchange
  let textLimit = textPerPush

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
          await marks.refresh(session)
          // A failing store says so in the journal; what is stored already is looked at again all the same.
          if (journal.marks.failure !== undefined) rest(session, wish)
          continue
        }
        outgoing.push({ sent, journal })
        length += sent.length
        marks.set(session, { position: sent.base.position, rev: sent.base.rev })
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
      if (isClosed()) break
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
      const outcome: unknown = await Promise.race([ask(), aborted])
      if (isExchangeOutcome(outcome)) return outcome
      throw new WaymarkError('contract-broken', 'The backend resolved with something that is no outcome.')
    } catch (error) {
      report(error)
      return { type: 'unreachable', reason: 'the backend is faulty' }
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
        marks.set(session, { position: sent.upTo, rev: answer.rev, parked: undefined })
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
        await marks.refresh(session)
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
    marks.set(session, { parked })
  }

  /** The server lost what it had acknowledged: nothing of this session is safe there until it is sent again. */
  async function startOver(session: string): Promise<boolean> {
    await bases.forget(session)
    onSynced(session)
    marks.set(session, { position: -1, rev: null })
    if (!queue.isPatient(session)) return false
    queue.want(session, false)
    return true
  }

  return {
    async run(signal) {
      if (signal.aborted) return undefined
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
      if (signal.aborted) return undefined
      if (event.type === 'answered' && queue.due.size === 0) {
        sessionLimit = sessionsPerExchange
        textLimit = textPerPush
      }
      return event
    },
  }
}
