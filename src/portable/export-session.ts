/**
 * A session made portable: its entries as they lie in the journal, and what it is where that is more than they tell.
 *
 * Invariants
 * - Everything shown of the session is in what comes out, typing that could not be stored too.
 * - Where sensitive answers are left out, they are left out everywhere: an entry that touches a step with any travels
 *   without its payload, which leaves its chain whole.
 */
import { WaymarkError } from '../base/errors.ts'
import { type Json, type JsonObject, toJson } from '../base/json.ts'
import { isEqual, parsePointer } from '../base/patch.ts'
import { restoreSession } from '../journal/restore.ts'
import { fromJournalRow, type JournalRow, ofSession, type QuarantineRow } from '../journal/rows.ts'
import { type Entry, type EntryRecord, unpackEntry } from '../record/entry.ts'
import { isLoser } from '../record/guard.ts'
import type { Head } from '../record/head.ts'
import {
  applyChange,
  type Change,
  type SessionState,
  type StepAnswers,
  type StepId,
} from '../record/state.ts'
import type { Key, Store } from '../store/store.ts'
import type { PortableSession } from './portable-file.ts'

export interface ExportSource {
  readonly head: Head
  /** What the session starts from. */
  readonly initial: SessionState
  /** What is shown of it, where it is open: some of it may not be stored. */
  readonly shown: { readonly state: SessionState; readonly at: number } | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  /** Names of the fields that are left out, by step. */
  readonly leftOut: ReadonlyMap<StepId, readonly string[]>
}

/** Rejects with `outdated` where newer code wrote to the session: this one could not vouch for it. */
export async function exportSession(store: Store, source: ExportSource): Promise<PortableSession> {
  const { head, initial, leftOut } = source
  const { id } = head
  const restored = await restoreSession(store, id, initial)
  if (restored.isOutdated) {
    throw new WaymarkError(
      'outdated',
      `A newer version of this page wrote to session "${id}". Reload the page and export it again.`,
      { details: { session: id } },
    )
  }
  const { entries, quarantine } = await readRows(store, id, restored.position, source.now)
  const stored = restored.drafts
    .flatMap(({ changes }) => changes)
    .reduce(applyChange, restored.state ?? initial)
  const state = source.shown?.state ?? stored
  const at = [restored, ...restored.drafts, ...(source.shown === undefined ? [] : [source.shown])]
    .map((one) => one.at)
    .reduce((latest, one) => Math.max(latest, one), 0)
  const told = entries.flatMap(({ entry }) => entry.changes ?? []).reduce(applyChange, initial)
  const isPartial =
    [...leftOut].some(([step, fields]) => holdsAny(state.answers[step], fields)) ||
    entries.some(({ entry }) => touches(entry, leftOut))
  const isTold = !isPartial && isEqual(told as unknown as Json, state as unknown as Json)
  return {
    id,
    head,
    entries: entries.map(({ entry, record: { c, p, s } }) => ({
      c,
      ...(p === undefined || s === undefined || touches(entry, leftOut) ? {} : { p, s }),
    })),
    ...(isTold ? {} : { state: withoutFields(state, leftOut) }),
    at,
    ...(isPartial ? { isPartial } : {}),
    // Nobody can say what is in something unreadable.
    quarantine: isPartial || leftOut.size > 0 ? [] : quarantine,
  }
}

interface Verified {
  readonly entry: Entry
  readonly record: EntryRecord
}

/** The entries that verify, up to a position; and what does not, or was set aside: as much of it as is plain JSON. */
async function readRows(
  store: Store,
  session: string,
  to: number,
  now: number,
): Promise<{ entries: readonly Verified[]; quarantine: readonly Json[] }> {
  const journal = { store: 'journal', prefix: [session], from: 0, to } as const
  const chunked = { store: 'chunks', prefix: [session], from: 0, to } as const
  const [rows = [], keys = [], chunks = [], chunkKeys = [], aside = []] = await store.read([
    journal,
    { ...journal, isKeys: true },
    chunked,
    { ...chunked, isKeys: true },
    ofSession('quarantine', session),
  ])
  const chunksByPosition = new Map<unknown, unknown[]>()
  for (const [i, chunk] of chunks.entries()) {
    const position = (chunkKeys[i] as Key)[1]
    chunksByPosition.set(position, [...(chunksByPosition.get(position) ?? []), chunk])
  }
  const entries: Verified[] = []
  const damaged = new Map<string, QuarantineRow>()
  for (const [i, row] of rows.entries()) {
    const position = (keys[i] as Key)[1]
    const record = fromJournalRow(row as JournalRow, chunksByPosition.get(position) ?? [])
    const outcome = unpackEntry(record)
    if (outcome.type === 'entry' && outcome.entry.session === session) {
      entries.push({ entry: outcome.entry, record })
      continue
    }
    const reason = outcome.type === 'damaged' ? outcome.reason : 'of another session'
    damaged.set(`entry/${position}`, {
      v: 1,
      session,
      place: `entry/${position}`,
      reason,
      at: now,
      row: record,
    })
  }
  // What nobody has read since it was damaged is not set aside yet.
  for (const row of aside as readonly Partial<QuarantineRow>[]) damaged.delete(row?.place ?? '')
  return { entries, quarantine: [...aside, ...damaged.values()].flatMap(plainOf) }
}

function plainOf(value: unknown): Json[] {
  try {
    return [toJson(value)]
  } catch {
    return [] // a record no version of this library wrote; it stays where it is
  }
}

/** True where an entry may hold a field that is left out: some of a step that has one, or of a conflict. */
function touches({ changes = [] }: Entry, leftOut: ExportSource['leftOut']): boolean {
  return leftOut.size > 0 && changes.some((change) => isTouching(change, leftOut))
}

function isTouching(change: Change, leftOut: ExportSource['leftOut']): boolean {
  if (change.type === 'set') return leftOut.has(change.step)
  if (change.type !== 'merged') return false
  const isPatched = change.patch.some(({ path }) => {
    const [field, name = ''] = parsePointer(path)
    return field === 'conflicts' || (field === 'answers' && leftOut.has(name))
  })
  return isPatched || change.losers.some(({ step }) => leftOut.has(step))
}

/** The state without these fields; a step that held any is not finished without them. */
function withoutFields(state: SessionState, leftOut: ExportSource['leftOut']): SessionState {
  const answers: Record<StepId, StepAnswers | undefined> = { ...state.answers }
  const finished: Record<StepId, 'valid' | 'skipped'> = { ...state.finished }
  for (const [step, fields] of leftOut) {
    const held = answers[step]
    if (held === undefined || !holdsAny(held, fields)) continue
    delete finished[step]
    answers[step] = Array.isArray(held)
      ? (held.map((item) => without(item, fields)) as unknown as StepAnswers)
      : without(held as JsonObject, fields)
  }
  const { conflicts, ...rest } = state
  const kept = Object.entries(conflicts ?? {}).filter(([, one]) => isLoser(one) && !leftOut.has(one.step))
  return {
    ...rest,
    answers,
    finished,
    ...(kept.length === 0 ? {} : { conflicts: Object.fromEntries(kept) }),
  }
}

function holdsAny(answers: StepAnswers | undefined, fields: readonly string[]): boolean {
  const holders = (Array.isArray(answers) ? answers : [answers ?? {}]) as readonly object[]
  return holders.some((holder) => fields.some((field) => Object.hasOwn(holder, field)))
}

function without(holder: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(holder).filter(([name]) => !fields.includes(name)))
}
