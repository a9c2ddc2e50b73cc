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
import { isEqual, parsePointer } from '../base/patch.ts'
import { localSuffix } from '../journal/batch.ts'
import type { Journal } from '../journal/journal.ts'
import { fold } from '../journal/local.ts'
import { fromJournalRow, type JournalRow, longestText } from '../journal/rows.ts'
import { latestStamp, stampedChanges } from '../journal/stamps.ts'
import type { Stamp } from '../merge/merge-value.ts'
import type { PushItem, SyncItem, WireMeta, WireSnapshot } from '../protocol/wire.ts'
import {
  type ChainHead,
  type ChainHeads,
  type Entry,
  type EntryRecord,
  noChain,
  unpackEntry,
} from '../record/entry.ts'
import { parseJson } from '../record/guard.ts'
import { fromParts, type Parts, partsOf } from '../record/parts.ts'
import { initialState, isEnded, type SessionState } from '../record/state.ts'
import type { Key, Store } from '../store/store.ts'
import type { BaseRows, SyncBase } from './base-row.ts'
import { parkedRange } from './parked-row.ts'

/** Entries in one push, and the length of their text, at most; the rest follow in the next. One entry always goes. */
export const entriesPerPush = 1_000
export const textPerPush = 700_000

/** Stamps further ahead of the server than this come from a wrong clock, and count as no later. */
const mostAheadMs = 300_000
const unstamped: Stamp = { at: 0, writer: '' }

type Reader = Pick<Store, 'read'>

export interface Outgoing {
  readonly item: SyncItem
  readonly base: SyncBase
  /** Position of the last entry sent, and the state there. */
  readonly upTo: number
  readonly state: SessionState | undefined
  /** The entries past the base up to there, in order: those that are sent, and local ones that never are. */
  readonly unsent: readonly Unsent[]
  /** Length of the entries' text, and of all that is sent. */
  readonly entriesLength: number
  readonly length: number
  readonly hasMore: boolean
  /** Where the journal stood. */
  readonly position: number
}

/** What to say to the server about this session; `undefined` where the store is failing or there is nothing to say. */
export async function prepare(options: {
  readonly store: Reader
  readonly journal: Journal
  readonly key: string
  readonly bases: BaseRows
  readonly isPullWanted: boolean
  /** Length of the entries' text, at most. Default: {@link textPerPush}. */
  readonly textLimit?: number
}): Promise<Outgoing | undefined> {
  const { store, journal, bases, key, isPullWanted, textLimit = textPerPush } = options
  const { session } = journal
  await journal.catchUp()
  if (!(await journal.settled()) || journal.marks.isOutdated) return undefined
  const base = await bases.read(session)
  let { position, storedState } = journal
  let window = await readWindow({ store, session, from: base.position + 1, to: position, textLimit })
  if (base.rev === null && storedState !== undefined && window.unsent.every((one) => one.isLocal)) {
    // All there is here came from a server that lost it: an entry of our own gives it back.
    journal.append([{ type: 'resumed', position }], 'relaxed')
    if (!(await journal.settled())) return undefined
    ;({ position, storedState } = journal)
    window = await readWindow({ store, session, from: 0, to: position, textLimit })
  }
  if (window.upTo < position) window = await withoutHalfAnEnd(window, { store, session, to: position })
  const { unsent, upTo } = window
  const sent = unsent.filter((one) => !one.isLocal)
  const hasMore = upTo < position
  const state = hasMore && storedState !== undefined ? stateAfter(base, storedState, unsent) : storedState
  const rest = { upTo, state, unsent, hasMore, position, entriesLength: window.length }
  if (state === undefined || sent.length === 0) {
    // What is left is never sent: local, or damaged.
    const through = base.state === undefined ? base : { ...base, position }
    if (base.rev !== null && base.state !== undefined && base.position < position) {
      await bases.write(session, { ...base, rev: base.rev, state: base.state, position })
    }
    if (!isPullWanted) return undefined
    return { item: { type: 'pull', session, since: base.rev }, ...rest, base: through, length: 0 }
  }
  const changed = changedSteps(base, state, sent)
  const item: PushItem = {
    type: 'push',
    session,
    base: base.rev,
    entries: sent.map(({ record: { c, p, s } }) => ({
      c,
      ...(p === undefined ? {} : { p }),
      ...(s === undefined ? {} : { s }),
    })),
    changed,
    meta: toMeta(state, key),
  }
  const length = Object.values(changed).reduce((sum, text) => sum + (text?.length ?? 0), window.length)
  return { item, ...rest, base, length }
}

