import { memoryBackend } from '../backends/memory-backend.ts'
import type { Backend, ExchangeOutcome } from '../protocol/backend.ts'
import type { SyncOutcome } from '../protocol/wire.ts'
import { type Failing, onceMore } from './failing.ts'

/**
 * What happens to an exchange: it never arrives, its reply is lost, it arrives twice, the server is busy and asks to wait
 * a minute, wants a sign-in, forbids it, finds it too large, or refuses what is pushed.
 */
export type BackendFault =
  | 'drop'
  | 'lose reply'
  | 'duplicate'
  | 'busy'
  | 'sign out'
  | 'forbid'
  | 'too large'
  | 'reject'

/** A {@link Backend} that fails when told to. */
export interface FaultyBackend extends Backend {
  /** Every exchange meets it, until {@link FaultyBackend.heal}; with `count`, the next ones. */
  fail(fault: BackendFault, count?: number): void
  /** Works again. */
  heal(): void
  /** How many exchanges reached what is behind it. */
  readonly exchanges: number
}

/**
 * A bad network before a backend, for tests of how an app behaves where its server cannot be reached or refuses.
 *
 * @param inner What is behind it. Default: a server in memory.
 */
export function faultyBackend(inner: Backend = memoryBackend()): FaultyBackend {
  let meeting: Failing<BackendFault> | undefined
  let exchanges = 0

  return {
    async exchange(items, options): Promise<ExchangeOutcome> {
      const fault = meeting?.fault
      meeting = onceMore(meeting)
      const reach = (asked = items) => {
        exchanges += 1
        return inner.exchange(asked, options)
      }
      switch (fault) {
        case undefined:
          return reach()
        case 'drop':
          return { type: 'unreachable', reason: 'no answer' }
        case 'lose reply':
          await reach()
          return { type: 'unreachable', reason: 'no answer' }
        case 'duplicate':
          await reach()
          return reach()
        case 'busy':
          return { type: 'unreachable', reason: 'HTTP 503', retryAfterMs: 60_000 }
        case 'sign out':
          return { type: 'unauthorized' }
        case 'forbid':
          return { type: 'refused', reason: 'HTTP 403', status: 403 }
        case 'too large':
          return { type: 'refused', reason: 'HTTP 413', status: 413 }
        case 'reject': {
          const pulls = items.filter((item) => item.type === 'pull')
          const said = await reach(pulls)
          if (said.type !== 'answered') return said
          const outcomes = items.map((item, i): SyncOutcome => {
            const at = items.slice(0, i).filter(({ type }) => type === 'pull').length
            if (item.type === 'pull') return said.outcomes[at]!
            return { type: 'rejected', session: item.session, reason: 'told to refuse', issues: [] }
          })
          return { ...said, outcomes }
        }
      }
    },
    fail(fault, count = Number.POSITIVE_INFINITY) {
      meeting = { fault, left: count }
    },
    heal() {
      meeting = undefined
    },
    get exchanges() {
      return exchanges
    },
  }
}
