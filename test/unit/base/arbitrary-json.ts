import fc from 'fast-check'
import type { Json, JsonObject } from '../../../src/base/json.ts'
import type { KeyedItem } from '../../../src/base/keyed-list.ts'

const hostileKeys = ['__proto__', 'constructor', 'toString', '', '~', '/', '~1', '0', '-', 'a', 'b', '\u0000']

/** Names that break careless code, and some that do not. */
export const arbitraryKey: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...hostileKeys) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
)

const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, 1, '', 'x', '\ud800', '\ufffd'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.string({ unit: 'binary', maxLength: 6 }),
)

const { json, object } = fc.letrec<{ json: Json; object: JsonObject; list: Json[] }>((tie) => ({
  json: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalar, tie('object'), tie('list')),
  object: fc
    .uniqueArray(fc.tuple(arbitraryKey, tie('json')), { selector: ([key]) => key, maxLength: 4 })
    .map((members) => Object.fromEntries(members)),
  list: fc.array(tie('json'), { maxLength: 3 }),
}))

export const arbitraryJson = json
export const arbitraryJsonObject = object

/** A value and another made from it by a few edits, so that they share most of what they hold. */
export const arbitraryEdited: fc.Arbitrary<[Json, Json]> = fc
  .tuple(
    json,
    fc.array(fc.tuple(fc.array(arbitraryKey, { maxLength: 3 }), fc.option(json)), { maxLength: 4 }),
  )
  .map(([value, edits]) => [value, edits.reduce((edited, [path, to]) => edit(edited, path, to), value)])

const itemKey = fc.constantFrom('a', 'b', 'c', 'd', '/', '~', '0', '__proto__')

/** Items with keys of their own, few enough to meet again in another list. */
export const arbitraryKeyedList: fc.Arbitrary<readonly KeyedItem[]> = fc
  .uniqueArray(fc.tuple(itemKey, object), { selector: ([key]) => key, maxLength: 5 })
  .map((items) => items.map(([key, item]) => ({ ...item, key })))

function edit(value: Json, path: readonly string[], to: Json): Json {
  const [key, ...rest] = path
  if (key === undefined) return to
  const members = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  const own = Object.entries(members).filter(([name]) => name !== key)
  const before = Object.hasOwn(members, key) ? (members as JsonObject)[key]! : null
  if (rest.length === 0 && to === null) return Object.fromEntries(own)
  return Object.fromEntries([...own, [key, edit(before, rest, to)]])
}

/** Freezes all of it, so that whoever writes to what it was given fails. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}
