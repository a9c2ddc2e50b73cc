import type { Json } from '../base/json.ts'
import type { StepId } from '../record/state.ts'

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
