/**
 * One session's side of an exchange: what to send, and what to do with the answer. The journal is the outbox: whatever
 * lies past the acknowledged position remains to be sent.
 *
 * Invariants
 * - What is sent is what is stored: drafts become entries first.
 * - The acknowledged position moves only to the last entry that was sent.
 * - A merge and the new base are one transaction, so a crash between them cannot apply theirs twice.
 */
import { canonicalJson } from '../base/canonical.ts'
import type { Json } from '../base/json.ts'
import { parsePointer } from '../base/patch.ts'
import { localSuffix } from '../journal/batch.ts'
import type { Journal } from '../journal/journal.ts'
import { fromJournalRow, type JournalRow } from '../journal/rows.ts'
import { latestStamp, stampedChanges } from '../journal/stamps.ts'
import type { PushItem, SyncItem, WireMeta, WireSnapshot } from '../protocol/wire.ts'
import { type Entry, type EntryRecord, unpackEntry } from '../record/entry.ts'
import { parseJson } from '../record/guard.ts'
import {
  type Answers,
  initialState,
  type SessionState,
  type StepAnswers,
  type StepId,
} from '../record/state.ts'
import type { Key, Store } from '../store/store.ts'
import { type BaseRows, noBase, type SyncBase } from './base-row.ts'

/** Entries in one push, at most; the rest follow in the next. */
export const entriesPerPush = 1_000

export interface Outgoing {
  readonly item: SyncItem
  readonly base: SyncBase
  /** Position of the last entry sent, and the state there. */
  readonly upTo: number
  readonly state: SessionState | undefined
  readonly entries: readonly Entry[]
  readonly hasMore: boolean
  /** Where the journal stood. */
  readonly position: number
}

/** What to say to the server about this session; `undefined` where the store is failing or there is nothing to say. */
export async function prepare(options: {
  readonly store: Store
  readonly journal: Journal
  readonly key: string
  readonly bases: BaseRows
  readonly isPullWanted: boolean
}): Promise<Outgoing | undefined> {
  const { store, journal, bases, key, isPullWanted } = options
  const { session } = journal
  await journal.catchUp()
  if (!(await journal.settled()) || journal.marks.isOutdated) return undefined
  const base = await bases.read(session)
  const upTo = journal.position
  const state = journal.storedState
  const unsent = await readUnsent(store, session, base.position + 1, upTo)
  const sent = unsent.slice(0, entriesPerPush)
  const last = sent.at(-1)
  const hasMore = unsent.length > sent.length
  const rest = {
    base,
    upTo: hasMore && last ? last.position : upTo,
    state,
    hasMore,
    position: upTo,
    entries: sent.map((one) => one.entry),
  }
  if (state === undefined || sent.length === 0) {
    return isPullWanted ? { item: { type: 'pull', session, since: base.rev }, ...rest } : undefined
  }
  const item: PushItem = {
    type: 'push',
    session,
    base: base.rev,
    entries: sent.map(({ record: { c, p, s } }) => ({
      c,
      ...(p === undefined ? {} : { p }),
      ...(s === undefined ? {} : { s }),
    })),
    changed: changedSteps(base, state, rest.entries),
    meta: toMeta(state, key),
  }
  return { item, ...rest }
}

interface Unsent {
  readonly position: number
  readonly record: EntryRecord
  readonly entry: Entry
}

async function readUnsent(store: Store, session: string, from: number, to: number): Promise<Unsent[]> {
  if (from > to) return []
  const journal = { store: 'journal' as const, prefix: [session], from, to }
  const chunked = { ...journal, store: 'chunks' as const }
  const [rows = [], keys = [], chunks = [], chunkKeys = []] = await store.read([
    journal,
    { ...journal, isKeys: true },
    chunked,
    { ...chunked, isKeys: true },
  ])
  return rows.flatMap((row, i) => {
    const position = (keys[i] as Key)[1] as number
    const own = chunks.filter((_, at) => (chunkKeys[at] as Key)[1] === position)
    const record = fromJournalRow(row as JournalRow, own)
    const outcome = unpackEntry(record)
    if (outcome.type !== 'entry' || outcome.entry.writer.endsWith(localSuffix)) return []
    return [{ position, record, entry: outcome.entry }]
  })
}

