import { WaymarkError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { CheckpointRule } from './definition.ts'
import type { MergePolicy } from './merge-policy.ts'
import { isStandardSchema } from './standard-schema.ts'

const members = new Set([
  'title',
  'description',
  'schema',
  'each',
  'flow',
  'when',
  'next',
  'optional',
  'weight',
  'milestone',
  'merge',
  'sensitive',
])

const policies: readonly unknown[] = ['latest', 'theirs', 'ours', 'ask'] satisfies MergePolicy[]
const rules: readonly unknown[] = ['change', 'step', 'milestone'] satisfies CheckpointRule[]

/** Throws `flow-invalid`, saying what to do, for a definition that cannot work. Plain JavaScript gets here untyped. */
export function checkDefinition(definition: unknown): void {
  if (!isJsonObject(definition)) throw invalid('?', undefined, 'Pass defineFlow an object.')
  const { id, version, title, steps, checkpoints = 'step', expiry } = definition as Record<string, unknown>
  if (typeof id !== 'string' || id === '') throw invalid('?', undefined, 'Give the flow an id, a text.')
  const fail = (what: string) => invalid(id, undefined, what)
  if (version !== undefined && !(Number.isSafeInteger(version) && (version as number) > 0)) {
    throw fail('Its version is a positive integer, 1 if left out.')
  }
  if (typeof title !== 'string') throw fail('Give it a title, a text.')
  if (!isJsonObject(steps) || Object.keys(steps).length === 0) throw fail('Give it at least one step.')
  if (!rules.includes(checkpoints)) throw fail(`Take its checkpoints at every ${rules.join(' or ')}.`)
  if (expiry !== undefined && !isExpiry(expiry)) {
    throw fail('Let it expire after a positive "afterMs", with "warnMs" below that, in milliseconds.')
  }
  for (const key of Object.keys(steps)) {
    const problem = problemOfKey(key) ?? problemOfStep(steps[key], key, steps)
    if (problem !== undefined) throw invalid(id, key, problem)
  }
}

function isExpiry(value: unknown): boolean {
  const { afterMs, warnMs = 0 } = (isJsonObject(value) ? value : {}) as Record<string, unknown>
  const isTime = (time: unknown): time is number => Number.isFinite(time)
  return isTime(afterMs) && isTime(warnMs) && afterMs > 0 && warnMs >= 0 && warnMs < afterMs
}

function problemOfKey(key: string): string | undefined {
  if (key === '') return 'Give the step a key.'
  if (/[./\\]/.test(key)) return 'Choose a key without ".", "/" and "\\": ids and pointers are made of it.'
  if (key in Object.prototype) return 'Choose another key: every JavaScript object has a member of this name.'
  if (/^(0|[1-9]\d*)$/.test(key)) return 'Choose a key that is no number: JavaScript would reorder the steps.'
  if (key === 'ended')
    return 'Choose another key: "ended" is the state of a session nothing can be entered into.'
  return undefined
}

function problemOfStep(step: unknown, key: string, steps: object): string | undefined {
  if (!isJsonObject(step)) return 'Make the step an object.'
  const { title, description, schema, each, flow, when, next, optional, weight, milestone } = step as Record<
    string,
    unknown
  >
  const unknown = Object.keys(step).find((member) => !members.has(member))
  if (unknown !== undefined) return `Remove "${unknown}": a step has ${[...members].join(', ')}.`
  if (typeof title !== 'string') return 'Give the step a title, a text.'
  if (description !== undefined && typeof description !== 'string') return 'Make its description a text.'
  if ([schema, each, flow].filter((kind) => kind !== undefined).length > 1) {
    return 'Keep one of schema, each and flow: a step holds answers, a list of them, or a sub-flow.'
  }
  for (const [name, kind] of Object.entries({ schema, each })) {
    if (kind !== undefined && !isStandardSchema(kind)) return `Make its ${name} a Standard Schema.`
  }
  if (flow !== undefined && !(isJsonObject(flow) && Array.isArray(flow['~nodes']))) {
    return 'Make its flow the result of defineFlow.'
  }
  if (when !== undefined && typeof when !== 'function') return 'Make its condition "when" a function.'
  if (optional !== undefined && typeof optional !== 'boolean') return 'Make "optional" true or false.'
  if (milestone !== undefined && typeof milestone !== 'boolean') return 'Make "milestone" true or false.'
  if (weight !== undefined && !(Number.isFinite(weight) && (weight as number) > 0)) {
    return 'Make its weight a positive number.'
  }
  const { merge, sensitive } = step as Record<string, unknown>
  if (merge !== undefined && !isPolicies(merge))
    return `Make "merge" an object of ${policies.join(', ')} or functions.`
  if (merge !== undefined && flow !== undefined) return 'Give "merge" to the steps of the sub-flow.'
  if (sensitive !== undefined && !isNames(sensitive)) return 'Make "sensitive" a list of names of fields.'
  if (sensitive !== undefined && flow !== undefined) return 'Give "sensitive" to the steps of the sub-flow.'
  return next === undefined ? undefined : problemOfNext(next, key, steps)
}

function isNames(names: unknown): boolean {
  return Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== '')
}

function isPolicies(merge: unknown): boolean {
  return (
    isJsonObject(merge) &&
    Object.values(merge).every((policy) => policies.includes(policy) || typeof policy === 'function')
  )
}

function problemOfNext(next: unknown, key: string, steps: object): string | undefined {
  if (!Array.isArray(next)) return 'Make "next" a list of { to, when }.'
  const seen = new Set<string>()
  for (const item of next as readonly unknown[]) {
    const { to, when } = (isJsonObject(item) ? item : {}) as Record<string, unknown>
    if (typeof to !== 'string' || !Object.hasOwn(steps, to)) {
      return `Lead "next" to one of: ${Object.keys(steps).join(', ')} (found ${JSON.stringify(to)}).`
    }
    if (to === key) return 'Lead "next" to another step than itself.'
    if (seen.has(to)) return `List "${to}" once in "next" and join its conditions.`
    if (when !== undefined && typeof when !== 'function') return 'Make each "when" in "next" a function.'
    seen.add(to)
  }
  return undefined
}

function invalid(flow: string, step: string | undefined, what: string): WaymarkError {
  const place = step === undefined ? `Flow "${flow}"` : `Step "${step}" of flow "${flow}"`
  return new WaymarkError('flow-invalid', `${place} cannot work. ${what}`, { details: { flow, step } })
}