/**
 * A part of what is unsent, without an entry that ends the session: the server would submit the state as of that part,
 * and a merge that follows may say otherwise. Where the end comes first it is sent with everything after it.
 */
async function withoutHalfAnEnd(
  window: Window,
  { store, session, to }: { readonly store: Reader; readonly session: string; readonly to: number },
): Promise<Window> {
  const end = window.unsent.findIndex(({ entry }) =>
    entry.changes?.some((change) => change.type === 'status' && isEnded(change.to)),
  )
  if (end < 0) return window
  const kept = window.unsent.slice(0, end)
  if (kept.some((one) => !one.isLocal)) return { ...window, unsent: kept, upTo: kept.at(-1)!.position }
  let whole = window
  while (whole.upTo < to) {
    const textLimit = Number.POSITIVE_INFINITY
    const next = await readWindow({ store, session, from: whole.upTo + 1, to, textLimit })
    whole = {
      unsent: [...whole.unsent, ...next.unsent],
      upTo: next.upTo,
      length: whole.length + next.length,
    }
  }
  return whole
}

/** The state at the end of what is sent, where more follows: the entries over the base, local ones too. */
function stateAfter(base: SyncBase, { flow, step }: SessionState, unsent: readonly Unsent[]): SessionState {
  return fold(
    base.state ?? initialState(flow, step),
    unsent.flatMap(({ entry }) => entry.changes ?? []),
  )
}

export interface Unsent {
  readonly position: number
  readonly record: EntryRecord
  readonly entry: Entry
  readonly isLocal: boolean
}

interface Window {
  readonly unsent: readonly Unsent[]
  /** Position of the last row in it. */
  readonly upTo: number
  /** Length of its text. */
  readonly length: number
}

/** The first rows of a range within the limits, and on to the first that can be sent. */
async function readWindow(of: {
  readonly store: Reader
  readonly session: string
  readonly from: number
  readonly to: number
  readonly textLimit: number
}): Promise<Window> {
  const { store, session, to, textLimit } = of
  let { from } = of
  const unsent: Unsent[] = []
  for (;;) {
    const range = { store: 'journal' as const, prefix: [session], from, to, limit: entriesPerPush }
    const [rows = [], keys = []] = from > to ? [] : await store.read([range, { ...range, isKeys: true }])
    let length = 0
    let count = 0
    while (count < rows.length) {
      const next = textLength(rows[count])
      if (count > 0 && length + next > textLimit) break
      length += next
      count += 1
    }
    if (count === 0) return { unsent, upTo: to, length: 0 }
    const upTo = (keys[count - 1] as Key)[1] as number
    unsent.push(...(await readEntries(store, session, rows.slice(0, count), keys as Key[], upTo)))
    const isEnd = count === rows.length && rows.length < entriesPerPush
    if (isEnd || unsent.some((one) => !one.isLocal)) return { unsent, upTo: isEnd ? to : upTo, length }
    from = upTo + 1
  }
}

