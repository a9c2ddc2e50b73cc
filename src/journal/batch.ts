/**
 * What one write of the journal holds, and how it is made from what is stored (the trunk) and what is not yet.
 *
 * Invariants
 * - A batch has at most one entry, its comparing `add`, at the position after the trunk's.
 * - Typing that goes without an entry compares nothing. Where its row may have grown old enough to be adopted, it goes to
 *   a new place: whoever adopts the old one, in the same moment, removes the old one only.
 * - A batch is never changed once made: a write whose fate is unknown is sent again as the same bytes.
 * - An entry is stamped with the time its changes were entered, however late it is made.
 * - The head is written with an entry only where something a list shows changed, where it trails by half a minute, or on
 *   request.
 */
import type { Clock, HybridClock } from '../base/clock.ts'
import { createId, type Random } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { applyPatch, diff, type Operation } from '../base/patch.ts'
import type { PolicyOf } from '../flow/merge-policy.ts'
import { mergeStates } from '../merge/merge-states.ts'
import type { StampOf } from '../merge/merge-value.ts'
import { type ChainHeads, type EntryRecord, noChain, packEntry } from '../record/entry.ts'
import type { Head } from '../record/head.ts'
import type { Change, SessionState } from '../record/state.ts'
import type { Durability, Range, Row, Write } from '../store/store.ts'
import type { SetChange } from './draft.ts'
import { losersOf } from './draft-losers.ts'
import { fold, type Local } from './local.ts'
import { type Draft, toDraftRow, toJournalRows } from './rows.ts'
import type { StampedChange } from './stamps.ts'

/** What is stored, as far as this page has read it. */
export interface Trunk {
  readonly state: SessionState
  /** Key of the last entry, -1 where nothing is stored. */
  readonly position: number
  readonly heads: ChainHeads
}

export interface Batch {
  /** `merge` and `adopt` are made from what is stored: after a lost race they are simply made again. */
  readonly kind: 'local' | 'adopt' | 'merge'
  readonly write: Write
  /** The chain its entry belongs to. */
  readonly chain: string
  readonly record: EntryRecord | undefined
  readonly changes: readonly Change[]
  /** What is stored once it is. */
  readonly state: SessionState
  /** The queued changes it took, to come first again should it lose the race. */
  readonly items: readonly StampedChange[]
  readonly stamp: number
  /** Number of the last change made before it. */
  readonly covers: number
  readonly hasTyping: boolean
}

/** A state a server acknowledged, to be merged into what is stored. */
export interface Theirs {
  readonly base: SessionState
  readonly state: SessionState
  readonly stampOf: StampOf
  /** Stamps of what is stored here and unknown to them, as of `position`. */
  readonly ourStampOf: StampOf
  readonly position: number
  readonly heads: { readonly [writer: string]: string }
  readonly at: number
  /** True where nothing stored here is unknown to them: the merge entry stays local, it would tell them nothing. */
  readonly isFastForward: boolean
  /** Stored in the same transaction as the merge entry, whose position is given. */
  readonly rows: (position: number) => readonly Row[]
}

/** A draft row not written for so long goes to a new place; well before others take its writer for silent. */
const freshMs = 5_000

/** How far a list may trail the last entry in saying when it was saved. */
const headTrailsMs = 30_000

/** A writer's local chain, for entries that are never pushed. */
export const localSuffix = '~'

/** How many entries of this writer come before its typing becomes one; `perhaps` one, where that is under way. */
type Ahead = 0 | 1 | 'perhaps'

export interface BatchMaker {
  /** Everything local: the queue as one entry where there is one, the typing as the draft row. */
  local(
    trunk: Trunk,
    local: Local,
    options: {
      readonly leading: readonly Change[]
      readonly hasDraftRow: boolean
      readonly durability: Durability
      /** Writes the head even where nothing else is to be written. */
      readonly isHeadDue: boolean
      readonly covers: number
    },
  ): Batch
  /** `renumbered` makes this writer's draft row as it is after the entry. */
  merge(trunk: Trunk, leading: readonly Change[], theirs: Theirs, renumbered: () => readonly Row[]): Batch
  /** Another writer's draft as an entry of this one. */
  adopt(trunk: Trunk, draft: Draft, renumbered: () => readonly Row[]): Batch
  /** The typing as a row, for a batch with an entry that comes before it becomes one. A row that is made is written. */
  draftRow(trunk: Trunk, local: Local, changes: readonly SetChange[], ahead: Ahead): Row
  /** The typing as a write of its own, beside whatever is under way. */
  lastDraft(trunk: Trunk, local: Local, changes: readonly SetChange[], hasDraftRow: boolean): Write
}

