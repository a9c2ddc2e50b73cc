import { WaymarkError } from '../base/errors.ts'
import { type Json, toJson } from '../base/json.ts'
import { parsePointer } from '../base/patch.ts'
import type { StepId } from '../record/state.ts'
import type { Flow } from './definition.ts'

/**
 * Which value stands where two sides changed one field: the later by the hybrid clock (`latest`), the one stored first
 * (`theirs`: the server's between devices, the journal's between tabs), the one that comes to it (`ours`), the later
 * until a person has decided (`ask`), or what a function makes of the value before and both. The function is pure, gets
 * frozen copies, and gives plain JSON, or `undefined` for no value.
 */
export type MergePolicy<T = Json> =
  | 'latest'
  | 'theirs'
  | 'ours'
  | 'ask'
  | ((base: T | undefined, ours: T | undefined, theirs: T | undefined) => T | undefined)

/** A step's policies by field, of an item where the step repeats; `*` for the rest. */
export type MergePolicies = { readonly [field: string]: MergePolicy }

/** What a function of the flow made of a field; `undefined` where it failed. */
export type Combine = (
  base: Json | undefined,
  ours: Json | undefined,
  theirs: Json | undefined,
) => { readonly value: Json | undefined } | undefined

/** The policy at a place in a step's answers; none where the flow names none. */
export type PolicyOf = (
  step: StepId,
  path: string,
) => 'latest' | 'theirs' | 'ours' | 'ask' | Combine | undefined

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
