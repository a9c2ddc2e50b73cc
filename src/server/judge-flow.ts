import type { Flow } from '../flow/definition.ts'
import { pathOf } from '../flow/path.ts'
import { validateStep } from '../flow/validate-step.ts'
import type { HeldSession, HeldStep, PushWrite } from '../protocol/held.ts'
import type { FieldIssue } from '../protocol/wire.ts'
import { parseJson } from '../record/guard.ts'
import { conflictsPart } from '../record/parts.ts'
import type { Answers, StepAnswers, StepId } from '../record/state.ts'

/** Whether the push makes the session `done`. */
export function isSubmit(held: HeldSession | undefined, write: PushWrite): boolean {
  return write.meta.status === 'done' && held?.meta.status !== 'done'
}

/** The steps a push newly says are finished as valid: finished just now, or changed and finished again. */
export function newlyFinished(held: HeldSession | undefined, write: PushWrite): readonly StepId[] {
  const changed = new Set(write.steps.map(({ step }) => step))
  const before = held?.meta.finished ?? {}
  return Object.keys(write.meta.finished).filter(
    (step) =>
      write.meta.finished[step] === 'valid' &&
      (changed.has(step) || !Object.hasOwn(before, step) || before[step] !== 'valid'),
  )
}

/** All answers as they will be once the push is written. */
export function answersAfter(held: readonly HeldStep[], write: PushWrite): Answers {
  const texts = new Map([...held, ...write.steps].map(({ step, text }) => [step, text]))
  return Object.fromEntries(
    [...texts].flatMap(([step, text]) =>
      text === null || step === conflictsPart ? [] : [[step, parseJson(text) as unknown as StepAnswers]],
    ),
  )
}

/**
 * What a flow objects to in a push: steps finished that are not valid, and a submit with a step left out or too many.
 * Rejects with what a schema or a condition throws.
 */
export async function judgeFlow(
  flow: Flow,
  held: HeldSession | undefined,
  write: PushWrite,
  answers: Answers,
): Promise<readonly FieldIssue[]> {
  const { finished, submitted = [] } = write.meta
  const steps = new Set(newlyFinished(held, write))
  const issues: FieldIssue[] = []
  if (isSubmit(held, write)) {
    const path = pathOf(flow, answers, finished).steps
    for (const step of path) {
      const isOptional = flow.leaves.get(step)?.isOptional === true
      if (finished[step] === 'skipped') {
        if (!isOptional) issues.push(issue(step, 'This step may not be skipped.'))
      } else if (!isOptional || Object.hasOwn(answers, step)) steps.add(step)
    }
    for (const step of submitted) {
      if (!path.includes(step)) issues.push(issue(step, 'This step is not on the path these answers take.'))
    }
  }
  for (const step of steps) {
    if (!flow.leaves.has(step)) {
      issues.push(issue(step, 'The flow has no such step.'))
      continue
    }
    const validation = await validateStep(flow, step, answers)
    if (validation.type === 'invalid') issues.push(...validation.issues)
  }
  return issues
}

function issue(step: StepId, message: string): FieldIssue {
  return { step, path: '', message }
}
