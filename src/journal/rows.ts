import { checksum } from '../base/checksum.ts'
import type { Operation } from '../base/patch.ts'
import type { EntryRecord } from '../record/entry.ts'
import { readChanges } from '../record/guard.ts'
import type { Change, Loser } from '../record/state.ts'
import type { Key, Range, Row } from '../store/store.ts'
import { type SetChange, type TypedAt, toChangesText } from './draft.ts'

/** Longest text in one record, in UTF-16 code units: at two bytes each, under the 60 KB above which Chromium moves a value to a file. */
export const longestText = 28_000

/** An entry under `[session, position]`. A payload beyond {@link longestText} lies in `k` chunk rows. */
export interface JournalRow extends EntryRecord {
  readonly k?: number
}

/** Typing that is not an entry yet: the set changes that will become entry `n` of writer `w`. */
export interface DraftRow {
  readonly v: 1
  readonly w: string
  readonly n: number
  readonly at: number
  /** Position of the last entry its writer had read. */
  readonly b: number
  /** When each operation of the changes was typed, in their order. */
  readonly t: readonly number[]
  /** Changes as JSON text, and the checksum of all of this. */
  readonly c: string
  readonly s: string
}

export interface Draft {
  /** Where it lies. */
  readonly key: Key
  readonly writer: string
  readonly n: number
  readonly at: number
  /** Position of the last entry its writer had read. */
  readonly base: number
  readonly changes: readonly Change[]
  readonly typedAt: TypedAt
  /** What entries made later changed again: kept as losers when the draft is adopted. */
  readonly superseded: readonly Loser[]
  /** Places where entries its writer had not read changed what it changed later. */
  readonly overwrites: readonly Loser[]
}

/** Something unreadable, with what it was and why: reported and exportable, never deleted by the library. */
export interface QuarantineRow {
  readonly v: 1
  readonly session: string
  readonly place: string
  readonly reason: string
  readonly at: number
  readonly row: unknown
}

export const ofSession = (store: Range['store'], session: string): Range => ({ store, prefix: [session] })

/** The rows of one entry: its chunks first, so that the comparing `add` stays last. */
export function toJournalRows(
  session: string,
  position: number,
  record: EntryRecord,
): { chunks: readonly Row[]; add: Row } {
  const key = [session, position]
  const payload = record.p ?? ''
  if (payload.length <= longestText) return { chunks: [], add: { store: 'journal', key, value: record } }
  const texts = splitText(payload)
  return {
    chunks: texts.map((value, i) => ({ store: 'chunks', key: [session, position, i], value })),
    add: { store: 'journal', key, value: { ...record, p: '', k: texts.length } },
  }
}

/** A stored entry made whole again. */
export function fromJournalRow(row: JournalRow, chunks: readonly unknown[]): EntryRecord {
  if (typeof row !== 'object' || row === null) return row
  const { k, ...record } = row
  return k === undefined ? record : { ...record, p: chunks.join('') }
}

/** Cuts text into pieces of at most {@link longestText}. */
export function splitText(text: string): string[] {
  const pieces: string[] = []
  for (let i = 0; i < text.length; i += longestText) pieces.push(text.slice(i, i + longestText))
  return pieces.length === 0 ? [''] : pieces
}

export function toDraftRow(
  draft: Pick<Draft, 'writer' | 'n' | 'at' | 'base' | 'typedAt'>,
  changes: readonly SetChange[],
): DraftRow {
  const t = changes.flatMap(({ patch }) => patch.map(draft.typedAt))
  const row = { w: draft.writer, n: draft.n, at: draft.at, b: draft.base, t, c: toChangesText(changes) }
  return { v: 1, ...row, s: draftSum(row) }
}

/** Tells a row in a later format than this version's, whatever store it lies in. */
export function isNewerRow(value: unknown): boolean {
  const version = (value as { v?: unknown } | null | undefined)?.v
  return typeof version === 'number' && version > 1
}

/** A draft from storage, with the key it lies under; `undefined` where it is damaged or newer than this version. */
export function readDraftRow(key: Key, value: unknown): Draft | undefined {
  const row = value as Partial<DraftRow> | null
  if (typeof row !== 'object' || row === null || row.v !== 1) return undefined
  if (typeof row.c !== 'string' || typeof row.w !== 'string' || typeof row.n !== 'number') return undefined
  if (typeof row.at !== 'number' || typeof row.b !== 'number' || !Array.isArray(row.t)) return undefined
  const { w, n, at, b, t, c } = row
  if (draftSum({ w, n, at, b, t, c }) !== row.s) return undefined
  const changes = readChanges(c)
  if (changes === undefined || changes === 'newer') return undefined
  const operations = changes.flatMap((change) => (change.type === 'set' ? change.patch : []))
  const stamps = new Map(operations.map((operation, i) => [operation, t[i] ?? at]))
  const typedAt = (operation: Operation) => stamps.get(operation) ?? at
  return { key, writer: w, n, at, base: b, changes, typedAt, superseded: [], overwrites: [] }
}

function draftSum({ w, n, at, b, t, c }: Omit<DraftRow, 'v' | 's'>): string {
  return checksum(`${w} ${n} ${at} ${b} ${t} ${c}`)
}
