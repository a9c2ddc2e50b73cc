import type { Status, StepId } from '../record/state.ts'
import { type AnyState, type Flow, leafOf, type Path } from './definition.ts'
import { pathOf } from './path.ts'
import { reachableSteps } from './reachable-steps.ts'

export interface Progress {
  /** Finished or skipped steps on the path. */
  readonly done: number
  /** How many steps there are at least and at most, done ones included. */
  readonly min: number
  readonly max: number
  /** Steps still to come; none once the session is done. */
  readonly remaining: { readonly min: number; readonly max: number }
  /** 0 to 1 by weight, against the maximum; 1 only once the session is done. */
  readonly fraction: number
  /** The path with what may join it, in order. */
  readonly steps: readonly StepProgress[]
}

export interface StepProgress {
  readonly id: StepId
  readonly title: string
  readonly state: 'finished' | 'skipped' | 'current' | 'todo' | 'undecided'
  readonly isOptional: boolean
  /** `goTo` leads there. */
  readonly isReachable: boolean
}

/** The most a session shows that is not done: submitting is still to come. */
const almostDone = 0.99

/** As `isEnded` in `record/`, of which this room knows the shapes only; a test compares them. */
const endStatuses: readonly Status[] = ['done', 'abandoned', 'expired']

/** How many steps are done, and how many there are at least and at most. */
export function stepCounts(flow: Flow, state: AnyState): Pick<Progress, 'done' | 'min' | 'max'> {
  const { steps, undecided } = pathOf(flow, state.answers, state.finished)
  const done = steps.filter((step) => Object.hasOwn(state.finished, step)).length
  return { done, min: steps.length, max: steps.length + undecided.length }
}

/** How far a session is. Derived from flow and answers: left branches never count. */
export function progressOf(flow: Flow, state: AnyState, current: StepId): Progress {
  const path = pathOf(flow, state.answers, state.finished)
  const { done, min, max } = stepCounts(flow, state)
  const reachable = reachableSteps(flow, state)
  const isOver = endStatuses.includes(state.status)
  const isDone = state.status === 'done'
  const sure = new Set(path.steps)
  const finishOf = (step: StepId) =>
    sure.has(step) && Object.hasOwn(state.finished, step) ? state.finished[step] : undefined
  const weightOf = (steps: readonly StepId[]) =>
    steps.reduce((sum, step) => sum + leafOf(flow, step).weight, 0)

  const finished = path.steps.filter((step) => finishOf(step) !== undefined)
  const whole = weightOf(path.steps) + weightOf(path.undecided)
  const share = whole === 0 ? 0 : weightOf(finished) / whole

  const stateOf = (step: StepId): StepProgress['state'] => {
    if (step === current && !isOver) return 'current'
    if (!sure.has(step)) return 'undecided'
    const how = finishOf(step)
    return how === undefined ? 'todo' : how === 'valid' ? 'finished' : 'skipped'
  }
  return {
    done,
    min,
    max,
    remaining: isDone ? { min: 0, max: 0 } : { min: min - done, max: max - done },
    fraction: isDone ? 1 : Math.min(share, almostDone),
    steps: inOrder(flow, path).map((id) => {
      const { title, isOptional } = leafOf(flow, id)
      return { id, title, state: stateOf(id), isOptional, isReachable: !isOver && reachable.has(id) }
    }),
  }
}

/** The steps of the path, each undecided one before the first that is listed after it. */
function inOrder(flow: Flow, path: Path): readonly StepId[] {
  const waiting = [...path.undecided]
  const merged: StepId[] = []
  for (const step of path.steps) {
    const { order } = leafOf(flow, step)
    while (waiting.length > 0 && leafOf(flow, waiting[0]!).order < order) merged.push(waiting.shift()!)
    merged.push(step)
  }
  return [...merged, ...waiting]
}
