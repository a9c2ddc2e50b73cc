import { type Backend, type ExchangeOutcome, isExchangeOutcome } from '../protocol/backend.ts'
import type { SyncItem, SyncOutcome } from '../protocol/wire.ts'
import type { Dice } from './dice.ts'
import type { Gate } from './gate.ts'
import type { Scheduler } from './scheduler.ts'

/**
 * What happens to one exchange: it never arrives, its reply is lost or cut, it arrives after the client gave up, it
 * arrives twice, it takes long, the server is busy and says for how long, wants a sign-in, forbids it, finds it too
 * large, answers less than it was asked, or refuses what is pushed.
 */
export type NetworkFault = (typeof networkFaults)[number]

export const networkFaults = [
  'drop',
  'lose reply',
  'late',
  'duplicate',
  'slow',
  'busy',
  'busy late',
  'sign out',
  'forbid',
  'too large',
  'short',
  'reject',
] as const

/** One page's way to the server. */
export interface Line {
  readonly backend: Backend
  /** A person, or the network's return, is a reason to come all the same. */
  nudge(): void
}

const timeoutMs = 30_000
/** By the machine's own clock: a server answers without waiting for the simulation's. */
const patienceMs = 5_000

export function openLine(of: {
  readonly scheduler: Scheduler
  readonly gate: Gate
  readonly dice: Dice
  readonly server: Backend
  readonly isOffline: () => boolean
  /** Asked once for each exchange. */
  readonly faultOf: () => NetworkFault | undefined
  readonly onSend: (items: readonly SyncItem[], account: string) => void
  readonly onAnswer: (items: readonly SyncItem[], outcomes: readonly SyncOutcome[], account: string) => void
  /** The server threw, was silent, or gave no outcome. */
  readonly onBroken: (words: string) => void
  /** It comes although it was asked to wait. */
  readonly onImpatience: (earlyMs: number) => void
}): Line {
  const { scheduler, gate, dice, server } = of
  let notBefore = Number.NEGATIVE_INFINITY

  function waitFor(ms: number): void {
    notBefore = scheduler.now + ms
  }

  async function ask(items: readonly SyncItem[], account: string): Promise<ExchangeOutcome> {
    const { signal } = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const silence = new Promise((resolve) => {
      timer = setTimeout(resolve, patienceMs, 'silence')
    })
    try {
      const outcome = await Promise.race([server.exchange(items, { account, signal }), silence])
      if (isExchangeOutcome(outcome)) return outcome
      of.onBroken(outcome === 'silence' ? `did not answer in ${patienceMs} ms` : 'gave no outcome')
    } catch (error) {
      of.onBroken(`threw ${error instanceof Error ? error.message : error}`)
    } finally {
      clearTimeout(timer)
    }
    return unreachable('broken')
  }

  /** The request arrives: what the server makes of it counts, whoever still listens. */
  async function arrive(
    items: readonly SyncItem[],
    account: string,
    isRefusingPushes: boolean,
  ): Promise<ExchangeOutcome> {
    const heard = isRefusingPushes ? items.filter((item) => item.type === 'pull') : items
    const outcome = await scheduler.hold(ask(heard, account))
    if (outcome.type !== 'answered') return outcome
    of.onAnswer(heard, outcome.outcomes, account)
    const outcomes = items.map((item): SyncOutcome => {
      const at = heard.indexOf(item)
      if (at >= 0) return outcome.outcomes[at]!
      return { type: 'rejected', session: item.session, reason: 'not today', issues: [] }
    })
    return { ...outcome, outcomes }
  }

  return {
    nudge() {
      notBefore = Number.NEGATIVE_INFINITY
    },
    backend: {
      exchange(asked, { account, signal }) {
        if (gate.isDead) return new Promise(() => {})
        const items = JSON.parse(JSON.stringify(asked)) as readonly SyncItem[]
        of.onSend(items, account)
        if (scheduler.now < notBefore) of.onImpatience(notBefore - scheduler.now)
        const fault = of.isOffline() ? 'offline' : account === '' ? 'sign out' : of.faultOf()
        return new Promise((resolve) => {
          const answer = (outcome: ExchangeOutcome, afterMs = dice.between(1, 80)) => {
            gate.after(afterMs, () => {
              if (signal.aborted) return
              if (outcome.type === 'unreachable' && outcome.retryAfterMs !== undefined)
                waitFor(outcome.retryAfterMs)
              resolve(outcome)
            })
          }
          signal.addEventListener('abort', () => resolve(unreachable('aborted')), { once: true })
          const takesMs = fault === 'slow' ? dice.between(5_000, 28_000) : dice.between(1, 120)
          const reach = (
            afterMs: number,
            then: (outcome: ExchangeOutcome) => void = () => {},
            isRefused = false,
          ) => {
            scheduler.after(afterMs, () => void arrive(items, account, isRefused).then(then))
          }
          const busyMs = dice.between(1_000, 120_000)
          switch (fault) {
            case 'offline':
              return answer(unreachable('offline'), dice.between(1, 2_000))
            case 'drop':
              return answer(unreachable('timed out'), dice.is(0.5) ? timeoutMs : dice.between(1, 3_000))
            case 'late':
              reach(dice.between(timeoutMs, 3 * timeoutMs))
              return answer(unreachable('timed out'), timeoutMs)
            case 'busy':
              return answer({ ...unreachable('HTTP 503'), retryAfterMs: busyMs })
            case 'sign out':
              return answer({ type: 'unauthorized' })
            case 'forbid':
              return answer({ type: 'refused', reason: 'HTTP 403', status: 403 })
            case 'too large':
              return answer({ type: 'refused', reason: 'HTTP 413', status: 413 })
            case 'reject':
              return reach(takesMs, answer, true)
            case 'lose reply':
              return reach(takesMs, () =>
                answer(unreachable('the answer was cut'), dice.between(1, timeoutMs)),
              )
            case 'busy late':
              return reach(takesMs, () => answer({ ...unreachable('HTTP 503'), retryAfterMs: busyMs }))
            case 'short': {
              const [from, to] = dice.pick([
                [1, items.length],
                [0, items.length - 1],
              ])
              return reach(takesMs, (outcome) =>
                answer(
                  outcome.type === 'answered'
                    ? { ...outcome, outcomes: outcome.outcomes.slice(from, to) }
                    : outcome,
                ),
              )
            }
            default:
              if (fault === 'duplicate') reach(takesMs + dice.between(1, 20_000))
              return reach(takesMs, answer)
          }
        })
      },
    },
  }
}

function unreachable(reason: string): ExchangeOutcome & { type: 'unreachable' } {
  return { type: 'unreachable', reason }
}