/** The rows that verify, with their chunks. */
async function readEntries(
  store: Reader,
  session: string,
  rows: readonly unknown[],
  keys: readonly Key[],
  upTo: number,
): Promise<Unsent[]> {
  const chunksByPosition = new Map<number, unknown[]>()
  if (rows.some((row) => (row as Partial<JournalRow> | null)?.k !== undefined)) {
    const range = { store: 'chunks' as const, prefix: [session], from: keys[0]![1] as number, to: upTo }
    const [chunks = [], chunkKeys = []] = await store.read([range, { ...range, isKeys: true }])
    chunks.forEach((chunk, i) => {
      const position = (chunkKeys[i] as Key)[1] as number
      const own = chunksByPosition.get(position)
      if (own === undefined) chunksByPosition.set(position, [chunk])
      else own.push(chunk)
    })
  }
  return rows.flatMap((row, i) => {
    const position = keys[i]![1] as number
    const record = fromJournalRow(row as JournalRow, chunksByPosition.get(position) ?? [])
    const outcome = unpackEntry(record)
    if (outcome.type !== 'entry') return []
    const { entry } = outcome
    return [{ position, record, entry, isLocal: entry.writer.endsWith(localSuffix) }]
  })
}

/** About how long a stored entry's text is, without reading its chunks. */
function textLength(row: unknown): number {
  const { c, p, k } = (row ?? {}) as Partial<JournalRow>
  return (c?.length ?? 0) + (k === undefined ? (p?.length ?? 0) : k * longestText)
}

/** The steps the entries touched, and any other part that differs from what the server has. */
function changedSteps(base: SyncBase, state: SessionState, sent: readonly Unsent[]): PushItem['changed'] {
  const before = base.state === undefined ? {} : partsOf(base.state)
  const now = partsOf(state)
  const all = [...Object.keys(before), ...Object.keys(now)]
  const steps = new Set(all.filter((step) => !isEqual(own(before, step), own(now, step))))
  for (const change of sent.flatMap(({ entry }) => entry.changes ?? [])) {
    if (change.type === 'set') steps.add(change.step)
    else if (change.type === 'restarted') for (const step of all) steps.add(step)
    else if (change.type === 'merged') {
      for (const { path } of change.patch) {
        const [root, step] = parsePointer(path)
        if (root === 'answers' && step !== undefined) steps.add(step)
      }
    }
  }
  return Object.fromEntries(
    [...steps].map((step) => {
      const part = own(now, step)
      return [step, part === undefined ? null : canonicalJson(part)]
    }),
  )
}

function own(parts: Parts, name: string): Json | undefined {
  return Object.hasOwn(parts, name) ? parts[name] : undefined
}

function toMeta(state: SessionState, key: string): WireMeta {
  const { flow, status, step, finished, visited, submitted } = state
  return { flow, key, status, step, finished, visited, ...(submitted === undefined ? {} : { submitted }) }
}

/** The server took it: what was sent is acknowledged, and nothing of it is refused any more, whoever was told so. */
export async function acknowledge(
  bases: BaseRows,
  session: string,
  sent: Outgoing,
  rev: string,
): Promise<void> {
  if (sent.state === undefined) return
  const entries = sent.unsent.filter((one) => !one.isLocal).map(({ entry }) => entry)
  const heads = { ...sent.base.heads, ...Object.fromEntries(entries.map((e) => [e.writer, headOf(e)])) }
  const base = { rev, position: sent.upTo, state: sent.state, heads }
  await bases.write(session, base, [parkedRange(session)])
}

function headOf({ n, hash }: Entry): ChainHead {
  return { n, hash }
}

/**
 * - `behind`: the server no longer holds what it had acknowledged, as after a restore from a backup. Nothing is merged:
 *   what is here is newer, and has to be sent again.
 * - `lost`: another tab moved on meanwhile, or the store fails.
 * - `unreadable`: the snapshot's text is not JSON.
 */
export type MergeResult = 'merged' | 'behind' | 'lost' | 'unreadable'

/**
 * The server has what this device has not seen: merges it.
 *
 * Where a reply was lost the server holds entries of ours that it never acknowledged here, and its state has them in
 * it. They belong to the base: else our own change would look like someone else's.
 */
