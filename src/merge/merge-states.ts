/**
 * Three-way merge of session states: base, ours, theirs. One pure, total function for tab against tab and device
 * against device. Theirs is what was stored first: by the server between devices, in the journal between tabs; ours is
 * what comes to it. Whoever comes to it decides, and everyone takes over what was decided: so no policy, not even
 * `ours`, makes two of them differ in the end.
 *
 * Invariants
 * - Total: any three states give a state; nothing throws, no clock or store is read.
 * - Never invents: every value in the result stands in ours or in theirs, unless a function of the flow made it.
 * - Never drops: where both sides changed the same field differently, the value not taken is returned as a loser.
 * - Idempotent: merging a side with itself, or with the base, gives that side.
 * - Symmetric in the answers where the policy is (`latest`, `ask`): swapping the sides gives the same answers.
 * - Answers merge by field path through objects and through keyed lists; other lists are one value (`merge-value.ts`).
 * - Status is monotone: an ended side wins, and what the other side changed since is kept as losers, never applied.
 * - A step stays finished only where its merged answers are those it was finished with.
 * - A conflict stays open until one side resolved it.
 */
import type { Json } from '../base/json.ts'
import { isEqual } from '../base/patch.ts'
import {
  type Answers,
  type Conflicts,
  type Finish,
  isEnded,
  type Loser,
  type SessionState,
  type StepId,
  withConflicts,
} from '../record/state.ts'
import { lose, type MergeRules, mergeValue, own } from './merge-value.ts'

export interface MergeOptions extends MergeRules {
  readonly base: SessionState
  readonly ours: SessionState
  readonly theirs: SessionState
  /** True where theirs is what a server acknowledged: an end there is final, however ours ended. Default false. */
  readonly isTheirsFinal?: boolean
}

export interface MergeOutcome {
  /** Without the conflicts that the losers make: folding them adds those. */
  readonly state: SessionState
  readonly losers: readonly Loser[]
}

export function mergeStates(options: MergeOptions): MergeOutcome {
  const { base, ours, theirs } = options
  if (ours === base || ours === theirs) return { state: theirs, losers: [] }
  if (theirs === base) return { state: ours, losers: [] }
  const losers: Loser[] = []
  const ended = pickEnded(options)
  if (ended !== undefined) {
    const other = ended === ours ? theirs : ours
    const stampOf = ended === ours ? options.theirStamp : options.ourStamp
    for (const step of new Set([...Object.keys(base.answers), ...Object.keys(other.answers)])) {
      const value = own(other.answers, step)
      if (isEqual(value, own(base.answers, step)) || isEqual(value, own(ended.answers, step))) continue
      lose({ ...options, step, losers }, '', value, stampOf, 'late')
    }
    const state = { ...ended, visited: { ...other.visited, ...ended.visited } }
    return { state: withConflicts(state, mergeConflicts(options)), losers }
  }
  const answers = mergeAnswers(options, losers)
  const state = {
    ...theirs,
    flow: isEqual(theirs.flow as unknown as Json, base.flow as unknown as Json) ? ours.flow : theirs.flow,
    status: theirs.status === base.status ? ours.status : theirs.status,
    step: ours.step,
    answers,
    finished: mergeFinished(options, answers),
    visited: { ...theirs.visited, ...ours.visited },
  }
  return { state: withConflicts(state, mergeConflicts(options)), losers }
}

/** What is open on both sides, or new on one: what one side resolved is. */
function mergeConflicts({ base, ours, theirs }: MergeOptions): Conflicts {
  const [was = {}, our = {}, their = {}] = [base.conflicts, ours.conflicts, theirs.conflicts]
  return Object.fromEntries(
    Object.entries({ ...our, ...their }).filter(
      ([id]) => !Object.hasOwn(was, id) || (Object.hasOwn(our, id) && Object.hasOwn(their, id)),
    ),
  )
}

/** `done` before `abandoned` before `expired`; with both sides the same, theirs: it is the one already acknowledged. */
function pickEnded({ base, ours, theirs, isTheirsFinal }: MergeOptions): SessionState | undefined {
  if (isTheirsFinal && isEnded(theirs.status)) return theirs
  for (const status of ['done', 'abandoned', 'expired'] as const) {
    if (theirs.status === status && !isTakenBack(base, ours, theirs)) return theirs
    if (ours.status === status && !isTakenBack(base, theirs, ours)) return ours
  }
  return undefined
}

/** One side reopened what was done before they parted, and the other did nothing to it since. */
function isTakenBack(base: SessionState, reopened: SessionState, ended: SessionState): boolean {
  return base.status === ended.status && base.status === 'done' && reopened.status !== 'done'
}

function mergeAnswers(options: MergeOptions, losers: Loser[]): Answers {
  const { base, ours, theirs } = options
  if (ours.answers === base.answers) return theirs.answers
  if (theirs.answers === base.answers) return ours.answers
  const merged: Record<StepId, Answers[string]> = {}
  let isTheirs = true
  for (const step of new Set([...Object.keys(theirs.answers), ...Object.keys(ours.answers)])) {
    const value = mergeValue(
      { ...options, step, losers },
      '',
      own(base.answers, step),
      own(ours.answers, step),
      own(theirs.answers, step),
    )
    if (value !== own(theirs.answers, step)) isTheirs = false
    if (value !== undefined) {
      Object.defineProperty(merged, step, { value, enumerable: true, configurable: true, writable: true })
    }
  }
  return isTheirs ? theirs.answers : merged
}

/** The side whose answers were taken says whether the step is finished; where both have them, the side that changed it. */
function mergeFinished(options: MergeOptions, answers: Answers): SessionState['finished'] {
  const { base, ours, theirs } = options
  const finished = new Map<StepId, Finish>()
  for (const step of new Set([...Object.keys(theirs.finished), ...Object.keys(ours.finished)])) {
    const taken = own(answers, step)
    const isOurs = isEqual(taken, own(ours.answers, step))
    const isTheirs = isEqual(taken, own(theirs.answers, step))
    if (!isOurs && !isTheirs) continue
    const was = own(base.finished, step)
    const our = isOurs ? own(ours.finished, step) : was
    const their = isTheirs ? own(theirs.finished, step) : was
    const how = our === was ? their : their === was || our === 'valid' ? our : (their ?? our)
    if (how !== undefined) finished.set(step, how)
  }
  return Object.fromEntries(finished)
}
