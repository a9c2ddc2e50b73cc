/**
 * A session from a file, put where it belongs on this device, or left out with the reason.
 *
 * Invariants
 * - Every hash and every link of a chain is verified before anything is written.
 * - Nothing here is overwritten: entries are only ever added behind those that are here, all of a session's in one
 *   transaction that compares. A session that went on differently here stays as it is.
 * - What a file left out is missing, never removed: a partial copy only ever makes a session that is not here.
 */
import { canonicalJson } from '../base/canonical.ts'
import { sha256 } from '../base/hash.ts'
import { createId, type Random } from '../base/ids.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { diff } from '../base/patch.ts'
import { toJournalRows } from '../journal/rows.ts'
import { isWriter } from '../protocol/verify-entries.ts'
import { type Entry, type EntryRecord, entryId, noChain, packEntry, unpackEntry } from '../record/entry.ts'
import { isText, readChanges } from '../record/guard.ts'
import { applyChange, type Change, initialState } from '../record/state.ts'
import type { Key, Row, Store } from '../store/store.ts'
import type { PortableSession } from './portable-file.ts'

/** What became of a session of a file. Only `imported` changed anything. */
export type ImportOutcome = { readonly session: string } & (
  | { readonly type: 'imported' }
  /** Everything of it was here. */
  | { readonly type: 'already-here' }
  /** It was here, and went on since the file was made. */
  | { readonly type: 'newer-here' }
  /** It went on here and there: neither is lost, nothing is put over the other. */
  | { readonly type: 'diverged' }
  /** Made under another account, or here under another one. */
  | { readonly type: 'other-account' }
  /** It does not verify; or this app may not keep it: a flow with sensitive fields needs encryption. */
  | { readonly type: 'unreadable' | 'refused'; readonly reason: string }
)

export interface ImportTarget {
  readonly store: Store
  readonly account: string
  /** Takes sessions of other accounts for this one's. */
  readonly isTakingOver: boolean
  readonly random: Random
}

interface Verified {
  readonly entries: readonly Entry[]
  readonly records: readonly EntryRecord[]
}

export async function importSession(target: ImportTarget, session: PortableSession): Promise<ImportOutcome> {
  const { store, account, isTakingOver } = target
  const { id, head } = session
  const found = verify(session)
  if (typeof found === 'string') return { session: id, type: 'unreadable', reason: found }
  const changes = restOf(session, found)
  if (typeof changes === 'string') return { session: id, type: 'unreadable', reason: changes }
  if (head.account !== account && !isTakingOver) return { session: id, type: 'other-account' }
  const hashes = found.records.map(({ h }) => h)
  for (;;) {
    const here = await readHere(store, id)
    if (here.accounts.some((other) => other !== account)) return { session: id, type: 'other-account' }
    const relation = compare(here.hashes, hashes)
    if (relation === 'diverged' || relation === 'newer-here') return { session: id, type: relation }
    const isNew = here.hashes.length === 0
    const isRestWanted = changes.length > 0 && (isNew || session.isPartial !== true)
    if (relation === 'same' && !isNew && !isRestWanted) return { session: id, type: 'already-here' }
    if (session.isPartial && !isNew) return { session: id, type: 'diverged' }
    const write = toWrite(
      target,
      session,
      found.records.slice(here.hashes.length),
      here.hashes.length,
      changes,
    )
    if (write === undefined) return { session: id, type: 'already-here' }
    // Taken where another tab wrote meanwhile: look again.
    if ((await store.write(write)) === 'stored') return { session: id, type: 'imported' }
  }
}

/** The entries of a session where they verify, each by itself and as chains; else why not. */
function verify({ id, entries }: PortableSession): Verified | string {
  const verified: { entries: Entry[]; records: EntryRecord[] } = { entries: [], records: [] }
  const tips = new Map<string, { readonly n: number; readonly hash: string }>()
  for (const { c, p, s } of entries) {
    const body = p === undefined || s === undefined ? {} : { p, s }
    const record: EntryRecord = { v: 1, h: sha256(c), c, ...body }
    const outcome = unpackEntry(record)
    if (outcome.type === 'newer') return 'an entry was made by a newer version'
    if (outcome.type === 'damaged') return `an entry does not verify: ${outcome.reason}`
    const { entry } = outcome
    if (entry.session !== id) return 'an entry is of another session'
    if (!isWriter(entry.writer) || entry.writer in Object.prototype) return 'a writer has no name'
    const tip = tips.get(entry.writer) ?? noChain
    // A number may be missing where an entry was damaged at its origin; what is next to one must link to it.
    const isLinked = entry.n === tip.n + 1 ? entry.prev === tip.hash : entry.n > tip.n
    if (!isLinked) return `entry ${entryId(entry)} is off its chain`
    tips.set(entry.writer, { n: entry.n, hash: entry.hash })
    verified.entries.push(entry)
    verified.records.push(record)
  }
  return verified
}

