import { WaymarkError } from '../base/errors.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import { toToken } from '../base/patch.ts'
import type { KeyedItem, StepId } from '../record/state.ts'
import { type AnyAnswers, type Flow, type Leaf, leafOf } from './definition.ts'
import type { SchemaIssue, SchemaResult, StandardSchemaV1 } from './standard-schema.ts'

export type Validation =
  /** `value` is the schema's output; items of a repeatable step keep their `key`. */
  | { readonly type: 'valid'; readonly value: unknown }
  | { readonly type: 'invalid'; readonly issues: readonly Issue[] }

export interface Issue {
  readonly step: StepId
  /** JSON Pointer into the step's answers. */
  readonly path: string
  readonly message: string
}

/**
 * Validates a step's answers, as a promise only where the schema is asynchronous. Answers that are not there validate as
 * `{}`, or as an empty list. An item of a repeatable step is validated without its `key`, unless its schema asks for it.
 * Throws or rejects with `schema-failed` where the schema itself fails, and with `step-unknown`.
 */
export function validateStep(
  flow: Flow,
  step: StepId,
  answers: AnyAnswers,
): Validation | Promise<Validation> {
  const leaf = leafOf(flow, step)
  const value = (answers[step] ?? (leaf.each === undefined ? {} : [])) as Json
  if (leaf.each !== undefined ? !Array.isArray(value) : !isJsonObject(value)) {
    const message = leaf.each === undefined ? 'Expected an object.' : 'Expected a list of items.'
    return { type: 'invalid', issues: [{ step, path: '', message }] }
  }
  try {
    const verdict =
      leaf.each === undefined
        ? validateOne(leaf, value)
        : validateItems(leaf, leaf.each, value as readonly KeyedItem[])
    return isPromise(verdict)
      ? verdict.then(undefined, (cause: unknown) => {
          throw schemaFailed(flow, step, cause)
        })
      : verdict
  } catch (cause) {
    throw schemaFailed(flow, step, cause)
  }
}

function validateOne(leaf: Leaf, value: Json): Validation | Promise<Validation> {
  if (leaf.schema === undefined) return { type: 'valid', value }
  return then(leaf.schema['~standard'].validate(value), (result) =>
    result.issues === undefined
      ? { type: 'valid', value: result.value }
      : { type: 'invalid', issues: result.issues.map((issue) => issueOf(leaf.id, '', issue)) },
  )
}

function validateItems(
  leaf: Leaf,
  schema: StandardSchemaV1,
  items: readonly KeyedItem[],
): Validation | Promise<Validation> {
  const results = items.map((item) => validateItem(schema, item))
  const all: readonly SchemaResult<unknown>[] | Promise<readonly SchemaResult<unknown>[]> = results.some(
    isPromise,
  )
    ? Promise.all(results)
    : (results as readonly SchemaResult<unknown>[])
  return then(all, (settled) => {
    const issues = settled.flatMap((result, i) =>
      (result.issues ?? []).map((issue) => issueOf(leaf.id, `/${i}`, issue)),
    )
    if (issues.length > 0) return { type: 'invalid', issues }
    const values = settled.map((result, i) =>
      withKey('value' in result ? result.value : undefined, items[i]!),
    )
    return { type: 'valid', value: values }
  })
}

function validateItem(
  schema: StandardSchemaV1,
  item: KeyedItem,
): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  const { validate } = schema['~standard']
  if (!isJsonObject(item) || !Object.hasOwn(item, 'key')) return validate(item)
  const { key: _, ...rest } = item
  return then(validate(rest), (result) => (result.issues?.some(isAboutKey) ? validate(item) : result))
}

function isAboutKey({ path = [] }: SchemaIssue): boolean {
  return path.length === 1 && tokenOf(path[0]!) === 'key'
}

function withKey(value: unknown, item: KeyedItem): unknown {
  return isJsonObject(value) && isJsonObject(item) ? { key: item.key, ...value } : value
}

function issueOf(step: StepId, prefix: string, { path = [], message }: SchemaIssue): Issue {
  return { step, path: prefix + path.map((segment) => `/${toToken(tokenOf(segment))}`).join(''), message }
}

function tokenOf(segment: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof segment === 'object' ? segment.key : segment)
}

function schemaFailed(flow: Flow, step: StepId, cause: unknown): WaymarkError {
  return new WaymarkError(
    'schema-failed',
    `The schema of step "${step}" in flow "${flow.id}" failed instead of giving a verdict. Fix the schema; the answers are kept.`,
    { details: { flow: flow.id, step }, cause },
  )
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === 'function'
}

function then<T, R>(value: T | Promise<T>, use: (value: T) => R | Promise<R>): R | Promise<R> {
  return isPromise(value) ? value.then(use) : use(value)
}
