import type { SessionState, StepId } from '../record/state.ts'
import { type Flow, leafOf } from './definition.ts'
import { pathOf } from './path.ts'

/**
 * Where `back` leads: the nearest earlier step on the path that was visited, or `undefined`. From a step off the path,
 * earlier is what is listed earlier. Throws `step-unknown`.
 */
export function stepBefore(
  flow: Flow,
  state: Pick<SessionState, 'answers' | 'finished' | 'visited'>,
  step: StepId,
): StepId | undefined {
  const { steps } = pathOf(flow, state.answers, state.finished)
  const { order } = leafOf(flow, step)
  const at = steps.indexOf(step)
  return steps.findLast(
    (other, i) =>
      Object.hasOwn(state.visited, other) && (at < 0 ? leafOf(flow, other).order < order : i < at),
  )
}