/** The steps the entries touched; all of them where the server has none. */
function changedSteps(base: SyncBase, state: SessionState, entries: readonly Entry[]): PushItem['changed'] {
  const steps = new Set<StepId>(base.state === undefined ? Object.keys(state.answers) : [])
  for (const change of entries.flatMap((entry) => entry.changes ?? [])) {
    if (change.type === 'set') steps.add(change.step)
    else if (change.type === 'restarted') {
      for (const step of [...Object.keys(base.state?.answers ?? {}), ...Object.keys(state.answers)])
        steps.add(step)
    } else if (change.type === 'merged') {
      for (const { path } of change.patch) {
        const [root, step] = parsePointer(path)
        if (root === 'answers' && step !== undefined) steps.add(step)
      }
    }
  }
  return Object.fromEntries(
    [...steps].map((step) => {
      const answers = state.answers[step]
      return [step, answers === undefined ? null : canonicalJson(answers as Json)]
    }),
  )
}

function toMeta(state: SessionState, key: string): WireMeta {
  const { flow, status, step, finished, visited, submitted } = state
  return { flow, key, status, step, finished, visited, ...(submitted === undefined ? {} : { submitted }) }
}

/** The server took it: what was sent is acknowledged. */
export async function acknowledge(
  bases: BaseRows,
  session: string,
  sent: Outgoing,
  rev: string,
): Promise<void> {
  if (sent.state !== undefined) await bases.write(session, { rev, position: sent.upTo, state: sent.state })
}

/** The server has what this device has not seen: merges it. False where another tab moved on meanwhile: start over. */
export async function mergeSnapshot(options: {
  readonly journal: Journal
  readonly bases: BaseRows
  readonly sent: Outgoing
  readonly snapshot: WireSnapshot
}): Promise<boolean> {
  const { journal, bases, sent, snapshot } = options
  const base = snapshot.isWhole ? { ...sent.base, ...(sent.base.state ? {} : noBase) } : sent.base
  const before = base.state ?? initialState(snapshot.meta.flow, snapshot.meta.step)
  const theirs = stateFromSnapshot(snapshot.isWhole ? undefined : before, snapshot)
  if (theirs === undefined) return false
  const isFastForward = sent.entries.length === 0
  return journal.merge({
    base: before,
    state: theirs,
    stampOf: (step) => snapshot.stamps[step] ?? { at: 0, writer: '' },
    ourStampOf: latestStamp(stampedChanges(sent.entries)),
    heads: Object.fromEntries(Object.entries(snapshot.heads).map(([writer, head]) => [writer, head.hash])),
    at: snapshot.at,
    position: sent.position,
    isFastForward,
    rows: (position) =>
      bases.rows(journal.session, {
        rev: snapshot.rev,
        position: isFastForward ? position : base.position,
        state: theirs,
      }),
  })
}

/** The server's state, whole or laid over the base; `undefined` where its text is not JSON. */
function stateFromSnapshot(
  before: SessionState | undefined,
  snapshot: WireSnapshot,
): SessionState | undefined {
  const answers: Record<StepId, StepAnswers> = { ...(before?.answers as Record<StepId, StepAnswers>) }
  for (const [step, text] of Object.entries(snapshot.steps)) {
    if (text === null) {
      delete answers[step]
      continue
    }
    const value = parseJson(text)
    if (typeof value !== 'object' || value === null) return undefined
    answers[step] = value as StepAnswers
  }
  const { flow, status, step, finished, visited, submitted } = snapshot.meta
  return {
    flow,
    status,
    step,
    answers: answers as Answers,
    finished,
    visited,
    ...(submitted === undefined ? {} : { submitted }),
  }
}
