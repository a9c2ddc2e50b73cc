/**
 * What the server acknowledged of a session, kept beside its journal: the rev, how far the journal is acknowledged, the
 * entries it holds, and its state at that rev: the base of the next merge.
 *
 * Invariants
 * - Written only on the server's word, whole or not at all.
 * - Losing a row, or reading an older one, costs a round trip, never an answer: the server knows what it holds.
 * - What does not verify is written anew with the next base, or it would never verify again.
 */

import { createCheckpointWriter, readManifest, stateFromManifest } from '../journal/checkpoint.ts'
import type { ChainHeads } from '../record/entry.ts'
import type { SessionState } from '../record/state.ts'
import type { Key, Range, Row, Store } from '../store/store.ts'

export interface SyncBase {
  /** `null` where the server has acknowledged nothing yet. */
  readonly rev: string | null
  /** Every entry up to here is the server's, -1 for none. */
  readonly position: number
  /** `undefined` where nothing is acknowledged or the stored base does not verify. */
  readonly state: SessionState | undefined
  /** The last entry per writer that the server said it holds. */
  readonly heads: ChainHeads
}

export const noBase: SyncBase = Object.freeze({ rev: null, position: -1, state: undefined, heads: {} })

interface SyncRow {
  readonly v: 1
  readonly session: string
  readonly account: string
  readonly rev: string
  readonly i: number
  readonly c: string
  readonly h: string
}

/** Reads and writes the bases of one account's sessions. */
export interface BaseRows {
  read(session: string): Promise<SyncBase>
  /** The rows that store a new base, for a write of the caller's; parts that verified at the last `read` are left out. */
  rows(session: string, base: AcknowledgedBase): readonly Row[]
  /** `remove` goes in the same transaction. */
  write(session: string, base: AcknowledgedBase, remove?: readonly Range[]): Promise<void>
  forget(session: string): Promise<void>
}

export interface AcknowledgedBase {
  readonly rev: string
  readonly position: number
  readonly state: SessionState
  readonly heads: ChainHeads
}

export function createBaseRows(store: Pick<Store, 'read' | 'write'>, account: string): BaseRows {
  const writer = createCheckpointWriter()
  /** Parts that verified when they were last read. */
  const soundBySession = new Map<string, ReadonlySet<string>>()

  function toRows(session: string, base: AcknowledgedBase, isThere = (_hash: string) => true) {
    const sound = soundBySession.get(session)
    const { row, parts } = writer.take(base.state, base.position, base.heads, 0)
    const value: SyncRow = { ...row, session, account, rev: base.rev, i: base.position }
    const put = parts
      .filter((part) => !(sound?.has(part.k) && isThere(part.k)))
      .map((part): Row => ({ store: 'sync', key: [session, 'part', part.k], value: part }))
    return {
      put: [...put, { store: 'sync', key: [session, 'row'], value } satisfies Row],
      live: new Set(parts.map((part) => part.k)),
    }
  }

  return {
    async read(session) {
      const [rows = [], parts = []] = await store.read([
        { store: 'sync', prefix: [session, 'row'] },
        { store: 'sync', prefix: [session, 'part'] },
      ])
      soundBySession.delete(session)
      const row = rows[0] as Partial<SyncRow> | undefined
      const isOurs = row?.v === 1 && row.account === account
      if (!isOurs || typeof row.rev !== 'string' || typeof row.i !== 'number') return noBase
      const manifest = readManifest(row)
      const state = manifest && stateFromManifest(manifest, parts)
      // Without a base that verifies nothing can be merged: ask for everything, send everything.
      if (manifest === undefined || state === undefined || state === 'incomplete') return noBase
      soundBySession.set(session, new Set(Object.values(manifest.steps).flat()))
      return { rev: row.rev, position: row.i, state, heads: manifest.heads }
    },
    rows: (session, base) => toRows(session, base).put,
    async write(session, base, remove = []) {
      const [keys = []] = await store.read([{ store: 'sync', prefix: [session, 'part'], isKeys: true }])
      const stored = new Set((keys as Key[]).map((key) => key[2] as string))
      const { put, live } = toRows(session, base, (hash) => stored.has(hash))
      const unused = [...stored].filter((hash) => !live.has(hash))
      const parts = unused.map((hash): Range => ({ store: 'sync', prefix: [session, 'part', hash] }))
      await store.write({ durability: 'relaxed', put, remove: [...parts, ...remove] })
    },
    async forget(session) {
      await store.write({ durability: 'relaxed', remove: [{ store: 'sync', prefix: [session] }] })
    },
  }
}
