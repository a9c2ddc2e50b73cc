import { sha256 } from '../base/hash.ts'
import type { PushItem } from '../protocol/wire.ts'
import type { Change, Loser } from '../record/state.ts'
import { valuesIn } from './values.ts'
import type { Witness } from './witness.ts'

/** Everything a server ever took, entry by entry, whatever it did with it. */
export interface ServerLog {
  accept(item: PushItem, account: string): void
  /** Every value in an entry it took. */
  readonly values: ReadonlySet<number>
  readonly losers: readonly Loser[]
  /** Writers whose entries do not link up, or lack one, in words. */
  brokenChains(isGapLegal: boolean): readonly string[]
}

interface Link {
  readonly hash: string
  readonly prev: string
}

export function createServerLog(witness: Witness): ServerLog {
  const chains = new Map<string, Map<number, Link>>()
  const values = new Set<number>()
  const losers: Loser[] = []

  return {
    accept({ session, entries }, account) {
      for (const { c, p = '[]' } of entries) {
        const { writer, n, prev } = JSON.parse(c) as { writer: string; n: number; prev: string }
        const name = `${account} ${session} ${writer}`
        const chain = chains.get(name) ?? new Map<number, Link>()
        chains.set(name, chain)
        if (chain.has(n)) continue
        chain.set(n, { hash: sha256(c), prev })
        const lost = losersIn(p)
        losers.push(...lost)
        witness.accepted(p, lost)
        for (const value of valuesIn(p)) values.add(value)
      }
    },
    values,
    losers,
    brokenChains(isGapLegal) {
      return [...chains].flatMap(([name, chain]) =>
        [...chain].flatMap(([n, { prev }]) => {
          const before = n === 0 ? { hash: '' } : chain.get(n - 1)
          if (before === undefined) return isGapLegal ? [] : [`${name} has no entry ${n - 1}`]
          return before.hash === prev ? [] : [`${name}:${n} does not link to the entry before`]
        }),
      )
    },
  }
}

/** The losers recorded in an entry's payload. */
export function losersIn(payload: string): Loser[] {
  if (!payload.includes('"losers":[{')) return []
  return (JSON.parse(payload) as Change[]).flatMap((change) =>
    change.type === 'merged' ? change.losers : [],
  )
}
