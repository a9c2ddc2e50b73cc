import { entryId } from '../record/entry.ts'
import type { StepId } from '../record/state.ts'
import {
  currentRev,
  type HeldEntry,
  type HeldForPush,
  type HeldSession,
  type HeldStep,
  type PushNeeds,
  type PushWrite,
  type SessionKey,
} from './held.ts'
import { countSince, type HeldSnapshot } from './snapshot.ts'

/** Sessions in memory, per account: what a server's tables would hold, loaded and written in one step each. */
export interface MemorySessions {
  load(key: SessionKey, needs: PushNeeds): HeldForPush | undefined
  /** False, and nothing is written, where the current rev is not `expected`; `null` expects no session. */
  write(key: SessionKey, expected: string | null, write: PushWrite): boolean
  read(key: SessionKey, since: string | null): HeldSnapshot | undefined
  /** Deletes it for good. */
  erase(key: SessionKey): void
  isErased(key: SessionKey): boolean
  /** Session ids of one account, in order. */
  list(account: string): readonly string[]
}

interface Row extends HeldSession {
  readonly entryById: Map<string, HeldEntry & { readonly rev: string }>
  readonly stepById: Map<StepId, HeldStep>
}

export function createMemorySessions(): MemorySessions {
  const rowsByAccount = new Map<string, Map<string, Row>>()
  const erased = new Set<string>()
  const nameOf = ({ account, session }: SessionKey) => JSON.stringify([account, session])
  const rowOf = ({ account, session }: SessionKey) => rowsByAccount.get(account)?.get(session)

  return {
    load(key, needs) {
      const row = rowOf(key)
      if (row === undefined) return undefined
      const ids = needs.entries.map(entryId).filter((id) => row.entryById.has(id))
      const steps = needs.steps.filter((step) => row.stepById.has(step))
      return {
        ...headOf(row),
        entries: new Map(ids.map((id) => [id, row.entryById.get(id)!])),
        stamps: new Map(steps.map((step) => [step, row.stepById.get(step)!])),
      }
    },
    write(key, expected, write) {
      const row = rowOf(key)
      if (erased.has(nameOf(key))) return false
      if ((row === undefined ? null : currentRev(row)) !== expected) return false
      const entryById = row?.entryById ?? new Map()
      const stepById = row?.stepById ?? new Map()
      for (const entry of write.entries) entryById.set(entryId(entry), { ...entry, rev: write.rev })
      for (const step of write.steps) stepById.set(step.step, step)
      const rows = rowsByAccount.get(key.account) ?? new Map<string, Row>()
      rowsByAccount.set(key.account, rows.set(key.session, { ...headOf(write), entryById, stepById }))
      return true
    },
    read(key, since) {
      const row = rowOf(key)
      if (row === undefined) return undefined
      const count = countSince(row, since)
      const steps = [...row.stepById.values()].filter((step) => step.count > count)
      return { ...headOf(row), isWhole: count < 0, steps }
    },
    erase(key) {
      rowsByAccount.get(key.account)?.delete(key.session)
      erased.add(nameOf(key))
    },
    isErased: (key) => erased.has(nameOf(key)),
    list: (account) => [...(rowsByAccount.get(account)?.keys() ?? [])].sort(),
  }
}

function headOf({ revs, meta, heads, at }: HeldSession): HeldSession {
  return { revs, meta, heads, at }
}
