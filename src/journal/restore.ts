/**
 * Reads a session back: the newest checkpoint that verifies, then every later entry that verifies.
 *
 * Invariants
 * - Never throws over what it finds and never resets: what is unreadable is reported for quarantine, its bytes stay,
 *   and everything readable around it is used. Damage to one entry costs that entry's changes, nothing else.
 * - An entry written by a newer version ends the reading there: `isOutdated`, nothing may be appended after it. Its
 *   drafts say the same; its checkpoints are passed over.
 */

import {
  type ChainHead,
  type ChainHeads,
  type Entry,
  entryId,
  noChain,
  unpackEntry,
} from '../record/entry.ts'
import { applyChange, type SessionState } from '../record/state.ts'
import type { Key, Store } from '../store/store.ts'
import { type Manifest, readManifest, stateFromManifest } from './checkpoint.ts'
import { withoutAdopted, withoutLater } from './draft-losers.ts'
import { type Draft, fromJournalRow, isNewerRow, type JournalRow, ofSession, readDraftRow } from './rows.ts'
import { latestStamp, stampedChanges } from './stamps.ts'

export interface Damage {
  readonly place: string
  readonly reason: string
  readonly row: unknown
}

export interface Restored {
  /** `undefined` where nothing is stored. */
  readonly state: SessionState | undefined
  readonly position: number
  readonly heads: ChainHeads
  /** Largest hybrid stamp seen. */
  readonly at: number
  readonly drafts: readonly Draft[]
  readonly damage: readonly Damage[]
  readonly isOutdated: boolean
  /** Verified checkpoints, newest first. */
  readonly manifests: readonly Manifest[]
  /** Entries read past the checkpoint. */
  readonly tail: number
}

/** `initial` is what a journal whose first entry is unreadable folds over. */
export async function restoreSession(
  store: Store,
  session: string,
  initial: SessionState,
): Promise<Restored> {
  const checkpoints = ofSession('checkpoints', session)
  const [manifestRows = [], manifestKeys = [], parts = []] = await store.read([
    checkpoints,
    { ...checkpoints, isKeys: true },
    ofSession('parts', session),
  ])
  const damage: Damage[] = []
  const manifests: Manifest[] = []
  let from: { manifest: Manifest; state: SessionState } | undefined
  for (const [i, row] of [...manifestRows.entries()].reverse()) {
    if (isNewerRow(row)) continue
    const manifest = readManifest(row)
    const state = manifest && (from?.state ?? stateFromManifest(manifest, parts))
    // A part another tab has cleared away makes a checkpoint useless, not damaged.
    if (state === 'incomplete') continue
    if (manifest === undefined || state === undefined) {
      const place = `checkpoint/${(manifestKeys as Key[])[i]?.[1]}`
      damage.push({ place, reason: 'does not verify', row })
      continue
    }
    manifests.push(manifest)
    from ??= { manifest, state }
  }
  const tail = await readTail(store, session, (from?.manifest.position ?? -1) + 1)
  const { damage: broken, state, heads } = foldTail(from?.state ?? initial, from?.manifest.heads ?? {}, tail)
  const isStored = from !== undefined || tail.entries.length > 0
  return {
    state: isStored ? state : undefined,
    heads,
    position: tail.position ?? from?.manifest.position ?? -1,
    at: tail.entries.reduce((at, entry) => Math.max(at, entry.at), from?.manifest.at ?? 0),
    drafts: tail.drafts,
    damage: [...damage, ...tail.damage, ...broken],
    isOutdated: tail.isOutdated,
    manifests,
    tail: tail.entries.length,
  }
}

/** An entry with the position it lies at. */
export type PlacedEntry = Entry & { readonly position: number }

export interface Tail {
  readonly entries: readonly PlacedEntry[]
  /** Position of the last row read, damaged or not; `undefined` where there was none. */
  readonly position: number | undefined
  readonly damage: readonly Damage[]
  readonly isOutdated: boolean
  /** Drafts without what later entries superseded, oldest first. */
  readonly drafts: readonly Draft[]
}

/** Reads and verifies every entry from a position on, and the drafts beside them. */
export async function readTail(store: Store, session: string, from: number): Promise<Tail> {
  const journal = { store: 'journal' as const, prefix: [session], from }
  const drafts = ofSession('drafts', session)
  const [rows = [], keys = [], draftRows = [], draftKeys = []] = await store.read([
    journal,
    { ...journal, isKeys: true },
    drafts,
    { ...drafts, isKeys: true },
  ])
  const damage: Damage[] = []
  const { entries, position, isOutdated } = await readEntries({ store, session, from, rows, keys, damage })
  const found = readDrafts(draftRows, draftKeys as Key[], damage)
  return {
    entries,
    position,
    damage,
    isOutdated: isOutdated || draftRows.some(isNewerRow),
    drafts: await withoutSuperseded(store, session, found, from, entries),
  }
}

