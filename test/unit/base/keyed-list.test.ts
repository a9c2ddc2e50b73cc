import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/base/json.ts'
import { isKeyedList } from '../../../src/base/keyed-list.ts'
import { applyPatch, diff, type Operation, toItemToken, toToken } from '../../../src/base/patch.ts'
import { arbitraryJson, arbitraryKey, arbitraryKeyedList, deepFreeze } from './arbitrary-json.ts'

const runs = { numRuns: 1000 }
const apply = (list: Json | undefined, ...operations: Operation[]) => applyPatch(deepFreeze(list), operations)

describe('isKeyedList', () => {
  test('wants of every item a key that no other has', () => {
    expect(isKeyedList([])).toBe(true)
    expect(isKeyedList([{ key: 'a' }, { key: 'b', x: 1 }])).toBe(true)
    for (const list of [
      [1],
      [null],
      [['a']],
      [{}],
      [{ key: '' }],
      [{ key: 1 }],
      [{ key: 'a' }, { key: 'a' }],
      [{ key: 'a' }, 'b'],
      { key: 'a' },
      undefined,
    ]) {
      expect(isKeyedList(list)).toBe(false)
    }
  })
})

describe('a patch of a keyed list', () => {
  test('leads from any to any other, in its order, and leaves alone what it does not name', () => {
    fc.assert(
      fc.property(arbitraryKeyedList, arbitraryKeyedList, fc.boolean(), (from, to, isNested) => {
        const wrap = (list: Json): Json => deepFreeze(isNested ? { in: { list }, beside: 1 } : list)
        const patch = diff(wrap(from), wrap(to))
        const sent = JSON.parse(JSON.stringify(patch)) as Operation[]
        const result = applyPatch(wrap(from), sent)
        expect(result).toEqual(wrap(to))
        expect(patch.some((operation) => operation.path === '' || operation.path === '/in/list')).toBe(false)
        if (isNested) return
        for (const item of from) {
          const isNamed = patch.some(({ path }) => path.startsWith(`/${toItemToken(item.key)}`))
          if (!isNamed) expect(result).toContain(item)
        }
      }),
      runs,
    )
  })

  test('means the same whatever was added, removed or moved before it', () => {
    const patch = diff([{ key: 'a', n: 1 }] as Json, [{ key: 'a', n: 2 }])
    expect(patch).toEqual([{ op: 'replace', path: '/~=a/n', value: 2 }])
    expect(apply([{ key: 'x' }, { key: 'a', n: 1 }], ...patch)).toEqual([{ key: 'x' }, { key: 'a', n: 2 }])
  })

  test('says nothing of what stays', () => {
    const [a, b, c] = [{ key: 'a', n: 1 }, { key: 'b' }, { key: 'c' }]
    expect(diff([a, b], [a, b, c])).toEqual([{ op: 'add', path: '/~=c', value: c }])
    expect(diff([a, b], [b])).toEqual([{ op: 'remove', path: '/~=a' }])
    expect(diff([a, b], [b, a])).toEqual([{ op: 'replace', path: '/~', value: ['b', 'a'] }])
  })

  test('makes a new list item by item, so that two of them made at once both stay', () => {
    const [one, other] = [diff(undefined, [{ key: 'a' }]), diff(undefined, [{ key: 'b' }])]
    expect(applyPatch(undefined, [...one, ...other])).toEqual([{ key: 'a' }, { key: 'b' }])
    expect(applyPatch(undefined, diff(undefined, []))).toEqual([])
  })

  test('adds at the end, also what was there', () => {
    expect(
      apply([{ key: 'a' }, { key: 'b' }], { op: 'add', path: '/~=a', value: { key: 'a', n: 1 } }),
    ).toEqual([{ key: 'b' }, { key: 'a', n: 1 }])
  })

  test('keeps what is entered into an item or a list that is gone', () => {
    const entered: Operation = { op: 'replace', path: '/~=a/name/first', value: 'Ada' }
    const item = { key: 'a', name: { first: 'Ada' } }
    expect(apply([{ key: 'b' }], entered)).toEqual([{ key: 'b' }, item])
    expect(apply(undefined, entered)).toEqual([item])
    expect(apply([{ key: 'b' }], { op: 'remove', path: '/~=a/name' })).toEqual([{ key: 'b' }])
    expect(apply(undefined, { op: 'remove', path: '/~=a' })).toEqual([])
  })

  test('orders what it names, and keeps the rest in order behind', () => {
    const list = ['a', 'b', 'c', 'd'].map((key) => ({ key }))
    const order = apply(list, { op: 'replace', path: '/~', value: ['d', 'gone', 'b'] }) as { key: string }[]
    expect(order.map(({ key }) => key)).toEqual(['d', 'b', 'a', 'c'])
  })

  test('is not taken for a member of an object', () => {
    for (const name of ['~', '~=a', '~0', '~1']) {
      const to = { [name]: { x: 1 } }
      expect(applyPatch({}, diff({}, to))).toEqual(to)
      expect(applyPatch(undefined, diff(undefined, to))).toEqual(to)
    }
  })

  test('is total: any operations on any value give JSON or nothing, and touch nothing', () => {
    const token = fc.oneof(
      arbitraryKey.map(toToken),
      fc.constantFrom('a', '/', '__proto__').map(toItemToken),
      fc.constant('~'),
    )
    const path = fc.array(token, { maxLength: 4 }).map((tokens) => tokens.map((one) => `/${one}`).join(''))
    const operation = fc.oneof(
      fc.record({
        op: fc.constantFrom('add', 'replace'),
        path,
        value: fc.oneof(arbitraryJson, fc.array(arbitraryKey)),
      }),
      fc.record({ op: fc.constant('remove'), path }),
    ) as fc.Arbitrary<Operation>
    const document = fc.oneof(arbitraryJson, arbitraryKeyedList)
    fc.assert(
      fc.property(document, fc.array(operation, { maxLength: 5 }), (before, operations) => {
        const text = JSON.stringify(before)
        const result = applyPatch(deepFreeze(before), deepFreeze(operations))
        if (result !== undefined) expect(JSON.parse(JSON.stringify(result))).toEqual(result)
        expect(JSON.stringify(before)).toBe(text)
      }),
      runs,
    )
  })
})
