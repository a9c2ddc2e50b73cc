/**
 * What a session is, and the changes that make it. Everything at rest and on the wire is made of these shapes.
 *
 * Invariants
 * - A state is immutable, plain JSON, and shares what a change left alone with the state before it.
 * - `applyChange` is pure and total over checked changes: the machine, the journal and a replay all fold with it, so
 *   they cannot disagree.
 * - Answers are kept for every step ever filled, on the path or off it; only a restart clears them.
 * - What a merge did not take is in `conflicts` until someone decides, on whatever device; a restart clears them too.
 * - A step counts as finished until its answers change; nothing else un-finishes it.
 * - Status is monotone: once `done`, `abandoned` or `expired`, no change alters answers or status, but for a merge with
 *   a side that ended too, and for `reopened`, which takes back a `done` that no server accepted.
 */
import { canonicalJson } from '../base/canonical.ts'
import { sha256 } from '../base/hash.ts'
import type { Json, JsonObject } from '../base/json.ts'
import type { KeyedItem } from '../base/keyed-list.ts'
import { applyPatch, type Operation, withMember } from '../base/patch.ts'

/** The leaf step's address: its key, or `parent.child` inside a sub-flow. */
export type StepId = string

export type Status =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'done'
  | 'failed'
  | 'abandoned'
  | 'expired'

/** A step's answers: an object, or for a repeatable step a list of objects with a `key`. */
export type StepAnswers = JsonObject | readonly KeyedItem[]
export type { KeyedItem }
export type Answers = { readonly [step: StepId]: StepAnswers | undefined }

/** How a step was finished. */
export type Finish = 'valid' | 'skipped'

export interface FlowRef {
  readonly id: string
  readonly version: number
  /** Structural hash of the flow's definition. */
  readonly hash: string
}

export interface SessionState {
  readonly flow: FlowRef
  readonly status: Status
  /** Where the last active tab is: a hint for resume, each tab keeps its own position. */
  readonly step: StepId
  readonly answers: Answers
  readonly finished: { readonly [step: StepId]: Finish }
  readonly visited: { readonly [step: StepId]: true }
  /** The steps that were submitted, once `done`. */
  readonly submitted?: readonly StepId[]
  /** What lost a conflict and is offered; absent where nothing is. */
  readonly conflicts?: Conflicts
}

/** Losers by {@link conflictId}. */
export type Conflicts = { readonly [id: string]: Loser }

export type MoveCause = 'next' | 'back' | 'goTo' | 'skip' | 'path'

export type Change =
  | { readonly type: 'started'; readonly flow: FlowRef; readonly step: StepId; readonly key: string }
  | { readonly type: 'set'; readonly step: StepId; readonly patch: readonly Operation[] }
  | { readonly type: 'finished'; readonly step: StepId; readonly how: Finish }
  | { readonly type: 'moved'; readonly from: StepId; readonly to: StepId; readonly by: MoveCause }
  | { readonly type: 'status'; readonly to: Status; readonly submitted?: readonly StepId[] }
  | { readonly type: 'restarted'; readonly step: StepId }
  /** A finish the server refused was taken back: the one way out of an end. */
  | { readonly type: 'reopened' }
  | { readonly type: 'resumed'; readonly position: number }
  /** The draft of a writer that is gone became part of this entry; a second adoption is dropped. */
  | { readonly type: 'adopted'; readonly writer: string; readonly n: number }
  | {
      /** Two histories became one: `patch` leads from the state before to the merged state. */
      readonly type: 'merged'
      readonly patch: readonly Operation[]
      /** Head hash per writer that this entry joins. */
      readonly joins: { readonly [writer: string]: string }
      readonly losers: readonly Loser[]
    }
  /** Someone decided about a conflict: what restoring it sets, where that was chosen, is a change of its own. */
  | { readonly type: 'resolved'; readonly id: string; readonly choice: 'keep' | 'restore' }

