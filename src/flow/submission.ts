import type { Answers, StepAnswers, StepId } from '../record/state.ts'
import type { AnyAnswers, Finished, Flow } from './definition.ts'
import { pathOf } from './path.ts'

/** The answers of the steps on the path. Those of left branches stay in the session and are not sent. */
export function submission(flow: Flow, answers: AnyAnswers, finished?: Finished): Answers {
  const submitted: Record<StepId, StepAnswers> = {}
  for (const step of pathOf(flow, answers, finished).steps) {
    const value = answers[step] as StepAnswers | undefined
    if (value !== undefined) submitted[step] = value
  }
  return Object.freeze(submitted)
}