/** Entries by the keys they lie under: what a row says of itself is not believed. */
async function readEntries(tail: {
  readonly store: Store
  readonly session: string
  readonly from: number
  readonly rows: readonly unknown[]
  readonly keys: readonly unknown[]
  readonly damage: Damage[]
}): Promise<{ entries: PlacedEntry[]; position: number | undefined; isOutdated: boolean }> {
  const { store, session, from, rows, keys, damage } = tail
  const entries: PlacedEntry[] = []
  let position: number | undefined
  for (const [i, row] of rows.entries()) {
    const place = (keys[i] as Key)[1] as number
    const expected = (position ?? from - 1) + 1
    if (place !== expected) {
      damage.push({ place: `entry/${expected}`, reason: `missing before position ${place}`, row: null })
    }
    const isChunked = (row as Partial<JournalRow> | null)?.k !== undefined
    const chunks = isChunked ? await readChunks(store, session, place) : []
    const outcome = unpackEntry(fromJournalRow(row as JournalRow, chunks))
    if (outcome.type === 'newer') return { entries, position, isOutdated: true }
    position = place
    if (outcome.type === 'damaged') damage.push({ place: `entry/${place}`, reason: outcome.reason, row })
    else if (outcome.entry.session !== session) {
      damage.push({ place: `entry/${place}`, reason: 'of another session', row })
    } else entries.push({ ...outcome.entry, position: place })
  }
  return { entries, position, isOutdated: false }
}

/**
 * A draft may outlive its writer: what entries made after it changed later is no longer what the person wants there.
 */
async function withoutSuperseded(
  store: Store,
  session: string,
  drafts: readonly Draft[],
  from: number,
  entries: readonly PlacedEntry[],
): Promise<readonly Draft[]> {
  const oldest = Math.min(from - 1, ...drafts.map((draft) => draft.base))
  let known = entries
  if (oldest < from - 1) {
    const range = { store: 'journal' as const, prefix: [session], from: oldest + 1, to: from - 1 }
    const [rows = [], keys = []] = await store.read([range, { ...range, isKeys: true }])
    const before = await readEntries({ store, session, from: oldest + 1, rows, keys, damage: [] })
    known = [...before.entries, ...entries]
  }
  return drafts.map((draft) => {
    const unread = known.filter((entry) => entry.position > draft.base)
    return withoutLater(withoutAdopted(draft, unread), latestStamp(stampedChanges(unread)))
  })
}

async function readChunks(store: Store, session: string, position: number): Promise<readonly unknown[]> {
  const [chunks = []] = await store.read([{ store: 'chunks', prefix: [session, position] }])
  return chunks
}

function readDrafts(rows: readonly unknown[], keys: readonly Key[], damage: Damage[]): Draft[] {
  const drafts: Draft[] = []
  for (const [i, row] of rows.entries()) {
    const draft = readDraftRow(keys[i]!, row)
    if (draft) drafts.push(draft)
    else if (!isNewerRow(row)) damage.push({ place: `draft/${keys[i]?.[1]}`, reason: 'does not verify', row })
  }
  return drafts.sort((a, b) => a.at - b.at)
}

/** Folds entries over a state and its chain heads. An entry whose chain link does not fit is folded and reported. */
export function foldTail(
  state: SessionState,
  heads: ChainHeads,
  tail: { readonly entries: readonly Entry[] },
): { state: SessionState; heads: ChainHeads; damage: Damage[] } {
  let folded = state
  const damage: Damage[] = []
  const nextHeads: Record<string, ChainHead> = { ...heads }
  for (const entry of tail.entries) {
    const before = nextHeads[entry.writer] ?? noChain
    if (entry.prev !== before.hash || entry.n !== before.n + 1) {
      damage.push({ place: `entry/${entryId(entry)}`, reason: 'chain link does not match', row: null })
    }
    nextHeads[entry.writer] = { n: entry.n, hash: entry.hash }
    for (const change of entry.changes ?? []) folded = applyChange(folded, change)
  }
  return { state: folded, heads: nextHeads, damage }
}
