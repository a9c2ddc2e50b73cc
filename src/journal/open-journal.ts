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
 * - A batch with an entry whose fate is unknown is sent again as the very same bytes; a taken position that holds them
 *   is its acknowledgement.
 * - Nothing is appended over entries not read: a taken position is absorbed first.
 * - `state` is what is stored, with other writers' drafts and everything local laid over it, the later over the earlier.
 * - An entry this version cannot read ends appending (`isOutdated`): from then on input is kept as draft only.
 */
import type { Clock, HybridClock } from '../base/clock.ts'
import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import { createId, type Random } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { diff } from '../base/patch.ts'
import type { PolicyOf } from '../flow/merge-policy.ts'
import { type ChainHead, noChain } from '../record/entry.ts'
import type { Head } from '../record/head.ts'
import { type Change, type FlowRef, initialState, type SessionState, type StepId } from '../record/state.ts'
import type { Row, Store } from '../store/store.ts'
import { type Batch, createBatchMaker, type Theirs, type Trunk } from './batch.ts'
import { createCheckpoints } from './checkpoints.ts'
import { toChangesText } from './draft.ts'
import { createForeignDrafts } from './foreign-drafts.ts'
import type { Journal, JournalEvent, SaveMarks } from './journal.ts'
import { createLocal, fold } from './local.ts'
import { type Damage, foldTail, readTail, restoreSession, type Tail } from './restore.ts'
import { type Draft, longestText, type QuarantineRow } from './rows.ts'
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
  /** Whether an entry of these changes is worth a checkpoint. */
  readonly isCheckpointDue: (changes: readonly Change[]) => boolean
  /** What stands where two tabs or devices changed one field; default the later. */
  readonly policyOf?: PolicyOf
  /** The head to list for a state. */
  readonly toHead: (state: SessionState) => Head
  readonly onEvent: (event: JournalEvent) => void
}

const draftRestMs = 5_000
const retryCapMs = 30_000

