import { WaymarkError } from '../base/errors.ts'
import { toJson } from '../base/json.ts'
import { parsePointer } from '../base/patch.ts'
import type { StepId } from '../record/state.ts'
import type { Flow } from './definition.ts'
import type { PolicyOf } from './merge-policy.ts'

/** A flow's policies. A function that throws, or gives what is not JSON, is told as `merge-failed`. */
export function policiesOf(flow: Flow, onError: (error: unknown) => void): PolicyOf {
  return (step, path) => {
    const { merge, each } = flow.leaves.get(step) ?? {}
    if (merge === undefined) return undefined
    const [field, ...inner] = parsePointer(path).slice(each === undefined ? 0 : 1)
    const policy = merge[field !== undefined && Object.hasOwn(merge, field) ? field : '*']
    if (typeof policy !== 'function') return policy
    if (field === undefined || inner.length > 0) return undefined
    return (base, ours, theirs) => {
      const copy = (value: unknown) => (value === undefined ? undefined : toJson(value))
      try {
        return { value: copy(policy(copy(base), copy(ours), copy(theirs))) }
      } catch (cause) {
        onError(mergeFailed(flow, step, field, cause))
        return undefined
      }
    }
  }
}

function mergeFailed(flow: Flow, step: StepId, field: string, cause: unknown): WaymarkError {
  return new WaymarkError(
    'merge-failed',
    `The merge function of field "${field}" of step "${step}" in flow "${flow.id}" failed. Fix it; the later value was taken, the other is offered.`,
    { details: { flow: flow.id, step, field }, cause },
  )
}
