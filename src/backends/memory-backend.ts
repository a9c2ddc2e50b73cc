import { type Clock, systemClock } from '../base/clock.ts'
import { WaymarkError } from '../base/errors.ts'
import { type Random, systemRandom } from '../base/ids.ts'
import { applyPush, pushNeeds } from '../protocol/apply-push.ts'
import type { Backend } from '../protocol/backend.ts'
import { currentRev } from '../protocol/held.ts'
import { createMemorySessions } from '../protocol/memory-sessions.ts'
import { answerPull, toWireSnapshot } from '../protocol/snapshot.ts'
import type { PushItem, SyncItem, SyncOutcome, WireSnapshot } from '../protocol/wire.ts'

export interface MemoryBackendOptions {
  /** How long each exchange takes, in milliseconds. Default: 0, answered in a microtask. */
  readonly latencyMs?: number
  /** Default: the machine's own clock. */
  readonly clock?: Clock
  /** Makes the revs. Default: `crypto.getRandomValues`. */
  readonly random?: Random
}

/** A {@link Backend} with a server inside it, and the switches of a bad network. */
export interface MemoryBackend extends Backend {
  /** Every exchange is `unreachable` until {@link MemoryBackend.goOnline}. */
  goOffline(): void
  goOnline(): void
  /** The next `count` exchanges take effect, but their answers are lost. Default: 1. */
  loseReplies(count?: number): void
  /** Ids of the sessions one account has here, sorted. */
  sessions(account: string): readonly string[]
  /** A session as a pull of everything would tell it; `undefined` where there is none. */
  snapshot(account: string, session: string): WireSnapshot | undefined
  /** How many exchanges have reached the server inside. */
  readonly exchanges: number
}

/**
 * A sync server in this page's memory, for tests, demos and the first day of a project: the same rules as the real
 * one, sessions kept per account, gone with the page. It checks no credentials and no bounds.
 */
export function memoryBackend(options: MemoryBackendOptions = {}): MemoryBackend {
  const { latencyMs = 0, clock = systemClock, random = systemRandom } = options
  const sessions = createMemorySessions()
  let isOnline = true
  let repliesToLose = 0
  let exchanges = 0

  const push = (account: string, item: PushItem): SyncOutcome => {
    const { session } = item
    const key = { account, session }
    const held = sessions.load(key, pushNeeds(item))
    const verdict = applyPush(held, item, { random })
    switch (verdict.type) {
      case 'accepted':
        sessions.write(key, held === undefined ? null : currentRev(held), verdict.write)
        return { type: 'accepted', session, rev: verdict.write.rev, validated: false }
      case 'held':
        return { type: 'accepted', session, rev: verdict.rev, validated: false }
      case 'stale':
        return { type: 'stale', session, snapshot: toWireSnapshot(sessions.read(key, item.base)!) }
      case 'unknown':
        return { type: 'unknown', session }
      case 'rejected':
        return { type: 'rejected', session, reason: verdict.reason, issues: verdict.issues }
    }
  }

  const answer = (account: string, item: SyncItem): SyncOutcome => {
    const { session } = item
    const key = { account, session }
    if (sessions.isErased(key)) return { type: 'denied', session, reason: 'erased' }
    return item.type === 'push'
      ? push(account, item)
      : answerPull(session, item.since, sessions.read(key, item.since))
  }

  return {
    async exchange(items, { account, signal }) {
      const isAborted = await pause(clock, latencyMs, signal)
      if (isAborted) return { type: 'unreachable', reason: 'aborted' }
      if (!isOnline) return { type: 'unreachable', reason: 'offline' }
      exchanges++
      const outcomes = items.map((item) => answer(account, item))
      if (repliesToLose > 0) {
        repliesToLose--
        return { type: 'unreachable', reason: 'reply lost' }
      }
      return { type: 'answered', outcomes, serverNow: clock.now() }
    },
    async erase(session, { account, signal }) {
      const isAborted = await pause(clock, latencyMs, signal)
      if (isAborted || !isOnline) {
        throw new WaymarkError('not-erased', 'The server cannot be reached.', { isRetryable: true })
      }
      sessions.erase({ account, session })
    },
    goOffline() {
      isOnline = false
    },
    goOnline() {
      isOnline = true
    },
    loseReplies(count = 1) {
      repliesToLose += count
    },
    sessions: sessions.list,
    snapshot(account, session) {
      const held = sessions.read({ account, session }, null)
      return held === undefined ? undefined : toWireSnapshot(held)
    },
    get exchanges() {
      return exchanges
    },
  }
}

/** Waits; true where `signal` ended the wait. */
function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(true)
  if (delayMs === 0) return Promise.resolve().then(() => signal.aborted)
  return new Promise((resolve) => {
    const end = () => {
      cancel()
      resolve(true)
    }
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', end)
      resolve(false)
    })
    signal.addEventListener('abort', end, { once: true })
  })
}