/** What a merge did not take of one side: kept, never dropped; `value` is absent where that side had removed it. */
export interface Loser {
  readonly step: StepId
  /** Within the step's answers; items of keyed lists by key (`base/keyed-list.ts`). */
  readonly path: string
  readonly value?: Json
  /** Hybrid stamp of when it was entered, and by whom. */
  readonly at: number
  readonly writer: string
  /**
   * `ask`: the flow wants a person to decide. `late`: entered after the session had ended elsewhere. `settled`: by a rule
   * of the flow, recorded and not offered.
   */
  readonly kind?: 'ask' | 'late' | 'settled'
}

const endStatuses: ReadonlySet<Status> = new Set<Status>(['done', 'abandoned', 'expired'])

/** Tells a session nothing more can be entered into. */
export function isEnded(status: Status): boolean {
  return endStatuses.has(status)
}

/** The state before the first entry. */
export function initialState(flow: FlowRef, step: StepId): SessionState {
  return Object.freeze({
    flow: Object.freeze({ ...flow }),
    status: 'pending',
    step,
    answers: Object.freeze({}),
    finished: Object.freeze({}),
    visited: Object.freeze({ [step]: true as const }),
  })
}

/** Folds one change into a state. */
export function applyChange(state: SessionState, change: Change): SessionState {
  switch (change.type) {
    case 'started':
      if (state.status !== 'pending') return state
      return { ...initialState(change.flow, change.step), status: 'running' }
    case 'merged': {
      const merged = applyPatch(state as unknown as Json, change.patch) as unknown as SessionState
      const kept = isEnded(state.status) && !isEnded(merged.status) ? state : merged
      const open = change.losers.filter(({ kind }) => kind !== 'settled')
      if (open.length === 0) return kept
      return {
        ...kept,
        conflicts: { ...kept.conflicts, ...Object.fromEntries(open.map((one) => [conflictId(one), one])) },
      }
    }
    case 'resolved':
      return state.conflicts === undefined ? state : withConflicts(state, without(state.conflicts, change.id))
    case 'resumed':
    case 'adopted':
      return state
    case 'reopened': {
      const { submitted: _, ...rest } = state
      return state.status === 'done' ? { ...rest, status: 'running' } : state
    }
  }
  if (isEnded(state.status)) return state
  switch (change.type) {
    case 'set': {
      const before = Object.hasOwn(state.answers, change.step) ? state.answers[change.step] : undefined
      const after = applyPatch(before, change.patch)
      if (after === before) return state
      return {
        ...state,
        status: state.status === 'pending' ? 'running' : state.status,
        answers: withMember(state.answers as JsonObject, change.step, after) as Answers,
        finished: without(state.finished, change.step),
      }
    }
    case 'finished':
      if (Object.hasOwn(state.finished, change.step) && state.finished[change.step] === change.how)
        return state
      return { ...state, finished: { ...state.finished, [change.step]: change.how } }
    case 'moved':
      return {
        ...state,
        step: change.to,
        visited: Object.hasOwn(state.visited, change.to)
          ? state.visited
          : { ...state.visited, [change.to]: true },
      }
    case 'status':
      return {
        ...state,
        status: change.to,
        ...(change.submitted === undefined ? {} : { submitted: change.submitted }),
      }
    case 'restarted':
      return { ...initialState(state.flow, change.step), status: 'running' }
  }
}

/** The same loss, met again by another tab or device, has the same id. */
export function conflictId({ step, path, value, at, writer }: Loser): string {
  return sha256(canonicalJson([step, path, at, writer, ...(value === undefined ? [] : [value])])).slice(0, 16)
}

/** The state with these conflicts and no others. */
export function withConflicts(state: SessionState, conflicts: Conflicts): SessionState {
  const { conflicts: before, ...rest } = state
  if (conflicts === before) return state
  return Object.keys(conflicts).length === 0 ? rest : { ...rest, conflicts }
}

function without<T>(record: { readonly [key: string]: T }, key: string): { readonly [key: string]: T } {
  if (!Object.hasOwn(record, key)) return record
  const { [key]: _, ...rest } = record
  return rest
}
