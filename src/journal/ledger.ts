/**
 * The journal read as an audit trail: every entry in order, verified, and the state after any of them. Read-only, and
 * not in the first load.
 */
import { msFromStamp } from '../base/clock.ts'
import { entryId } from '../record/entry.ts'
import { applyChange, type Change, type SessionState } from '../record/state.ts'
import type { Store } from '../store/store.ts'
import { readManifest } from './checkpoint.ts'
import { type Damage, foldTail, readTail } from './restore.ts'
import { ofSession } from './rows.ts'

export interface LedgerEntry {
  /** Its key in this database's journal. */
  readonly position: number
  /** `writer:n`, the same in every database. */
  readonly id: string
  /** Milliseconds since 1970, by the hybrid clock. */
  readonly at: number
  readonly hash: string
  /** Absent where the payload was erased. */
  readonly changes?: readonly Change[]
}

export interface LedgerCheckpoint {
  readonly position: number
  /** The step the session was on from then on. */
  readonly step: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Of the entry that led to it: by its chain it covers everything before. */
  readonly hash: string
}

export interface Ledger {
  readonly entries: readonly LedgerEntry[]
  /** The entries the flow takes for checkpoints, oldest first. */
  readonly checkpoints: readonly LedgerCheckpoint[]
  /** What does not verify, or is missing. */
  readonly damage: readonly Damage[]
  /** The state after the entry at `position`; before the first, the empty state. */
  stateAt(position: number): SessionState
}

/** Reads all of a session's journal: O(entries). */
export async function readLedger(of: {
  readonly store: Store
  readonly session: string
  readonly initial: SessionState
  readonly isCheckpoint: (changes: readonly Change[]) => boolean
}): Promise<Ledger> {
  const { store, session, initial, isCheckpoint } = of
  const [tail, [manifestRows = []]] = await Promise.all([
    readTail(store, session, 0),
    store.read([ofSession('checkpoints', session)]),
  ])
  const { damage } = foldTail(initial, {}, tail)
  // A stored checkpoint past the last entry remembers what was cut off.
  const last = tail.position ?? -1
  const cutOff = manifestRows
    .flatMap((row) => readManifest(row)?.position ?? [])
    .filter((position) => position > last)
    .map((position): Damage => ({ place: `entry/${position}`, reason: 'missing at the end', row: null }))
  const checkpoints: LedgerCheckpoint[] = []
  let state = initial
  for (const { position, at, hash, changes = [] } of tail.entries) {
    state = changes.reduce(applyChange, state)
    if (isCheckpoint(changes)) checkpoints.push({ position, step: state.step, at: msFromStamp(at), hash })
  }
  return {
    entries: tail.entries.map((entry) => ({
      position: entry.position,
      id: entryId(entry),
      at: msFromStamp(entry.at),
      hash: entry.hash,
      ...(entry.changes === undefined ? {} : { changes: entry.changes }),
    })),
    checkpoints,
    damage: [...tail.damage, ...damage, ...cutOff],
    stateAt: (position) =>
      tail.entries
        .filter((entry) => entry.position <= position)
        .flatMap((entry) => entry.changes ?? [])
        .reduce(applyChange, initial),
  }
}
