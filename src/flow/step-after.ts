import type { Answers, StepId } from '../record/state.ts'
import { type Finished, type Flow, leafOf } from './definition.ts'
import { pathOf } from './path.ts'

/**
 * The step that follows on the path, or `undefined` after the last. From a step off the path: the first one on it that
 * is listed later. Throws `step-unknown`.
 */
export function stepAfter(
  flow: Flow,
  answers: Answers,
  step: StepId,
  finished?: Finished,
): StepId | undefined {
  const { steps } = pathOf(flow, answers, finished)
  const { order } = leafOf(flow, step)
  const at = steps.indexOf(step)
  return at < 0 ? steps.find((other) => leafOf(flow, other).order > order) : steps[at + 1]
}
