import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isWaymarkError, type WaymarkError } from '../../../src/base/errors.ts'
import { isJsonObject, maxDepth, toJson } from '../../../src/base/json.ts'
import { arbitraryJson, deepFreeze } from './arbitrary-json.ts'

class Money {
  readonly pence = 1
}
const cycle: Record<string, unknown> = {}
cycle['self'] = cycle

const refused: readonly [kind: string, value: unknown, found: RegExp][] = [
  ['a function', () => 1, /function/],
  ['undefined in a list', [undefined], /undefined/],
  ['a hole in a list', new Array(1), /undefined/],
  ['a symbol', Symbol('s'), /symbol/],
  ['a BigInt', 1n, /bigint/],
  ['NaN', Number.NaN, /NaN/],
  ['Infinity', Number.POSITIVE_INFINITY, /Infinity/],
  ['a date', new Date(0), /Date/],
  ['a map', new Map([[1, 2]]), /Map/],
  ['a set', new Set([1]), /Set/],
  ['a regular expression', /x/, /RegExp/],
  ['bytes', new Uint8Array(1), /Uint8Array/],
  ['a boxed string', Object('x'), /String/],
  ['a promise', Promise.resolve(), /Promise/],
  ['an error', new Error('x'), /Error/],
  ['a class instance', new Money(), /Money/],
  ['an accessor', Object.defineProperty({}, 'x', { enumerable: true, get: () => 1 }), /accessor/],
  ['an object with toJSON', { toJSON: () => 1 }, /function/],
  ['a cycle', cycle, /cycle/],
]

function thrownBy(run: () => unknown): WaymarkError {
  try {
    run()
  } catch (error) {
    if (isWaymarkError(error)) return error
    throw error
  }
  throw new Error('Nothing was thrown')
}

describe('toJson', () => {
  test.each(refused)('refuses %s and says where', (kind, value, found) => {
    const error = thrownBy(() => toJson({ list: [0, value] }))
    expect(error.code).toBe('answer-not-json')
    expect(error.details['found']).toMatch(found)
    const place = String(error.details['place'])
    expect(place.startsWith('/list/1')).toBe(true)
    if (kind !== 'a cycle') expect(place.split('/').length).toBeLessThanOrEqual(4)
  })

  test('names the root, and the place it was given', () => {
    expect(thrownBy(() => toJson(Number.NaN)).details['place']).toBe('/')
    expect(thrownBy(() => toJson([new Date()], '/applicant')).details['place']).toBe('/applicant/0')
  })

  test('does not call an accessor', () => {
    let calls = 0
    const value = { get x() { return ++calls } } // biome-ignore format: one line says it
    expect(() => toJson(value)).toThrow(/accessor/)
    expect(calls).toBe(0)
  })

  test('leaves out undefined members, turns -0 to 0, takes objects without a prototype', () => {
    expect(toJson({ a: undefined, b: { c: undefined } })).toEqual({ b: {} })
    expect(Object.is(toJson(-0), 0)).toBe(true)
    expect(toJson(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 })
  })

  test('keeps a member named __proto__ as a member', () => {
    const json = toJson(JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":1}}'))
    expect(Object.keys(json as object)).toEqual(['__proto__', 'constructor'])
    expect((json as { isAdmin?: boolean }).isAdmin).toBeUndefined()
    expect(JSON.stringify(json)).toBe('{"__proto__":{"isAdmin":true},"constructor":{"prototype":1}}')
  })

  test('takes nesting up to the limit and refuses one more', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 'x' : [nested(depth - 1)])
    expect(toJson(nested(maxDepth))).toEqual(nested(maxDepth))
    const error = thrownBy(() => toJson(nested(maxDepth + 1)))
    expect(error.details['place']).toBe('/0'.repeat(maxDepth))
  })

  test('copies: what comes back is frozen, and shares nothing with what was given', () => {
    fc.assert(
      fc.property(arbitraryJson, (value) => {
        const json = toJson(value)
        expect(json).toEqual(value)
        if (typeof value !== 'object' || value === null) return
        expect(json).not.toBe(value)
        const isFrozen = (member: unknown): boolean =>
          typeof member !== 'object' ||
          member === null ||
          (Object.isFrozen(member) && Object.values(member).every(isFrozen))
        expect(isFrozen(json)).toBe(true)
        deepFreeze(value)
      }),
    )
  })

  test('gives plain JSON or a coded error, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withSet: true,
        }),
        (value) => {
          try {
            const json = toJson(value)
            expect(JSON.parse(JSON.stringify(json))).toEqual(json)
          } catch (error) {
            expect(isWaymarkError(error, 'answer-not-json')).toBe(true)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('isJsonObject', () => {
  test.each([
    [{}, true],
    [[], false],
    [null, false],
    ['x', false],
    [undefined, false],
    [() => 1, false],
  ])('%o: %s', (value, is) => expect(isJsonObject(value)).toBe(is))
})