export async function mergeSnapshot(options: {
  readonly store: Reader
  readonly journal: Journal
  readonly bases: BaseRows
  readonly sent: Outgoing
  readonly snapshot: WireSnapshot
  /** The server's clock, where it tells. */
  readonly now?: number | undefined
}): Promise<MergeResult> {
  const { store, journal, bases, sent, snapshot, now = Number.POSITIVE_INFINITY } = options
  const { base, position } = sent
  if (isBehind(snapshot.heads, base.heads)) return 'behind'
  if (!snapshot.isWhole && base.state === undefined) return 'unreadable'
  const origin = base.state ?? initialState(snapshot.meta.flow, snapshot.meta.step)
  const theirs = stateFromSnapshot(snapshot.isWhole ? undefined : origin, snapshot)
  if (theirs === undefined) return 'unreadable'
  const unsent = [...sent.unsent]
  for (let at = sent.upTo; at < position; ) {
    const { session } = journal
    const next = await readWindow({ store, session, from: at + 1, to: position, textLimit: textPerPush })
    unsent.push(...next.unsent)
    at = next.upTo
  }
  const latest = (now + mostAheadMs) * 1000
  const clamped = ({ at, writer }: Stamp): Stamp => ({ at: Math.min(at, latest), writer })
  const ourStampOf = latestStamp(stampedChanges(unsent.map(({ entry }) => entry)))
  const { held, through, isAll } = heldOf(unsent, snapshot.heads)
  const isMerged = await journal.merge({
    base: fold(
      origin,
      held.flatMap(({ entry }) => entry.changes ?? []),
    ),
    state: theirs,
    stampOf: (step) => clamped(Object.hasOwn(snapshot.stamps, step) ? snapshot.stamps[step]! : unstamped),
    ourStampOf: (step, path) => clamped(ourStampOf(step, path)),
    heads: Object.fromEntries(Object.entries(snapshot.heads).map(([writer, head]) => [writer, head.hash])),
    at: snapshot.at,
    position,
    isFastForward: isAll,
    rows: (merged) =>
      bases.rows(journal.session, {
        rev: snapshot.rev,
        position: isAll ? merged : (through ?? base.position),
        state: theirs,
        heads: snapshot.heads,
      }),
  })
  return isMerged ? 'merged' : 'lost'
}

function isBehind(heads: ChainHeads, acknowledged: ChainHeads): boolean {
  return Object.entries(acknowledged).some(([writer, { n, hash }]) => {
    const head = Object.hasOwn(heads, writer) ? heads[writer]! : noChain
    return head.n < n || (head.n === n && head.hash !== hash)
  })
}

/**
 * Which of our entries a server with these heads holds, and the local ones between them; how far it holds every one;
 * and whether it holds all there are.
 */
function heldOf(
  unsent: readonly Unsent[],
  heads: WireSnapshot['heads'],
): { held: readonly Unsent[]; through: number | undefined; isAll: boolean } {
  const isHeld = ({ entry, isLocal }: Unsent) =>
    !isLocal && Object.hasOwn(heads, entry.writer) && heads[entry.writer]!.n >= entry.n
  const last = unsent.findLastIndex(isHeld)
  const open = unsent.findIndex((one) => !one.isLocal && !isHeld(one))
  return {
    held: unsent.slice(0, last + 1).filter((one) => one.isLocal || isHeld(one)),
    through: unsent[open < 0 ? last : Math.min(last, open - 1)]?.position,
    isAll: open < 0,
  }
}

/** The server's state, whole or laid over the base; `undefined` where its text is not JSON. */
function stateFromSnapshot(
  before: SessionState | undefined,
  snapshot: WireSnapshot,
): SessionState | undefined {
  const parts: { [name: string]: Json | undefined } = before === undefined ? {} : { ...partsOf(before) }
  for (const [step, text] of Object.entries(snapshot.steps)) {
    if (step === '__proto__') continue // no flow can have it
    if (text === null) {
      delete parts[step]
      continue
    }
    const value = parseJson(text)
    if (typeof value !== 'object' || value === null) return undefined
    parts[step] = value
  }
  const { flow, status, step, finished, visited, submitted } = snapshot.meta
  return {
    flow,
    status,
    step,
    ...fromParts(parts),
    finished,
    visited,
    ...(submitted === undefined ? {} : { submitted }),
  }
}
