/**
 * On a device others use: what is over and received leaves it, its keys with it.
 *
 * Invariants
 * - With a backend nothing goes that the server has not acknowledged; without one only what was given up, abandoned or
 *   expired: what is done would be nowhere else.
 * - What an earlier page had no time for is looked at again by the next one.
 */
import { isWaymarkError } from '../base/errors.ts'
import type { Head } from '../record/head.ts'
import { isEnded } from '../record/state.ts'
import type { Key, Store } from '../store/store.ts'

export interface Forgetting {
  /** Something of this session was stored or acknowledged. */
  look(session: string): void
  /** Looks at what earlier pages left, and what came to be known of it. */
  lookAtAll(): void
}

export function createForgetting(of: {
  readonly store: Promise<Store>
  readonly heads: () => Promise<readonly Head[]>
  readonly remove: (session: string) => Promise<void>
  /** Asks how far the server has acknowledged a session; the answer comes as a `look`. `undefined` without a backend. */
  readonly ask: ((session: string) => void) | undefined
  /** Up to which position of the journal the server has everything, -1 for nothing or not known yet. */
  readonly acknowledged: (session: string) => number
  readonly onError: (error: unknown) => void
}): Forgetting {
  const { store, heads, remove, ask, acknowledged, onError } = of
  let last: Promise<void> = Promise.resolve()

  async function forget(session: string): Promise<void> {
    const head = (await heads()).find((one) => one.id === session)
    if (head === undefined || !isEnded(head.status)) return
    if (ask === undefined ? head.status === 'done' : acknowledged(session) < (await lastPosition(session)))
      return
    await remove(session)
  }

  async function lastPosition(session: string): Promise<number> {
    const range = { store: 'journal', prefix: [session], isReverse: true, limit: 1, isKeys: true } as const
    const [[key] = []] = await (await store).read([range])
    return ((key as Key | undefined)?.[1] as number | undefined) ?? -1
  }

  function inTurn(work: () => Promise<void>): void {
    last = last.then(work).catch((error: unknown) => {
      // Another tab was first, or the account changed.
      if (!isWaymarkError(error, 'session-unknown') && !isWaymarkError(error, 'closed')) onError(error)
    })
  }

  return {
    look: (session) => inTurn(() => forget(session)),
    lookAtAll: () =>
      inTurn(async () => {
        for (const { id } of (await heads()).filter(({ status }) => isEnded(status))) {
          if (ask === undefined) await forget(id)
          else ask(id)
        }
      }),
  }
}
