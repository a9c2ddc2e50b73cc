import type { StepId } from '../record/state.ts'
import { type AnyState, type Flow, leafOf } from './definition.ts'
import { pathOf } from './path.ts'

/**
 * The earliest step on the path that is not finished, or `undefined` where nothing holds the person back. An optional
 * step counts only once something was entered into it.
 */
export function needsAttention(
  flow: Flow,
  state: Pick<AnyState, 'answers' | 'finished'>,
): StepId | undefined {
  const { answers, finished } = state
  return pathOf(flow, answers, finished).steps.find(
    (step) =>
      !Object.hasOwn(finished, step) &&
      !(leafOf(flow, step).isOptional && isEmpty(answers[step] as object | undefined)),
  )
}

function isEmpty(answers: object | undefined): boolean {
  return answers === undefined || Object.keys(answers).length === 0
}
