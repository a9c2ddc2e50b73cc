import { type Operation, parsePointer, toItemToken } from '../base/patch.ts'
import type { Flow } from '../flow/definition.ts'
import { type Issue, type Validation, validateStep } from '../flow/validate-step.ts'
import type { KeyedItem, SessionState, StepAnswers, StepId } from '../record/state.ts'

/**
 * What the last `next()` found wrong with the step. While it is mended the issues follow: by the step's schema where
 * that answers at once, else by field. Only what was already pointed out is shown: mending one field does not scold
 * about the next.
 */
export interface StepIssues {
  readonly all: readonly Issue[]
  replace(issues: readonly Issue[]): void
  /** A field of the step was changed; true where the issues may have changed with it. */
  revise(state: SessionState, step: StepId, patch: readonly Operation[]): boolean
}

export function createStepIssues(flow: Flow, onError: (error: unknown) => void): StepIssues {
  let all: readonly Issue[] = []

  function check(state: SessionState, step: StepId): Validation | Promise<Validation> | undefined {
    try {
      return validateStep(flow, step, state.answers)
    } catch (error) {
      onError(error)
      return undefined
    }
  }

  return {
    get all() {
      return all
    },
    replace(issues) {
      all = issues
    },
    revise(state, step, patch) {
      if (!all.some((issue) => issue.step === step)) return false
      const verdict = check(state, step)
      if (verdict === undefined) return false
      if ('then' in verdict) {
        verdict.catch(onError)
        const touched = new Set(patch.map(({ path }) => fieldOf(state.answers[step], path)))
        all = all.filter((issue) => !touched.has(parsePointer(issue.path)[0]))
      } else {
        const found = verdict.type === 'invalid' ? verdict.issues : []
        all = found.filter((issue) => all.some((shown) => shown.path === issue.path))
      }
      return true
    },
  }
}

/** What an issue would call the field, or the item, that an operation changes: schemas count the items of a list. */
function fieldOf(answers: StepAnswers | undefined, path: string): string | undefined {
  const [first] = parsePointer(path)
  if (!Array.isArray(answers)) return first
  return String(
    (answers as readonly KeyedItem[]).findIndex(({ key }) => path.startsWith(`/${toItemToken(key)}/`)),
  )
}