export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { store, session, clock, hybrid, onEvent } = options
  const initial = initialState(options.start.flow, options.start.step)
  const restored = await restoreSession(store, session, initial)
  hybrid.hear(latestAt(restored.at, restored.drafts))

  // Of an unreadable entry nobody knows whose number it has: this page's, where it had the session open before.
  const isNumberUnknown = restored.damage.some(({ place }) => place.startsWith('entry/'))
  let writer = isNumberUnknown ? createId(options.random) : options.writer
  let { generation } = store
  // What is stored, as far as it was read.
  let trunk: Trunk = { state: restored.state ?? initial, position: restored.position, heads: restored.heads }
  let isStored = restored.state !== undefined
  let { at, isOutdated } = restored
  // What is not stored, and what is due.
  let local = createLocal(writer, options.policyOf)
  let hasDraftRow = false
  /** The batch under way when a draft was flushed: whatever it leaves, that lies over it. */
  let flushedDuring: Batch | undefined
  let isStrictDue = false
  let isHardenDue = false
  let isCatchUpDue = false
  let merging: { theirs: Theirs; settle: (isMerged: boolean) => void } | undefined
  // What is under way.
  let batch: Batch | undefined
  let isPumping = false
  let isClosed = false
  let hasWritten = false
  let failures = 0
  let marks: SaveMarks = { made: 0, acknowledged: 0, strict: -1, failure: undefined, isOutdated }
  let damage: readonly Damage[] = []
  const waiting = new Set<() => void>()
  let typedAtMs = 0
  let cancelRest: (() => void) | undefined
  let cancelRetry = () => {}
  let batches = createBatchMaker({ ...options, writer })
  const checkpoints = createCheckpoints({
    store,
    session,
    clock,
    tail: restored.tail,
    isSuspect: restored.damage.some(({ place }) => place.startsWith('checkpoint/')),
    onError: (error) => onEvent({ type: 'error', error }),
  })
  const foreignDrafts = createForeignDrafts({
    drafts: ofOthers(restored.drafts),
    clock,
    mayAdopt: () => !isClosed && !isOutdated,
    catchUp: () => journal.catchUp(),
    adopt: pump,
  })

  const journal: Journal = {
    session,
    get position() {
      return trunk.position
    },
    get at() {
      const entered = [...(batch?.items ?? []), ...local.items(), ...foreignDrafts.changes()]
      return latestAt(at, entered)
    },
    get state() {
      const own = [...(batch?.items ?? []), ...local.items()]
      const others = foreignDrafts.changes()
      const all = others.length === 0 ? own : [...others, ...own].sort((a, b) => a.at - b.at)
      return fold(
        trunk.state,
        all.map((item) => item.change),
      )
    },
    get storedState() {
      return isStored ? trunk.state : undefined
    },
    get marks() {
      return marks
    },
    get damage() {
      return damage
    },
    get isSettled() {
      return batch === undefined && local.items().length === 0
    },
    get hasForeignDrafts() {
      return !foreignDrafts.isEmpty
    },
    draft(change) {
      mark({ made: marks.made + 1 })
      local.type(change, hybrid.next())
      typedAtMs = clock.now()
      cancelRest ??= clock.after(draftRestMs, commitRested)
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
      if (!isStored && marks.made === 0) return mark({ strict: 0 })
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
      const isMerged = new Promise<boolean>((settle) => {
        merging = { theirs, settle }
      })
      await drain()
      endMerge(false)
      return isMerged
    },
    flush() {
      if (isClosed) return
      if (!isPumping) return void pump()
      const changes = local.items().map((item) => item.change)
      const typing = changes.filter((change) => change.type === 'set')
      if (typing.length === 0) return
      const write = batches.lastDraft(trunk, local, typing, hasDraftRow)
      hasDraftRow = true
      flushedDuring = batch
      store.write(write).catch(fail)
    },
    async close({ isDiscarding = false } = {}) {
      if (isClosed) return
      if (!isDiscarding) await journal.settled()
      isClosed = true
      // What is under way ends before whoever closes goes on, to delete it all perhaps.
      await drain()
      cancelRest?.()
      cancelRetry()
      foreignDrafts.close()
      await checkpoints.close()
    },
  }
  // A page that closed and opened the session again finds its own typing.
  for (const own of restored.drafts) {
    if (own.writer !== writer || own.n <= chainHead(writer).n) continue
    for (const change of own.changes) {
      if (change.type !== 'set') continue
      for (const one of change.patch) local.type({ ...change, patch: [one] }, own.typedAt(one))
    }
    hasDraftRow = true
  }
  if (restored.damage.length > 0) quarantine(restored.damage)
  foreignDrafts.watch()
  return journal

  /** Typing goes on for as long as there is some every few seconds: one timer looks, none is set anew for each key. */
  function commitRested(): void {
    cancelRest = undefined
    const restedMs = clock.now() - typedAtMs
    // A clock that was set back says nothing.
    if (restedMs < 0 || restedMs >= draftRestMs) journal.commitDraft()
    else cancelRest = clock.after(draftRestMs - restedMs, commitRested)
  }

  function promoteDraft(): void {
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
        if (isClosed) break
        if (store.generation !== generation) seedAnew()
        if (isCatchUpDue) await catchUpNow()
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
      remakeTyping()
      fail(error)
    } finally {
      isPumping = false
      for (const wake of waiting) wake()
      waiting.clear()
    }
  }

  /** Typing that goes without an entry is packed again before it is tried again: its row may be adopted meanwhile. */
  function remakeTyping(): void {
    if (batch === undefined || batch.record !== undefined) return
    local.putBack(batch.items, batch.hasTyping)
    isHardenDue ||= batch.write.durability === 'strict'
    // It may be there all the same: what it becomes takes it along.
    hasDraftRow ||= batch.hasTyping
    batch = undefined
  }

  async function catchUpNow(): Promise<void> {
    isCatchUpDue = false
    try {
      absorb(await readTail(store, session, trunk.position + 1))
    } catch (error) {
      isCatchUpDue = true
      throw error
    }
  }

  /** The position is taken: reads what took it. */
  async function yieldTo(lost: Batch): Promise<void> {
    absorb(await readTail(store, session, trunk.position + 1))
    if (batch !== lost) return
    throw new WaymarkError('storage-failed', 'The store refused an entry for a row it does not show.', {
      details: { session, position: trunk.position + 1 },
      isRetryable: true,
    })
  }

  function nextBatch(): Batch | undefined {
    if (local.isTypingDirty && toChangesText(local.typing).length > longestText) promoteDraft()
    const hasEntry = !isOutdated && (local.queue.length > 0 || (local.isTypingDirty && !isStored))
    if (hasEntry || local.isTypingDirty || isHardenDue) {
      const made = batches.local(trunk, local, {
        leading: hasEntry ? lead() : [],
        hasDraftRow,
        durability: isStrictDue || isHardenDue ? 'strict' : 'relaxed',
        isHeadDue: isHardenDue,
        covers: marks.made,
      })
      isStrictDue = isHardenDue = false
      return made
    }
    if (isOutdated) return undefined
    // Entries stored since the merge was asked for are unknown to it: whoever asked starts over.
    if (merging !== undefined && merging.theirs.position !== trunk.position) endMerge(false)
    // These entries take the number the draft row was to become: the row is renumbered with them.
    const { typing } = local
    const renumbered = () => (typing.length > 0 ? [batches.draftRow(trunk, local, typing, 1)] : [])
    if (merging !== undefined) return batches.merge(trunk, isStored ? [] : lead(), merging.theirs, renumbered)
    return foreignDrafts.due && batches.adopt(trunk, foreignDrafts.due, renumbered)
  }

  /** What precedes the first entry of this page in this session. */
  function lead(): Change[] {
    if (!isStored) return [{ type: 'started', ...options.start }]
    return hasWritten ? [] : [{ type: 'resumed', position: trunk.position }]
  }

  /** The store holds the batch. */
  function settle(done: Batch): void {
    batch = undefined
    const base = trunk.state
    const made =
      done.kind === 'local'
        ? done.items
        : done.changes.map((change) => ({ change, at: done.stamp, writer: done.chain }))
    if (done.kind === 'local' && (done.hasTyping || done.write.remove?.length)) {
      const isPut = done.write.put?.some((row) => row.store === 'drafts') ?? false
      hasDraftRow = isPut || done === flushedDuring
    }
    if (done.record !== undefined) {
      hasWritten = isStored = true
      const head = { n: chainHead(done.chain).n + 1, hash: done.record.h }
      trunk = {
        state: done.state,
        position: trunk.position + 1,
        heads: { ...trunk.heads, [done.chain]: head },
      }
      at = Math.max(at, done.stamp)
      checkpoints.note(trunk, at, options.isCheckpointDue(done.changes))
      if (done.kind === 'adopt') foreignDrafts.adopted()
      foreignDrafts.outdate(made)
    }
    const acknowledged = Math.max(marks.acknowledged, done.covers)
    mark({ acknowledged, strict: done.write.durability === 'strict' ? acknowledged : marks.strict })
    if (done.kind === 'merge') endMerge(true)
    if (done.kind !== 'local') {
      layLocalOver(base, made, {})
      onEvent({ type: 'foreign', state: journal.state })
    }
    const isEntry = done.record !== undefined
    if (isEntry || done.hasTyping) onEvent({ type: 'stored', isEntry })
  }

  /** Takes in what the journal holds past the trunk. */
  function absorb(tail: Tail): void {
    if (tail.damage.length > 0) quarantine(tail.damage)
    let foreign = tail.entries
    if (batch?.record !== undefined && foreign[0]?.hash === batch.record.h) {
      settle(batch) // its reply was lost, its row is there
      foreign = foreign.slice(1)
    } else if (batch?.record !== undefined && (tail.position !== undefined || tail.isOutdated)) {
      if (batch.kind === 'merge') endMerge(false)
      // What took its place cannot be read: it may be this very entry, sent already, and its number is not given again.
      if (tail.damage.some(({ place }) => place === `entry/${trunk.position + 1}`)) renew()
      local.putBack(batch.items, batch.hasTyping)
      isStrictDue ||= batch.write.durability === 'strict'
      batch = undefined
    }
    at = latestAt(at, foreign)
    hybrid.hear(latestAt(at, tail.drafts))
    const base = trunk.state
    const folded = foldTail(base, trunk.heads, { entries: foreign })
    if (folded.damage.length > 0) quarantine(folded.damage)
    trunk = {
      state: folded.state,
      position: Math.max(trunk.position, tail.position ?? -1),
      heads: folded.heads,
    }
    isStored ||= foreign.length > 0
    const hasOtherTyping = foreignDrafts.replace(ofOthers(tail.drafts))
    if (tail.isOutdated && !isOutdated) becomeOutdated()
    const joins = Object.fromEntries(foreign.map((entry) => [entry.writer, entry.hash]))
    if (foreign.length > 0) layLocalOver(base, stampedChanges(foreign), joins)
    if (foreign.length > 0 || hasOtherTyping) onEvent({ type: 'foreign', state: journal.state })
    foreignDrafts.watch()
  }

  function layLocalOver(
    base: SessionState,
    foreign: readonly StampedChange[],
    joins: { readonly [writer: string]: string },
  ): void {
    local.layOver({ base, theirs: trunk.state, foreign, joins })
  }

  function endMerge(isMerged: boolean): void {
    merging?.settle(isMerged)
    merging = undefined
  }

  /** A newer version of the app wrote here: what is local stays as draft until the page is reloaded. */
  function becomeOutdated(): void {
    isOutdated = true
    local.demote()
    mark({ isOutdated })
  }

  /** Drafts of other writers that are no entry yet. */
  function ofOthers(drafts: readonly Draft[]): readonly Draft[] {
    return drafts.filter((other) => other.writer !== writer && chainHead(other.writer).n < other.n)
  }

  function chainHead(chain: string): ChainHead {
    return trunk.heads[chain] ?? noChain
  }

  /** Everything stored is gone, as when site data is cleared: what this page holds is stored again, by a new writer. */
  function seedAnew(): void {
    const state = journal.state
    const hasAny = isStored || batch !== undefined || local.items().length > 0
    generation = store.generation
    renew()
    batch = undefined
    trunk = { state: initial, position: -1, heads: {} }
    isStored = hasDraftRow = hasWritten = false
    foreignDrafts.replace([])
    local = createLocal(writer, options.policyOf)
    mark({ made: marks.made + 1, acknowledged: 0, strict: -1 })
    if (!hasAny) return
    const patch = diff(fold(initial, lead()) as unknown as Json, state as unknown as Json)
    local.push([{ type: 'merged', patch, joins: {}, losers: [] }], hybrid.next())
    isStrictDue = true
    onEvent({ type: 'seeded' })
    onEvent({ type: 'foreign', state })
  }

  /** From here on this page writes under another name; what it left as a draft is adopted in time. */
  function renew(): void {
    writer = createId(options.random)
    batches = createBatchMaker({ ...options, writer })
    hasDraftRow = false
  }

  function fail(error: unknown): void {
    if (store.generation !== generation) seedAnew()
    const failure = isWaymarkError(error)
      ? error
      : new WaymarkError('storage-failed', 'The journal could not be written.', {
          cause: error,
          isRetryable: true,
        })
    mark({ failure })
    endMerge(false)
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
    const put = found.map(({ place, reason, row }): Row => {
      const value: QuarantineRow = { v: 1, session, place, reason, at: clock.now(), row }
      return { store: 'quarantine', key: [session, place], value }
    })
    store.write({ durability: 'strict', put }).catch((error: unknown) => onEvent({ type: 'error', error }))
  }
}

function latestAt(at: number, later: readonly { readonly at: number }[]): number {
  return later.reduce((latest, one) => Math.max(latest, one.at), at)
}
