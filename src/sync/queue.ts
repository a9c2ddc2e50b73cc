/**
 * What each session wants of the next exchange, and which of them rest because answers got them nowhere.
 *
 * Invariants
 * - A session that rests wants something: it comes back by itself, after waits that grow with each answer in vain.
 * - What is taken and not dealt with is put back by whoever took it.
 */
import type { Clock } from '../base/clock.ts'
import { type Random, randomFraction } from '../base/ids.ts'
import { backOffMs } from './sync-machine.ts'

/** What a session wants of the next exchange. */
export interface Wish {
  readonly isPullWanted: boolean
}

export interface Queue {
  /** Sessions that want an exchange now. */
  readonly due: ReadonlyMap<string, Wish>
  want(session: string, isPullWanted: boolean): void
  take(session: string): void
  /** Wants a session again after a wait. */
  rest(session: string, wish: Wish): void
  /** True where one more answer without acknowledgement is nothing unusual. */
  isPatient(session: string): boolean
  /** An answer got it further: its waits begin anew. */
  progressed(session: string): void
  /** Ends every rest at once. */
  wake(): void
  /** The next end of a rest, and the most answers in vain behind one; `undefined` where none rests. */
  resting(): { readonly nextTryAt: number; readonly failures: number } | undefined
  close(): void
}

interface Rest extends Wish {
  readonly until: number
  readonly cancel: () => void
}

/** How often in a row a session may be answered without being acknowledged before it rests. */
const patience = 3

/** `onWoken` is called when a rest is over and its session is due. */
export function createQueue(of: {
  readonly clock: Clock
  readonly random: Random
  readonly onWoken: () => void
}): Queue {
  const { clock, random, onWoken } = of
  const due = new Map<string, Wish>()
  const strikes = new Map<string, number>()
  const rests = new Map<string, Rest>()

  function strike(session: string): number {
    const count = strikes.get(session) ?? 0
    strikes.set(session, count + 1)
    return count
  }

  function want(session: string, isPullWanted: boolean): void {
    rests.get(session)?.cancel()
    rests.delete(session)
    due.set(session, { isPullWanted: isPullWanted || (due.get(session)?.isPullWanted ?? false) })
  }

  return {
    due,
    want,
    take: (session) => void due.delete(session),
    rest(session, wish) {
      const waitMs = backOffMs(strike(session), randomFraction(random))
      rests.get(session)?.cancel()
      const cancel = clock.after(waitMs, () => {
        want(session, wish.isPullWanted)
        onWoken()
      })
      rests.set(session, { ...wish, until: clock.now() + waitMs, cancel })
    },
    isPatient: (session) => strike(session) < patience,
    progressed: (session) => void strikes.delete(session),
    wake() {
      for (const [session, { isPullWanted }] of [...rests]) want(session, isPullWanted)
    },
    resting() {
      if (rests.size === 0) return undefined
      return {
        nextTryAt: Math.min(...[...rests.values()].map(({ until }) => until)),
        failures: Math.max(...[...rests.keys()].map((session) => strikes.get(session) ?? 0)),
      }
    },
    close() {
      for (const { cancel } of rests.values()) cancel()
    },
  }
}
