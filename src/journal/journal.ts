/**
 * One session's journal in this page: typing becomes a draft, drafts become entries, entries become checkpoints.
 *
 *   draft()  ─┐
 *   append() ─┼─► local ─► batch ─► store.write ─► stored ─► checkpoint (later, off this path)
 *   merge()  ─┘     ▲         │ taken
 *                   └─ absorb ◄┘  read what others stored, merge what is local over it, pack again
 *
 * Invariants
 * - One write at a time; a batch takes everything local and is one transaction with at most one entry.
 * - A change is acknowledged when the store says `stored` for the batch that holds it, never before.
 * - A batch whose fate is unknown is sent again as the very same bytes; a taken position that holds them is its
 *   acknowledgement.
 * - Nothing is appended over entries not read: a taken position is absorbed first.
 * - `state` is what is stored, with other writers' drafts and then everything local laid over it.
 * - An entry this version cannot read ends appending (`isOutdated`): from then on input is kept as draft only.
 */
import type { Clock, HybridClock } from '../base/clock.ts'
import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import { createId, type Random } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { diff } from '../base/patch.ts'
import { mergeStates, type StampOf } from '../merge/merge-states.ts'
import { type ChainHeads, type EntryRecord, noChain, packEntry } from '../record/entry.ts'
import type { Head } from '../record/head.ts'
import {
  type Change,
  type FlowRef,
  initialState,
  type Loser,
  type SessionState,
  type StepId,
} from '../record/state.ts'
import type { Durability, Range, Row, Store, Write } from '../store/store.ts'
import { createCheckpoints } from './checkpoints.ts'
import { type SetChange, toChangesText } from './draft.ts'
import { createLocal, fold } from './local.ts'
import { type Damage, foldTail, readTail, restoreSession, type Tail } from './restore.ts'
import { type Draft, longestText, toDraftRow, toJournalRows } from './rows.ts'
import { type StampedChange, stampedChanges } from './stamps.ts'

export interface JournalOptions {
  readonly store: Store
  readonly session: string
  readonly writer: string
  readonly clock: Clock
  readonly hybrid: HybridClock
  readonly random: Random
  /** What a session starts from where nothing is stored. */
  readonly start: { readonly flow: FlowRef; readonly step: StepId; readonly key: string }
  /** The head to list for a state. */
  readonly toHead: (state: SessionState) => Head
  readonly onEvent: (event: JournalEvent) => void
}

export type JournalEvent =
  /** Other tabs or devices changed the state; `losers` are values of a conflict that were not taken. */
  | { readonly type: 'foreign'; readonly state: SessionState; readonly losers: readonly Loser[] }
  /** `marks` moved: acknowledged, failed, or well again. */
  | { readonly type: 'marks' }
  /** Something other tabs want to read was stored. */
  | { readonly type: 'stored'; readonly isEntry: boolean }
  | { readonly type: 'damaged'; readonly damage: readonly Damage[] }
  /** A checkpoint or a quarantine row could not be written: no answer is at stake. */
  | { readonly type: 'error'; readonly error: unknown }

/** How far what was entered is safe, in change numbers: 1, 2, 3, ... in the order they were made here. */
export interface SaveMarks {
  readonly made: number
  readonly acknowledged: number
  /** Acknowledged by a strict commit, or followed by one. */
  readonly strict: number
  readonly failure: WaymarkError | undefined
  readonly isOutdated: boolean
}

export interface Journal {
  readonly session: string
  /** Key of the last entry stored, -1 before the first. */
  readonly position: number
  readonly state: SessionState
  /** What is stored as entries, without drafts and what is local. */
  readonly storedState: SessionState | undefined
  readonly heads: ChainHeads
  /** Largest hybrid stamp stored. */
  readonly at: number
  readonly marks: SaveMarks
  /** What was found unreadable and set aside, as yet. */
  readonly damage: readonly Damage[]
  /** True where everything is an entry: nothing local, no draft of this or another writer. */
  readonly isSettled: boolean
  /** Typing: kept as a draft until it becomes an entry. */
  draft(change: SetChange): void
  /** Changes that are an entry at once, together with the draft before them. */
  append(changes: readonly Change[], durability: Durability): void
  /** Turns the draft into an entry. */
  commitDraft(): void
  /** Makes what is acknowledged durable against power loss. */
  harden(): void
  /** Reads what other tabs stored. Never rejects: a failing store shows in `marks`. */
  catchUp(): Promise<void>
  /** Commits the draft and waits until nothing is local; false where the store fails. */
  settled(): Promise<boolean>
  /**
   * Merges a state from elsewhere into what is stored, in one transaction with `rows`. False where another tab was
   * first or the store fails: read again and start over.
   */
  merge(theirs: Theirs): Promise<boolean>
  /** Best effort before the page goes: writes the typing without waiting for the write under way. */
  flush(): void
  /** Stores what is local, then stops. Idempotent. */
  close(): Promise<void>
}

