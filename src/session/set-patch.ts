import { canonicalJson } from '../base/canonical.ts'
import { WaymarkError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject, toJson } from '../base/json.ts'
import { isKeyedList } from '../base/keyed-list.ts'
import { diff, type Operation, toItemToken, toToken } from '../base/patch.ts'
import type { KeyedItem, StepAnswers } from '../record/state.ts'

/** Largest change taken at once, in UTF-16 code units of its JSON. */
export const longestChange = 1_000_000

/**
 * The operations that set some fields of a step. Fields not named stay; a field given as `undefined` is removed; a
 * field that is an object or a list is set as a whole. Throws `answer-not-json` and `answer-too-large` before anything
 * changes.
 */
export function patchOfFields(
  current: StepAnswers | undefined,
  fields: unknown,
  place: { session: string; step: string },
): Operation[] {
  const json = toJson(fields) as JsonObject
  if (!isJsonObject(json)) throw wrongShape(place, 'an object of fields')
  const before = (current ?? {}) as JsonObject
  const operations: Operation[] = []
  for (const key of Object.keys(fields as object)) {
    const from = Object.hasOwn(before, key) ? before[key] : undefined
    const to = Object.hasOwn(json, key) ? json[key] : undefined
    operations.push(...diff(from, to, `/${toToken(key)}`))
  }
  if (current === undefined && operations.length === 0) return [{ op: 'add', path: '', value: {} }]
  return checkSize(operations, place)
}

/** The operations that make a repeatable step's list `items`. */
export function patchOfList(
  current: StepAnswers | undefined,
  items: unknown,
  place: { session: string; step: string },
): Operation[] {
  const value = toJson(items) as readonly KeyedItem[]
  if (!Array.isArray(value) || !value.every(isJsonObject)) throw wrongShape(place, 'a list of items')
  if (!isKeyedList(value)) {
    throw new WaymarkError(
      'answer-not-json',
      `Every item of step "${place.step}" needs a "key" of its own, a text that no other item has.`,
      { details: place },
    )
  }
  return checkSize(diff(current as Json | undefined, value), place)
}

/** The operations that set some fields of one item; its key stays. */
export function patchOfItem(
  list: readonly KeyedItem[],
  key: string,
  fields: object,
  place: { session: string; step: string },
): Operation[] {
  const item = list.find((other) => other.key === key)
  if (item === undefined) return []
  const patch = patchOfFields(item, fields, place).filter(({ path }) => path !== '/key')
  return patch.map((operation) => ({ ...operation, path: `/${toItemToken(key)}${operation.path}` }))
}

function wrongShape(place: { session: string; step: string }, expected: string): WaymarkError {
  return new WaymarkError('answer-not-json', `Step "${place.step}" takes ${expected}.`, { details: place })
}

function checkSize(operations: Operation[], place: { session: string; step: string }): Operation[] {
  const size = canonicalJson(operations as unknown as Json).length
  if (size <= longestChange) return operations
  throw new WaymarkError(
    'answer-too-large',
    `A change of ${size} characters to step "${place.step}" is over the limit of ${longestChange}. Store large things elsewhere and keep a reference.`,
    { details: { ...place, size, limit: longestChange } },
  )
}
