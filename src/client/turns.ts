/**
 * One tab at a time exchanges with the server, by a Web Lock held for one exchange only.
 *
 * Invariants
 * - Nothing that is promised rests on it: pushes are idempotent, merges compare. It saves requests, as when every tab
 *   comes back online at once: who comes second finds everything sent.
 * - A tab that holds its turn and does not answer (frozen, or stopped in a debugger) blocks the others for a bounded
 *   time: then the lock is taken from it, and what it does when it wakes is a late duplicate.
 * - Where there are no locks (plain http) every tab goes at once.
 */
import type { Clock } from '../base/clock.ts'

export type TakeTurn = <T>(signal: AbortSignal, run: () => Promise<T>) => Promise<T>

/** Longer than a backend may take to answer. */
const patienceMs = 45_000

/** Web Locks, as `navigator.locks` gives them. */
export type Locks = Pick<LockManager, 'request'>

/** `name` is that of what is shared: the namespace and the account. */
export function turnsOf(
  name: string,
  clock: Clock,
  locks: Locks | undefined = (globalThis.navigator as Navigator | undefined)?.locks,
): TakeTurn {
  const lock = `waymark:${name}`
  if (locks === undefined) return (_signal, run) => run()
  return async (signal, run) => {
    const waiting = new AbortController()
    const giveUp = () => waiting.abort()
    const cancel = clock.after(patienceMs, giveUp)
    signal.addEventListener('abort', giveUp)
    try {
      const turn = await begin(locks, lock, { signal: waiting.signal }, run)
      if (turn !== undefined) return await turn.result
      // Stopped while waiting: `run` finds that out itself.
      if (signal.aborted) return await run()
      const taken = await begin(locks, lock, { steal: true }, run)
      return await (taken?.result ?? run())
    } finally {
      cancel()
      signal.removeEventListener('abort', giveUp)
    }
  }
}

/** Runs once the lock is there; `undefined` where it never was. A lock taken away later does not end what runs. */
function begin<T>(
  locks: Locks,
  name: string,
  options: LockOptions,
  run: () => Promise<T>,
): Promise<{ result: Promise<T> } | undefined> {
  return new Promise((resolve) => {
    locks
      .request(name, options, () => {
        const result = run()
        resolve({ result })
        return result.catch(() => {})
      })
      .catch(() => resolve(undefined))
  })
}
