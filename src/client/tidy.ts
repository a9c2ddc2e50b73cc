/**
 * Makes room on the device: removes sessions that are over, and tells what it did. Not in the first load.
 *
 * Invariants
 * - Nothing goes that is running, open in this page, or has conflicts nobody decided, nor what the server has not
 *   received, unless it is named: without a backend nothing counts as received.
 * - Oldest first, and no more than a budget asks for.
 */
import type { Clock } from '../base/clock.ts'
import { restoreSession } from '../journal/restore.ts'
import type { Head } from '../record/head.ts'
import { initialState, isEnded } from '../record/state.ts'
import { type Store, storeNames } from '../store/store.ts'
import { findUnsent } from '../sync/find-unsent.ts'

export interface TidyOptions {
  /** Keeps what was saved more recently, in milliseconds. Default: thirty days. */
  readonly olderThanMs?: number
  /** Removes only as much as brings the whole below this length. Default: everything that may go. */
  readonly maxLength?: number
  /** Sessions that may go although the server has not received all of them. */
  readonly withUnsent?: readonly string[]
}

export interface TidyReport {
  readonly removed: readonly (Pick<Head, 'id' | 'key' | 'flow' | 'status'> & { readonly length: number })[]
  readonly kept: readonly {
    readonly id: string
    readonly reason: 'running' | 'open' | 'recent' | 'unsent' | 'undecided' | 'within-budget'
  }[]
  /** What all sessions of the account take, in characters and bytes of their rows, before and after. */
  readonly lengthBefore: number
  readonly lengthAfter: number
}

const thirtyDaysMs = 2_592_000_000

export async function tidy(
  of: {
    readonly store: Store
    readonly account: string
    readonly clock: Clock
    readonly hasBackend: boolean
    readonly heads: readonly Head[]
    readonly isOpen: (id: string) => boolean
    readonly remove: (id: string) => Promise<void>
  },
  options: TidyOptions,
): Promise<TidyReport> {
  const { store, account, clock, hasBackend, heads, isOpen, remove } = of
  const { olderThanMs = thirtyDaysMs, maxLength, withUnsent = [] } = options
  const unsent = new Set((await findUnsent(store, account)).map(({ session }) => session))
  const removed: TidyReport['removed'][number][] = []
  const kept: TidyReport['kept'][number][] = []
  const oldestFirst = [...heads].sort((a, b) => a.savedAt - b.savedAt)
  const lengths = new Map<string, number>()
  for (const { id } of oldestFirst) lengths.set(id, await lengthOf(store, id))
  const lengthBefore = [...lengths.values()].reduce((sum, length) => sum + length, 0)
  let lengthAfter = lengthBefore

  async function reasonToKeep({ id, status, savedAt }: Head) {
    if (!isEnded(status)) return 'running'
    if (isOpen(id)) return 'open'
    if (clock.now() - savedAt < olderThanMs) return 'recent'
    if ((!hasBackend || unsent.has(id)) && !withUnsent.includes(id)) return 'unsent'
    if (maxLength !== undefined && lengthAfter <= maxLength) return 'within-budget'
    const { state } = await restoreSession(store, id, initialState({ id: '', version: 0, hash: '' }, ''))
    return Object.keys(state?.conflicts ?? {}).length > 0 ? 'undecided' : undefined
  }

  for (const head of oldestFirst) {
    const { id, key, flow, status } = head
    const reason = await reasonToKeep(head)
    if (reason !== undefined) {
      kept.push({ id, reason })
      continue
    }
    await remove(id)
    const length = lengths.get(id) ?? 0
    lengthAfter -= length
    removed.push({ id, key, flow, status, length })
  }
  return { removed, kept, lengthBefore, lengthAfter }
}

async function lengthOf(store: Store, id: string): Promise<number> {
  const ranges = storeNames
    .filter((name) => name !== 'heads' && name !== 'keys')
    .map((name) => ({ store: name, prefix: [id] }))
  const rows = await store.read(ranges)
  return rows.flat().reduce<number>((sum, row) => sum + JSON.stringify(row).length, 0)
}