export function createBatchMaker(of: {
  readonly session: string
  readonly writer: string
  readonly clock: Clock
  readonly hybrid: HybridClock
  readonly random: Random
  readonly toHead: (state: SessionState) => Head
  readonly policyOf?: PolicyOf
}): BatchMaker {
  const { session, writer, clock, hybrid, random, toHead, policyOf } = of
  let listedHead = ''
  let listedAt = 0
  let draftPlace = 0
  let draftMadeAt = Number.NEGATIVE_INFINITY

  function pack(trunk: Trunk, chain: string, changes: readonly Change[], at: number) {
    const after = trunk.heads[chain] ?? noChain
    const record = packEntry({ session, writer: chain, after, at, salt: createId(random, 16), changes })
    return { record, rows: toJournalRows(session, trunk.position + 1, record) }
  }

  function headRows(state: SessionState, isDue: boolean): Row[] {
    const head = toHead(state)
    const listed = JSON.stringify({ ...head, savedAt: 0 })
    if (listed === listedHead && head.savedAt - listedAt < headTrailsMs && !isDue) return []
    listedHead = listed
    listedAt = head.savedAt
    return [{ store: 'heads', key: [head.account, session], value: head }]
  }

  function draftRow(trunk: Trunk, local: Local, changes: readonly SetChange[], ahead: Ahead): Row {
    const n = (trunk.heads[writer] ?? noChain).n + 1 + (ahead === 0 ? 0 : 1)
    // An entry under way may lose its place to one that nobody here has read.
    const base = trunk.position + (ahead === 1 ? 1 : 0)
    const at = local.lastTypedAt || hybrid.next()
    const draft = { writer, n, at, base, typedAt: (one: Operation) => local.typedAt(one) || at }
    draftMadeAt = clock.now()
    const key = [session, writer, draftPlace]
    return { store: 'drafts', key, value: toDraftRow(draft, changes) }
  }

  function isDraftOld(): boolean {
    return Math.abs(clock.now() - draftMadeAt) > freshMs
  }

  /** What goes from the old one: the row there was, and one that may be there though its write failed. */
  function newPlace(hasDraftRow: boolean): Range[] {
    draftPlace += 1
    return hasDraftRow || draftPlace > 1 ? [draftRange(session, writer)] : []
  }

  function derived(
    kind: 'adopt' | 'merge',
    trunk: Trunk,
    changes: readonly Change[],
    extra: {
      /** When what it holds was entered: no later than that, or it would outdate what was typed since. */
      readonly at: number
      readonly chain?: string
      readonly put?: readonly Row[]
      readonly remove?: readonly Range[]
    },
  ): Batch {
    const { at: stamp, chain = writer, put = [], remove = [] } = extra
    const { record, rows } = pack(trunk, chain, changes, stamp)
    const state = fold(trunk.state, changes)
    const all = [...put, ...headRows(state, false), ...rows.chunks]
    return {
      kind,
      write: { durability: 'strict', put: all, remove, add: rows.add },
      chain,
      record,
      changes,
      state,
      items: [],
      stamp,
      covers: 0,
      hasTyping: false,
    }
  }

  return {
    draftRow,
    lastDraft(trunk, local, changes, hasDraftRow) {
      const remove = isDraftOld() ? newPlace(hasDraftRow) : []
      return { durability: 'relaxed', remove, put: [draftRow(trunk, local, changes, 'perhaps')] }
    },
    local(trunk, local, { leading, hasDraftRow, durability, isHeadDue, covers }) {
      const { typing, isTypingDirty } = local
      const items = local.takeQueue()
      const changes = [...leading, ...items.map((item) => item.change)]
      const stamp = items.reduce((latest, item) => Math.max(latest, item.at), 0) || hybrid.next()
      const entry = changes.length > 0 ? pack(trunk, writer, changes, stamp) : undefined
      const state = fold(trunk.state, changes)
      const put: Row[] = []
      const remove: Range[] = []
      if (isTypingDirty && typing.length > 0) {
        if (entry === undefined && isDraftOld()) remove.push(...newPlace(hasDraftRow))
        put.push(draftRow(trunk, local, typing, entry ? 1 : 0))
      } else if (hasDraftRow && typing.length === 0) remove.push(draftRange(session, writer))
      if (entry) put.push(...headRows(state, durability === 'strict'), ...entry.rows.chunks)
      else if (isHeadDue && put.length === 0) put.push(...headRows(state, true))
      local.markTypingStored()
      return {
        kind: 'local',
        write: { durability, put, remove, ...(entry && { add: entry.rows.add }) },
        chain: writer,
        record: entry?.record,
        changes,
        state,
        items,
        stamp,
        covers,
        hasTyping: isTypingDirty,
      }
    },
    merge(trunk, leading, theirs, renumbered) {
      const { state, losers } =
        trunk.position < 0
          ? { state: theirs.state, losers: [] }
          : mergeStates({
              base: theirs.base,
              ours: trunk.state,
              theirs: theirs.state,
              ourStamp: theirs.ourStampOf,
              theirStamp: theirs.stampOf,
              policyOf,
              isTheirsFinal: true,
            })
      hybrid.hear(theirs.at)
      const patch = diff(trunk.state as unknown as Json, state as unknown as Json)
      const merged: Change = { type: 'merged', patch, joins: theirs.heads, losers }
      return derived('merge', trunk, [...leading, merged], {
        at: theirs.at,
        chain: theirs.isFastForward ? writer + localSuffix : writer,
        put: [...theirs.rows(trunk.position + 1), ...(theirs.isFastForward ? [] : renumbered())],
      })
    },
    adopt(trunk, draft, renumbered) {
      const { writer: from, n, at } = draft
      const losers = losersOf(draft, trunk.state)
      const changes: Change[] = [{ type: 'adopted', writer: from, n }, ...newIn(draft, trunk.state)]
      if (losers.length > 0) changes.push({ type: 'merged', patch: [], joins: {}, losers })
      return derived('adopt', trunk, changes, {
        at,
        put: renumbered(),
        remove: [{ store: 'drafts', prefix: draft.key }],
      })
    },
  }
}

/** What a draft says that is not so already, as where it was adopted before and its writer went on with it. */
function newIn(draft: Draft, { answers }: SessionState): Change[] {
  return draft.changes.flatMap((change) => {
    if (change.type !== 'set') return change
    const before = answers[change.step] as Json | undefined
    const patch = diff(before, applyPatch(before, change.patch))
    return patch.length > 0 ? { ...change, patch } : []
  })
}

function draftRange(session: string, writer: string): Range {
  return { store: 'drafts', prefix: [session, writer] }
}
