/**
 * What the server acknowledged of a session, kept beside its journal: the rev, how far the journal is acknowledged, and
 * the server's state at that rev: the base of the next merge.
 *
 * Invariants
 * - Written only on the server's word, whole or not at all.
 * - Losing a row, or reading an older one, costs a round trip, never an answer: the server knows what it holds.
 */

import {
  type CheckpointWriter,
  createCheckpointWriter,
  type PartRow,
  readManifest,
  stateFromManifest,
} from '../journal/checkpoint.ts'
import type { SessionState } from '../record/state.ts'
import type { Range, Row, Store } from '../store/store.ts'

export interface SyncBase {
  /** `null` where the server has acknowledged nothing yet. */
  readonly rev: string | null
  /** Every entry up to here is the server's, -1 for none. */
  readonly position: number
  /** `undefined` where nothing is acknowledged or the stored base does not verify. */
  readonly state: SessionState | undefined
}

export const noBase: SyncBase = Object.freeze({ rev: null, position: -1, state: undefined })

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
  /** The rows that store a new base; hand them to a write, then call `stored`. */
  rows(session: string, base: { rev: string; position: number; state: SessionState }): readonly Row[]
  write(session: string, base: { rev: string; position: number; state: SessionState }): Promise<void>
  forget(session: string): Promise<void>
}

export function createBaseRows(store: Store, account: string): BaseRows {
  const writerBySession = new Map<string, CheckpointWriter>()
  const hashesBySession = new Map<string, ReadonlySet<string>>()
  const writerOf = (session: string) => {
    const writer = writerBySession.get(session) ?? createCheckpointWriter()
    writerBySession.set(session, writer)
    return writer
  }
  const toRows: BaseRows['rows'] = (session, { rev, position, state }) => {
    const checkpoint = writerOf(session).take(state, position, {}, 0)
    const row: SyncRow = { ...checkpoint.row, session, account, rev, i: position }
    return [
      ...checkpoint.parts.map(
        (part): Row => ({ store: 'sync', key: [session, 'part', part.k], value: part }),
      ),
      { store: 'sync', key: [session, 'row'], value: row },
    ]
  }
  return {
    async read(session) {
      const [rows = [], parts = []] = await store.read([
        { store: 'sync', prefix: [session, 'row'] },
        { store: 'sync', prefix: [session, 'part'] },
      ])
      const row = rows[0] as Partial<SyncRow> | undefined
      if (
        row?.v !== 1 ||
        row.account !== account ||
        typeof row.rev !== 'string' ||
        typeof row.i !== 'number'
      ) {
        return noBase
      }
      const manifest = readManifest(row)
      const state = manifest && stateFromManifest(manifest, parts)
      // Without a base that verifies nothing can be merged: ask for everything, send everything.
      if (state === undefined) return noBase
      const hashes = (parts as PartRow[]).map((part) => part.k)
      hashesBySession.set(session, new Set(hashes))
      writerOf(session).stored(hashes)
      return { rev: row.rev, position: row.i, state }
    },
    rows: toRows,
    async write(session, base) {
      const put = toRows(session, base)
      const live = new Set(writerOf(session).take(base.state, base.position, {}, 0).hashes)
      const unused = [...(hashesBySession.get(session) ?? [])].filter((hash) => !live.has(hash))
      const remove = unused.map((hash): Range => ({ store: 'sync', prefix: [session, 'part', hash] }))
      await store.write({ durability: 'relaxed', put, remove })
      writerOf(session).stored(live)
      writerOf(session).forget(unused)
      hashesBySession.set(session, live)
    },
    async forget(session) {
      writerBySession.delete(session)
      await store.write({ durability: 'relaxed', remove: [{ store: 'sync', prefix: [session] }] })
    },
  }
}