/** The changes that lead from what the entries tell to what the session is; else why there are none. */
function restOf({ head, state }: PortableSession, { entries }: Verified): readonly Change[] | string {
  const begun = initialState({ ...head.flow, hash: '' }, head.step.id)
  const told = entries.flatMap(({ changes }) => changes ?? []).reduce(applyChange, begun)
  if (state === undefined) {
    if (told.status === 'pending') return 'it holds nothing'
    return told.flow.id === head.flow.id ? [] : 'its head names another flow'
  }
  const start: Change = { type: 'started', flow: state.flow, step: state.step, key: head.key }
  const starts = told.status === 'pending' ? [start] : []
  const from = starts.reduce(applyChange, told)
  const { flow, status, step, answers, finished, visited, submitted, conflicts } = state
  const known = { flow, status, step, answers, finished, visited, submitted, conflicts }
  const patch = diff(from as unknown as Json, withoutUndefined(known) as Json)
  const merged: Change = { type: 'merged', patch, joins: {}, losers: [] }
  const changes = patch.length === 0 ? starts : [...starts, merged]
  // What is stored as an entry has to be readable as one.
  const readable = readChanges(canonicalJson(changes as unknown as Json))
  if (readable === undefined || readable === 'newer') return 'its state is malformed'
  return state.flow.id === head.flow.id ? changes : 'its head names another flow'
}

function withoutUndefined(object: object): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

interface Here {
  /** Of every entry, in order; something no file holds where one is damaged. */
  readonly hashes: readonly string[]
  /** Who has it. */
  readonly accounts: readonly string[]
}

async function readHere(store: Store, session: string): Promise<Here> {
  const [rows = [], heads = []] = await store.read([
    { store: 'journal', prefix: [session] },
    { store: 'heads', prefix: [], isKeys: true },
  ])
  return {
    hashes: rows.map((row) => String((row as Partial<EntryRecord> | null)?.h)),
    accounts: (heads as Key[]).flatMap((key) =>
      key.length === 2 && key[1] === session ? String(key[0]) : [],
    ),
  }
}

function compare(
  here: readonly string[],
  file: readonly string[],
): 'same' | 'behind-here' | 'newer-here' | 'diverged' {
  if (here.every((hash, i) => hash === file[i])) return here.length === file.length ? 'same' : 'behind-here'
  const known = new Set(here)
  return file.every((hash) => known.has(hash)) ? 'newer-here' : 'diverged'
}

/** Everything new of a session as one write; `undefined` where there is nothing. */
function toWrite(
  { account, random }: ImportTarget,
  session: PortableSession,
  records: readonly EntryRecord[],
  from: number,
  rest: readonly Change[],
) {
  const { id, head, at, quarantine } = session
  const last =
    rest.length === 0
      ? []
      : [
          packEntry({
            ...{ session: id, writer: createId(random), after: noChain, at, changes: rest },
            salt: createId(random, 16),
          }),
        ]
  const rows = [...records, ...last].map((record, i) => toJournalRows(id, from + i, record))
  const [first, ...later] = rows
  if (first === undefined) return undefined
  // Only where nothing is here: what was set aside here is never overwritten.
  const aside = (from > 0 ? [] : quarantine).flatMap((value): Row[] => {
    const { place, reason, at: found } = isJsonObject(value) ? value : {}
    const isRight = isText(place) && isText(reason) && typeof found === 'number'
    return isRight ? [{ store: 'quarantine', key: [id, place], value }] : []
  })
  return {
    durability: 'strict' as const,
    // The head, and the mark that it was removed here, where it was.
    remove: [{ store: 'heads' as const, prefix: [account, id] }],
    put: [
      { store: 'heads' as const, key: [account, id], value: { ...head, account } },
      ...rows.flatMap(({ chunks }) => chunks),
      ...later.map(({ add }) => add),
      ...aside,
    ],
    // Where the first place is free, so are those behind it: a journal has no gaps.
    add: first.add,
  }
}
