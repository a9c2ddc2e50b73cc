import { isWaymarkError, WaymarkError } from './errors.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

/** Deepest nesting an answer may have. */
export const maxDepth = 100

/** Tells a plain JSON object from a list, `null` and the scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Copies `value` into plain, deeply frozen JSON. Members that are `undefined` are left out, as `JSON.stringify` does.
 * Throws `answer-not-json` with the place, for anything JSON would lose or change: functions, dates, maps, NaN,
 * BigInt, cycles, accessors, class instances, nesting beyond {@link maxDepth}.
 */
export function toJson(value: unknown, place = ''): Json {
  try {
    return copy(value, place, 0)
  } catch (error) {
    // A proxy may throw whatever it likes from a trap.
    throw isWaymarkError(error) ? error : notJson(place, 'an object that throws')
  }
}

function copy(value: unknown, place: string, depth: number): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value
    throw notJson(place, String(value))
  }
  if (typeof value !== 'object') throw notJson(place, typeof value)
  if (depth >= maxDepth) throw notJson(place, `nesting deeper than ${maxDepth}, or a cycle`)
  if (Array.isArray(value)) {
    const list: Json[] = []
    for (let i = 0; i < value.length; i++) list.push(copy(value[i], `${place}/${i}`, depth + 1))
    return Object.freeze(list)
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw notJson(place, (value as object).constructor?.name ?? 'class instance')
  }
  const object: Record<string, Json> = {}
  for (const key of Object.keys(value)) {
    const { value: member, get } = Object.getOwnPropertyDescriptor(value, key) ?? {}
    if (get !== undefined) throw notJson(`${place}/${key}`, 'accessor')
    if (member === undefined) continue
    const json = copy(member, `${place}/${key}`, depth + 1)
    if (key === '__proto__') Object.defineProperty(object, key, { value: json, enumerable: true })
    else object[key] = json
  }
  return Object.freeze(object)
}

function notJson(place: string, found: string): WaymarkError {
  return new WaymarkError(
    'answer-not-json',
    `The value at "${place || '/'}" is not plain JSON (${found}). Store strings, numbers, booleans, lists and plain objects.`,
    { details: { place: place || '/', found } },
  )
}
