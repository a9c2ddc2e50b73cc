/**
 * Three-way merge of session states: base, ours, theirs. One pure, total function for tab against tab and device
 * against device.
 *
 * Invariants
 * - Total: any three states give a state; nothing throws, no clock or store is read.
 * - Never invents: every value in the result stands in ours or in theirs.
 * - Never drops: where both sides changed the same field differently, the value not taken is returned as a loser.
 * - Idempotent: merging a side with itself, or with the base, gives that side.
 * - Symmetric in the answers under `latest`: swapping the sides gives the same answers.
 * - Answers merge by field path through objects; lists are one value. The later stamp wins, ties by the writer's id.
 * - Status is monotone: an ended side wins, and what the other side changed since is kept as losers, never applied.
 * - A step stays finished only where its merged answers are those it was finished with.
 */
import { isJsonObject, type Json } from '../base/json.ts'
import { isEqual, toToken, withMember } from '../base/patch.ts'
import {
  type Answers,
  type Finish,
  isEnded,
  type Loser,
  type SessionState,
  type StepId,
} from '../record/state.ts'

/** When and by whom a field was last changed on one side since the base. */
export interface Stamp {
  readonly at: number
  readonly writer: string
}
export type StampOf = (step: StepId, path: string) => Stamp

export interface MergeOptions {
  readonly base: SessionState
  readonly ours: SessionState
  readonly theirs: SessionState
  readonly ourStamp: StampOf
  readonly theirStamp: StampOf
  /** True where theirs is what a server acknowledged: an end there is final, however ours ended. Default false. */
  readonly isTheirsFinal?: boolean
}

export interface MergeOutcome {
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
    const side = ended === ours ? 'theirs' : 'ours'
    const other = ended === ours ? theirs : ours
    collectLosers({ ...options, ended, other, side, losers })
    return { state: { ...ended, visited: { ...other.visited, ...ended.visited } }, losers }
  }
  const answers = mergeAnswers(options, losers)
  return {
    state: {
      ...theirs,
      flow: isEqual(theirs.flow as unknown as Json, base.flow as unknown as Json) ? ours.flow : theirs.flow,
      status: theirs.status === base.status ? ours.status : theirs.status,
      step: ours.step,
      answers,
      finished: mergeFinished(options, answers),
      visited: { ...theirs.visited, ...ours.visited },
    },
    losers,
  }
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

interface Place extends MergeOptions {
  readonly step: StepId
  readonly losers: Loser[]
}

function mergeValue(
  place: Place,
  path: string,
  base: Json | undefined,
  ours: Json | undefined,
  theirs: Json | undefined,
): Json | undefined {
  if (ours === theirs || isEqual(ours, base)) return theirs
  if (isEqual(theirs, base) || isEqual(ours, theirs)) return isEqual(ours, theirs) ? theirs : ours
  if (isJsonObject(ours) && isJsonObject(theirs) && (base === undefined || isJsonObject(base))) {
    let merged = theirs
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      const before = base === undefined ? undefined : own(base, key)
      const value = mergeValue(place, `${path}/${toToken(key)}`, before, own(ours, key), own(theirs, key))
      if (value !== own(merged, key)) merged = withMember(merged, key, value)
    }
    return merged
  }
  const our = place.ourStamp(place.step, path)
  const their = place.theirStamp(place.step, path)
  const isOurs = our.at > their.at || (our.at === their.at && our.writer > their.writer)
  const lost = isOurs ? theirs : ours
  place.losers.push({
    step: place.step,
    path,
    ...(lost === undefined ? {} : { value: lost }),
    ...(isOurs ? their : our),
    side: isOurs ? 'theirs' : 'ours',
  })
  return isOurs ? ours : theirs
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

/** What `other` changed since the base and the ended side does not hold. */
function collectLosers(
  options: MergeOptions & {
    readonly ended: SessionState
    readonly other: SessionState
    readonly side: Loser['side']
    readonly losers: Loser[]
  },
): void {
  const { base, ended, other, side, losers } = options
  const stampOf = side === 'ours' ? options.ourStamp : options.theirStamp
  for (const step of new Set([...Object.keys(base.answers), ...Object.keys(other.answers)])) {
    const value = own(other.answers, step)
    if (isEqual(value, own(base.answers, step)) || isEqual(value, own(ended.answers, step))) continue
    losers.push({ step, path: '', ...(value === undefined ? {} : { value }), ...stampOf(step, ''), side })
  }
}

function own<T>(object: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