export interface Theirs {
  readonly base: SessionState
  readonly state: SessionState
  readonly stampOf: StampOf
  /** Stamps of what is stored here and unknown to them. */
  readonly ourStampOf: StampOf
  readonly heads: { readonly [writer: string]: string }
  readonly at: number
  /** True where nothing stored here is unknown to them: the merge entry stays local, it would tell them nothing. */
  readonly isFastForward: boolean
  readonly rows: (position: number) => readonly Row[]
}

/** A writer's local chain, for entries that are never pushed. */
export const localSuffix = '~'

interface Batch {
  readonly kind: 'local' | 'adopt' | 'merge'
  readonly write: Write
  readonly chain: string
  readonly record: EntryRecord | undefined
  readonly changes: readonly Change[]
  /** The queued changes it took, to lay them again should it lose the race. */
  readonly items: readonly StampedChange[]
  readonly stamp: number
  readonly covers: number
  readonly hasTyping: boolean
  readonly losers: readonly Loser[]
}

const draftRestMs = 5_000
const adoptAfterMs = 15_000
const retryCapMs = 30_000

export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { store, session, writer, clock, hybrid, onEvent } = options
  const initial = initialState(options.start.flow, options.start.step)
  const restored = await restoreSession(store, session, initial)
  hybrid.hear(restored.at)

  // What is stored.
  let stored = restored.state
  let { position, heads, at, isOutdated } = restored
  let foreignDrafts = withoutPromoted(restored.drafts)
  const local = createLocal(writer)
  let hasDraftRow = false
  let isStrictDue = false
  let isHardenDue = false
  let adopting: readonly Draft[] = []
  let merging: { theirs: Theirs; settle: (isMerged: boolean) => void } | undefined
  // What is under way.
  let batch: Batch | undefined
  let isCatchUpDue = false
  let isPumping = false
  let isClosed = false
  let hasWritten = false
  let listedHead = ''
  let failures = 0
  let marks: SaveMarks = { made: 0, acknowledged: 0, strict: 0, failure: undefined, isOutdated }
  const waiting = new Set<() => void>()
  let damage: readonly Damage[] = []
  let cancelRest = () => {}
  let cancelRetry = () => {}
  let cancelAdoption = () => {}
  const checkpoints = createCheckpoints({
    store,
    session,
    clock,
    restored,
    onError: (error) => onEvent({ type: 'error', error }),
  })

  const journal: Journal = {
    session,
    get position() {
      return position
    },
    get state() {
      const others = foreignDrafts.flatMap((other) => other.changes)
      const own = [...(batch?.items ?? []), ...local.items()].map((item) => item.change)
      return fold(fold(stored ?? initial, others), own)
    },
    get storedState() {
      return stored
    },
    get heads() {
      return heads
    },
    get at() {
      return at
    },
    get marks() {
      return marks
    },
    get damage() {
      return damage
    },
    get isSettled() {
      return batch === undefined && local.items().length === 0 && foreignDrafts.length === 0
    },
    draft(change) {
      mark({ made: marks.made + 1 })
      local.type(change, hybrid.next())
      cancelRest()
      cancelRest = clock.after(draftRestMs, journal.commitDraft)
      schedule()
    },
    append(changes, durability) {
      mark({ made: marks.made + 1 })
      promoteDraft()
      local.push(changes, hybrid.next())
      isStrictDue ||= durability === 'strict'
      schedule()
    },
    commitDraft() {
      promoteDraft()
      schedule()
    },
    harden() {
      isHardenDue = marks.strict < marks.made
      schedule()
    },
    async catchUp() {
      isCatchUpDue = true
      await drain()
    },
    async settled() {
      promoteDraft()
      await drain()
      return marks.failure === undefined && marks.acknowledged === marks.made
    },
    async merge(theirs) {
      const isMerged = new Promise<boolean>((settle) => (merging = { theirs, settle }))
      await drain()
      merging?.settle(false)
      merging = undefined
      return isMerged
    },
    flush() {
      if (isClosed) return
      if (!isPumping) return void pump()
      const typing = local
        .items()
        .map((item) => item.change)
        .filter((change) => change.type === 'set')
      if (typing.length === 0) return
      store
        .write({ durability: 'relaxed', put: [draftRow(typing, 1)] })
        .then(() => (hasDraftRow = true), fail)
    },
    async close() {
      if (isClosed) return
      await journal.settled()
      isClosed = true
      cancelRest()
      cancelRetry()
      cancelAdoption()
      await checkpoints.close()
    },
  }
  // A page that closed and opened the session again finds its own typing.
  for (const own of restored.drafts) {
    if (own.writer !== writer || own.n <= (heads[writer] ?? noChain).n) continue
    for (const change of own.changes) if (change.type === 'set') local.type(change, own.at)
    hasDraftRow = true
  }
  if (restored.damage.length > 0) quarantine(restored.damage)
  scheduleAdoption()
  return journal

  function promoteDraft(): void {
    cancelRest()
    if (!isOutdated) local.promote()
  }

  function schedule(): void {
    queueMicrotask(() => void pump())
  }

  async function drain(): Promise<void> {
    await pump()
    while (isPumping) await new Promise<void>((resolve) => waiting.add(resolve))
  }

  /** Writes until nothing is left to write. The first write is issued in the task of the call. */
  async function pump(): Promise<void> {
    if (isPumping || isClosed) return
    isPumping = true
    try {
      for (;;) {
        if (isCatchUpDue) {
          isCatchUpDue = false
          absorb(await readTail(store, session, position + 1))
        }
        batch ??= nextBatch()
        if (batch === undefined) {
          if (isCatchUpDue) continue
          break
        }
        const outcome = await store.write(batch.write)
        if (outcome === 'stored') settle(batch)
        else await yieldTo(batch)
      }
      failures = 0
      if (marks.failure !== undefined) mark({ failure: undefined })
    } catch (error) {
      fail(error)
    } finally {
      isPumping = false
      for (const wake of waiting) wake()
      waiting.clear()
    }
  }

  /** The position is taken: reads what took it. */
  async function yieldTo(lost: Batch): Promise<void> {
    const tail = await readTail(store, session, position + 1)
    absorb(tail)
    if (batch === lost) {
      throw new WaymarkError('storage-failed', 'The store refused an entry for a row it does not show.', {
        details: { session, position: position + 1 },
        isRetryable: true,
      })
    }
  }

  function nextBatch(): Batch | undefined {
    if (isOutdated) return local.isTypingDirty ? localBatch([]) : undefined
    if (local.isTypingDirty && toChangesText(local.typing).length > longestText) promoteDraft()
    if (local.queue.length > 0 || (local.isTypingDirty && stored === undefined)) return localBatch(lead())
    if (local.isTypingDirty || isHardenDue) return localBatch([])
    if (merging !== undefined) return mergeBatch(merging.theirs)
    return adopting.length > 0 ? adoptBatch() : undefined
  }

  /** What precedes the first entry of this page in this session. */
  function lead(): Change[] {
    if (stored === undefined) return [{ type: 'started', ...options.start }]
    return hasWritten ? [] : [{ type: 'resumed', position }]
  }

  /** Everything local: the queue as one entry where there is one, the typing as the draft row. */
  function localBatch(leading: readonly Change[]): Batch {
    const items = local.takeQueue()
    const changes = [...leading, ...items.map((item) => item.change)]
    const hasTyping = local.isTypingDirty
    const put: Row[] = []
    const remove: Range[] = []
    if (hasTyping && local.typing.length > 0) put.push(draftRow(local.typing, changes.length > 0 ? 1 : 0))
    else if (hasDraftRow && local.typing.length === 0) remove.push(draftRange(writer))
    const stamp = items.reduce((latest, item) => Math.max(latest, item.at), 0) || hybrid.next()
    const entry = changes.length > 0 ? pack(writer, changes, stamp) : undefined
    if (entry !== undefined) put.push(...headRows(fold(stored ?? initial, changes)), ...entry.rows.chunks)
    else if (isHardenDue && put.length === 0) put.push(...headRows(stored ?? initial))
    const durability: Durability = isStrictDue || isHardenDue ? 'strict' : 'relaxed'
    isStrictDue = isHardenDue = false
    local.markTypingStored()
    return {
      kind: 'local',
      write: { durability, put, remove, ...(entry === undefined ? {} : { add: entry.rows.add }) },
      chain: writer,
      record: entry?.record,
      changes,
      items,
      stamp,
      covers: marks.made,
      hasTyping,
      losers: [],
    }
  }

  function mergeBatch(theirs: Theirs): Batch {
    const ours = stored ?? initial
    const outcome = mergeStates({
      base: theirs.base,
      ours,
      theirs: theirs.state,
      ourStamp: theirs.ourStampOf,
      theirStamp: theirs.stampOf,
    })
    hybrid.hear(theirs.at)
    const patch = diff(ours as unknown as Json, outcome.state as unknown as Json)
    const merged: Change = { type: 'merged', patch, joins: theirs.heads, losers: outcome.losers }
    const changes = stored === undefined ? [...lead(), merged] : [merged]
    return derivedBatch('merge', changes, {
      chain: theirs.isFastForward ? writer + localSuffix : writer,
      put: theirs.rows(position + 1),
      losers: outcome.losers,
    })
  }

  function adoptBatch(): Batch {
    const changes = adopting.flatMap((other): Change[] => [
      { type: 'adopted', writer: other.writer, n: other.n },
      ...other.changes,
      ...(other.superseded.length > 0
        ? [{ type: 'merged' as const, patch: [], joins: {}, losers: other.superseded }]
        : []),
    ])
    return derivedBatch('adopt', changes, { remove: adopting.map((other) => draftRange(other.writer)) })
  }

  /** An entry made from what is stored, not from what was typed here: after a lost race it is simply made again. */
  function derivedBatch(
    kind: 'adopt' | 'merge',
    changes: readonly Change[],
    extra: { chain?: string; put?: readonly Row[]; remove?: readonly Range[]; losers?: readonly Loser[] },
  ): Batch {
    const chain = extra.chain ?? writer
    const stamp = hybrid.next()
    const { record, rows } = pack(chain, changes, stamp)
    const put = [...(extra.put ?? []), ...headRows(fold(stored ?? initial, changes)), ...rows.chunks]
    return {
      kind,
      write: { durability: 'strict', put, remove: extra.remove ?? [], add: rows.add },
      chain,
      record,
      changes,
      items: [],
      stamp,
      covers: 0,
      hasTyping: false,
      losers: extra.losers ?? [],
    }
  }

  function pack(chain: string, changes: readonly Change[], stamp: number) {
    const salt = createId(options.random, 16)
    const record = packEntry({
      session,
      writer: chain,
      after: heads[chain] ?? noChain,
      at: stamp,
      salt,
      changes,
    })
    return { record, rows: toJournalRows(session, position + 1, record) }
  }

  function headRows(state: SessionState): Row[] {
    const head = options.toHead(state)
    const listed = JSON.stringify({ ...head, savedAt: 0 })
    if (listed === listedHead && !isStrictDue && !isHardenDue) return []
    listedHead = listed
    return [{ store: 'heads', key: [head.account, session], value: head }]
  }

  function draftRange(of: string): Range {
    return { store: 'drafts', prefix: [session, of] }
  }

  /** `ahead`: entries under way or in the same batch that come before the draft becomes one. */
  function draftRow(changes: readonly Change[], ahead: 0 | 1): Row {
    const n = (heads[writer] ?? noChain).n + 1 + ahead
    const draft = { writer, n, at: local.typedAt || hybrid.next(), base: position + ahead }
    const value = toDraftRow(draft, toChangesText(changes))
    return { store: 'drafts', key: [session, writer], value }
  }

  /** The store holds the batch. */
  function settle(done: Batch): void {
    batch = undefined
    const base = stored ?? initial
    if (done.kind === 'local' && (done.hasTyping || done.write.remove?.length)) {
      hasDraftRow = done.write.put?.some((row) => row.store === 'drafts') ?? false
    }
    if (done.record !== undefined) {
      hasWritten = true
      position += 1
      stored = fold(base, done.changes)
      heads = { ...heads, [done.chain]: { n: (heads[done.chain] ?? noChain).n + 1, hash: done.record.h } }
      at = Math.max(at, done.stamp)
      checkpoints.note(stored, position, heads, at, done.changes.some(isMilestone))
    }
    const acknowledged = Math.max(marks.acknowledged, done.covers)
    mark({ acknowledged, strict: done.write.durability === 'strict' ? acknowledged : marks.strict })
    if (done.kind === 'adopt') {
      foreignDrafts = foreignDrafts.filter((other) => !adopting.includes(other))
      adopting = []
    }
    if (done.kind === 'merge') {
      const foreign = done.changes.map((change) => ({ change, at: done.stamp, writer: done.chain }))
      layLocalOver(base, foreign, {})
      onEvent({ type: 'foreign', state: journal.state, losers: done.losers })
      merging?.settle(true)
      merging = undefined
    }
    if (done.record !== undefined || done.hasTyping)
      onEvent({ type: 'stored', isEntry: done.record !== undefined })
  }

  /** Takes in what the journal holds past `position`. */
  function absorb(tail: Tail): void {
    if (tail.damage.length > 0) quarantine(tail.damage)
    let foreign = tail.entries
    if (batch?.record !== undefined && foreign[0]?.hash === batch.record.h) {
      settle(batch) // its reply was lost, its row is there
      foreign = foreign.slice(1)
    } else if (batch?.record !== undefined && (tail.position !== undefined || tail.isOutdated)) {
      if (batch.kind === 'merge') merging = void merging?.settle(false)
      local.putBack(batch.items, batch.hasTyping)
      isStrictDue ||= batch.write.durability === 'strict'
      batch = undefined
    }
    for (const entry of foreign) {
      hybrid.hear(entry.at)
      at = Math.max(at, entry.at)
    }
    const base = stored ?? initial
    const folded = foldTail(stored, heads, { entries: foreign }, initial)
    if (folded.damage.length > 0) quarantine(folded.damage)
    heads = folded.heads
    stored = folded.state
    position = Math.max(position, tail.position ?? -1)
    const drafts = withoutPromoted(tail.drafts)
    const isChanged = foreign.length > 0 || !isSameDrafts(drafts, foreignDrafts)
    foreignDrafts = drafts
    adopting = adopting.filter((other) =>
      drafts.some((now) => now.writer === other.writer && now.at === other.at),
    )
    if (tail.isOutdated && !isOutdated) becomeOutdated()
    const joins = Object.fromEntries(foreign.map((entry) => [entry.writer, entry.hash]))
    const losers = foreign.length > 0 ? layLocalOver(base, stampedChanges(foreign), joins) : []
    if (isChanged) onEvent({ type: 'foreign', state: journal.state, losers })
    scheduleAdoption()
  }

  function layLocalOver(
    base: SessionState,
    foreign: readonly StampedChange[],
    joins: { readonly [writer: string]: string },
  ): readonly Loser[] {
    return local.layOver({ base, theirs: stored ?? initial, foreign, joins, at: hybrid.next })
  }

  /** A newer version of the app wrote here: what is local stays as draft until the page is reloaded. */
  function becomeOutdated(): void {
    isOutdated = true
    local.demote()
    mark({ isOutdated })
  }

  function withoutPromoted(drafts: readonly Draft[]): readonly Draft[] {
    return drafts.filter((other) => other.writer !== writer && (heads[other.writer] ?? noChain).n < other.n)
  }

  /** Drafts whose writer has been silent for long become an entry of this page. */
  function scheduleAdoption(): void {
    cancelAdoption()
    if (foreignDrafts.length === 0 || isClosed || isOutdated) return
    const silentForMs = (other: Draft) => Math.abs(clock.now() - other.at / 1000)
    const waitMs = Math.max(0, adoptAfterMs - Math.max(...foreignDrafts.map(silentForMs)))
    cancelAdoption = clock.after(waitMs, async () => {
      await journal.catchUp()
      adopting = foreignDrafts.filter((other) => silentForMs(other) >= adoptAfterMs)
      await pump()
      scheduleAdoption()
    })
  }

  function fail(error: unknown): void {
    const failure = isWaymarkError(error)
      ? error
      : new WaymarkError('storage-failed', 'The journal could not be written.', {
          cause: error,
          isRetryable: true,
        })
    mark({ failure })
    merging = void merging?.settle(false)
    if (isClosed || !failure.isRetryable) return
    failures += 1
    cancelRetry()
    cancelRetry = clock.after(Math.min(retryCapMs, 500 * 2 ** failures), () => void pump())
  }

  function mark(change: Partial<SaveMarks>): void {
    marks = { ...marks, ...change }
    onEvent({ type: 'marks' })
  }

  function quarantine(found: readonly Damage[]): void {
    damage = [...damage, ...found]
    onEvent({ type: 'damaged', damage: found })
    const put = found.map(
      ({ place, reason, row }): Row => ({
        store: 'quarantine',
        key: [session, place],
        value: { v: 1, session, place, reason, at: clock.now(), row },
      }),
    )
    store.write({ durability: 'strict', put }).catch((error: unknown) => onEvent({ type: 'error', error }))
  }
}

function isMilestone(change: Change): boolean {
  return change.type === 'finished' || change.type === 'status'
}

function isSameDrafts(a: readonly Draft[], b: readonly Draft[]): boolean {
  return (
    a.length === b.length && a.every((draft, i) => draft.writer === b[i]?.writer && draft.at === b[i]?.at)
  )
}
