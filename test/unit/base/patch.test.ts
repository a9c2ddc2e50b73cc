import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../../../src/base/json.ts'
import {
  applyPatch,
  diff,
  isEqual,
  type Operation,
  parsePointer,
  toToken,
  withMember,
} from '../../../src/base/patch.ts'
import { arbitraryEdited, arbitraryJson, arbitraryKey, deepFreeze } from './arbitrary-json.ts'

const runs = { numRuns: 1000 }

describe('diff and applyPatch', () => {
  test('lead from any value to any other', () => {
    const pair = fc.oneof(arbitraryEdited, fc.tuple(arbitraryJson, arbitraryJson))
    fc.assert(
      fc.property(pair, ([from, to]) => {
        deepFreeze([from, to])
        const patch = diff(from, to)
        const result = applyPatch(from, patch)
        expect(isEqual(result, to)).toBe(true)
        expect(JSON.stringify(sorted(result!))).toBe(JSON.stringify(sorted(to)))
        if (isEqual(from, to)) expect(patch).toEqual([])
        expect(applyPatch(from, JSON.parse(JSON.stringify(patch)) as Operation[])).toEqual(result)
      }),
      runs,
    )
  })

  test('lead from nothing to a value and back', () => {
    expect(diff(undefined, { a: { b: 1 } })).toEqual([{ op: 'add', path: '/a/b', value: 1 }])
    expect(applyPatch(undefined, diff(undefined, { a: 1 }))).toEqual({ a: 1 })
    expect(applyPatch({ a: 1 }, diff({ a: 1 }, undefined))).toBeUndefined()
    expect(diff(undefined, undefined)).toEqual([])
  })

  test('keep the reference of what is left alone', () => {
    const from = deepFreeze({ kept: { deep: [1] }, gone: 1, changed: { other: { x: 1 }, n: 1 } })
    const to = { kept: { deep: [1] }, changed: { other: { x: 1 }, n: 2 } }
    const result = applyPatch(from, diff(from, to)) as typeof from
    expect(result).toEqual(to)
    expect(result.kept).toBe(from.kept)
    expect(result.changed.other).toBe(from.changed.other)
    expect(applyPatch(from, [])).toBe(from)
  })

  test('keep the reference of every member a patch does not name', () => {
    fc.assert(
      fc.property(arbitraryEdited, ([from, to]) => {
        const patch = diff(from, to)
        const result = applyPatch(from, patch)
        if (typeof from !== 'object' || from === null || Array.isArray(from)) return
        const named = new Set(patch.map((operation) => parsePointer(operation.path)[0]))
        if (patch.some((operation) => operation.path === '')) return
        for (const [key, member] of Object.entries(from)) {
          if (!named.has(key)) expect((result as JsonObject)[key]).toBe(member)
        }
      }),
      runs,
    )
  })

  test('are not misled by names that objects inherit', () => {
    for (const key of ['__proto__', 'constructor', 'toString', '', '~', '/', '~0', '~1', 'a/b']) {
      const to = withMember({}, key, { x: 1 })
      const result = applyPatch({}, diff({}, to)) as JsonObject
      expect(Object.keys(result)).toEqual([key])
      expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
      expect(applyPatch(result, diff(result, {}))).toEqual({})
      expect(applyPatch({}, [{ op: 'add', path: `/${toToken(key)}/y`, value: 1 }])).toEqual(
        withMember({}, key, { y: 1 }),
      )
    }
    expect(({} as { x?: number }).x).toBeUndefined()
  })
})

describe('applyPatch', () => {
  test('adds to, replaces in and removes from lists', () => {
    const list = deepFreeze({ l: [1, 2, 3] })
    const one = (operation: Operation) => (applyPatch(list, [operation]) as { l: number[] }).l
    expect(one({ op: 'add', path: '/l/0', value: 0 })).toEqual([0, 1, 2, 3])
    expect(one({ op: 'add', path: '/l/3', value: 4 })).toEqual([1, 2, 3, 4])
    expect(one({ op: 'add', path: '/l/-', value: 4 })).toEqual([1, 2, 3, 4])
    expect(one({ op: 'replace', path: '/l/1', value: 9 })).toEqual([1, 9, 3])
    expect(one({ op: 'remove', path: '/l/1' })).toEqual([1, 3])
  })

  test.each(['', '01', ' 1', '1 ', '1e0', '0x1', '+1', '-1', '1.0', '4', 'x', '9'.repeat(30)])(
    'leaves a list alone at "%s", which is no index of it',
    (token) => {
      const list = deepFreeze({ l: [1, 2, 3] })
      for (const op of ['add', 'replace', 'remove'] as const) {
        expect(applyPatch(list, [{ op, path: `/l/${token}`, value: 7 }])).toEqual(list)
      }
    },
  )

  test('removes nothing from what holds nothing', () => {
    for (const value of [5, 'x', null, true]) {
      const document = deepFreeze({ a: value })
      expect(applyPatch(document, [{ op: 'remove', path: '/a/b' }])).toEqual(document)
      expect(applyPatch(document, [{ op: 'remove', path: '/a/b/c' }])).toEqual(document)
    }
  })

  test('is total: any operations on any value give JSON or nothing, and touch nothing', () => {
    const path = fc
      .array(fc.oneof(arbitraryKey, fc.nat(3).map(String)), { maxLength: 4 })
      .map((tokens) => tokens.map((token) => `/${toToken(token)}`).join(''))
    const operation: fc.Arbitrary<Operation> = fc.oneof(
      fc.record({ op: fc.constantFrom('add', 'replace'), path, value: arbitraryJson }),
      fc.record({ op: fc.constant('remove'), path }),
    ) as fc.Arbitrary<Operation>
    fc.assert(
      fc.property(arbitraryJson, fc.array(operation, { maxLength: 5 }), (document, operations) => {
        const before = JSON.stringify(document)
        deepFreeze([document, operations])
        const result = applyPatch(document, operations)
        if (result !== undefined) expect(JSON.parse(JSON.stringify(result))).toEqual(result)
        expect(JSON.stringify(document)).toBe(before)
      }),
      runs,
    )
  })
})

describe('isEqual', () => {
  test('agrees with equality of sorted text', () => {
    fc.assert(
      fc.property(fc.oneof(arbitraryEdited, fc.tuple(arbitraryJson, arbitraryJson)), ([a, b]) => {
        const isSame = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
        expect(isEqual(a, b)).toBe(isSame)
        expect(isEqual(b, a)).toBe(isSame)
      }),
      runs,
    )
  })

  test('does not take an inherited member for one', () => {
    expect(isEqual({ a: 1 }, { toString: 1 } as unknown as Json)).toBe(false)
    expect(isEqual(JSON.parse('{"__proto__":{}}') as Json, { a: {} })).toBe(false)
    expect(isEqual({ 0: 'x', length: 1 } as unknown as Json, ['x'])).toBe(false)
  })
})

describe('parsePointer', () => {
  test('undoes toToken', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(arbitraryKey, fc.string()), { maxLength: 4 }), (tokens) => {
        expect(parsePointer(tokens.map((token) => `/${toToken(token)}`).join(''))).toEqual(tokens)
      }),
    )
  })
})

/** The same value with its members in one order. */
function sorted(value: Json): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted)
  return Object.keys(value)
    .sort()
    .map((key) => [key, sorted((value as JsonObject)[key]!)])
    .concat([['object']])
}
