import { msFromStamp } from '../base/clock.ts'
import { createId, type Random } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import type { Operation } from '../base/patch.ts'
import type { Loser } from '../record/state.ts'
import type { Conflict } from './session-status.ts'

/** The values that lost a conflict and are offered, oldest first. */
export interface Conflicts {
  readonly open: readonly Conflict[]
  /** Offers what a merge did not take; returns what is new. */
  hear(losers: readonly Loser[]): readonly Conflict[]
  /** Ends the offer; `undefined` where there is none of that id. */
  close(id: string): Conflict | undefined
}

export function createConflicts(random: Random): Conflicts {
  let open: readonly Conflict[] = []
  return {
    get open() {
      return open
    },
    hear(losers) {
      const heard = losers.map((loser) => ({ ...loser, at: msFromStamp(loser.at), id: createId(random, 8) }))
      open = [...open, ...heard]
      return heard
    },
    close(id) {
      const closed = open.find((conflict) => conflict.id === id)
      open = open.filter((conflict) => conflict !== closed)
      return closed
    },
  }
}

/** Puts the value back in its place. */
export function restoreOperation({ path, value }: Conflict): Operation {
  return value === undefined ? { op: 'remove', path } : { op: 'add', path, value: value as Json }
}
