import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Head, readHead } from '../../../src/record/head.ts'

const head: Head = {
  v: 1,
  id: 's1',
  account: 'u1',
  key: 'k',
  flow: { id: 'mortgage', version: 3, title: 'Mortgage' },
  status: 'running',
  step: { id: 'income', title: 'Income' },
  progress: { done: 1, min: 2, max: 3 },
  createdAt: 1,
  savedAt: 2,
}

describe('readHead', () => {
  test('reads what was stored', () => {
    expect(readHead(structuredClone(head))).toEqual(head)
    expect(readHead({ ...head, expiresAt: 9 })).toEqual({ ...head, expiresAt: 9 })
  })

  test('reads nothing from what it does not know', () => {
    expect(readHead({ ...head, v: 2 })).toBeUndefined()
    for (const field of Object.keys(head)) {
      const { [field as keyof Head]: _, ...rest } = head
      expect(readHead(rest)).toBeUndefined()
      expect(readHead({ ...head, [field]: null })).toBeUndefined()
    }
  })

  test.each<[string, Partial<Record<keyof Head, unknown>>]>([
    ['a flow without id and title', { flow: {} }],
    ['a flow whose version is a text', { flow: { ...head.flow, version: '3' } }],
    ['a status nobody knows', { status: 'undead' }],
    ['a step without a title', { step: { id: 'x' } }],
    ['progress without numbers', { progress: { done: 1, min: 'x', max: 3 } }],
    ['an end that is no time', { expiresAt: 'never' }],
  ])('reads nothing from a head with %s', (_, wrong) => {
    expect(readHead({ ...head, ...wrong })).toBeUndefined()
  })

  test('never throws, whatever it is given', () => {
    const near = fc.record(
      Object.fromEntries(
        Object.entries(head).map(([field, value]) => [
          field,
          fc.oneof(fc.constant<unknown>(value), fc.anything()),
        ]),
      ),
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(fc.anything(), near), (value) => void readHead(value)),
      { numRuns: 2000 },
    )
  })
})
