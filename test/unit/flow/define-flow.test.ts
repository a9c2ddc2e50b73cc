import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { type Flow, leafOf, sensitiveFieldsOf } from '../../../src/flow/definition.ts'

const inner = defineFlow({
  id: 'inner',
  title: 'Inner',
  steps: { one: { title: 'One', weight: 2 }, two: { title: 'Two', optional: true } },
})
const loose = (steps: unknown, rest: object = {}) =>
  defineFlow({ id: 'x', title: 'X', ...rest, steps } as never) as Flow

describe('defineFlow', () => {
  test('lists the leaf steps in order, with what sub-flows hand down', () => {
    const flow = defineFlow({
      id: 'outer',
      title: 'Outer',
      steps: {
        a: { title: 'A' },
        sub: { title: 'Sub', flow: inner, optional: true, weight: 3 },
        z: { title: 'Z', each: z.object({ name: z.string() }) },
      },
    })
    const leaves = [...flow.leaves.values()].map(({ id, order, weight, isOptional }) => [
      id,
      order,
      weight,
      isOptional,
    ])
    expect(leaves).toEqual([
      ['a', 0, 1, false],
      ['sub.one', 1, 6, true],
      ['sub.two', 2, 3, true],
      ['z', 3, 1, false],
    ])
    expect([
      ...defineFlow({ id: 'd', title: 'D', steps: { deep: { title: 'Deep', flow } } }).leaves.keys(),
    ]).toEqual(['deep.a', 'deep.sub.one', 'deep.sub.two', 'deep.z'])
  })

  test('is frozen and has version 1 unless told', () => {
    expect(inner.version).toBe(1)
    expect(
      Object.isFrozen(inner) && Object.isFrozen(inner.ref) && Object.isFrozen(leafOf(inner, 'one')),
    ).toBe(true)
  })

  test('gives a hash that follows the structure, not titles or functions', () => {
    const hash = (steps: unknown, rest?: object) => loose(steps, rest).ref.hash
    const base = hash({ a: { title: 'A' }, b: { title: 'B', when: () => true } })
    expect(base).toMatch(/^[0-9a-f]{64}$/)
    expect(
      hash({ a: { title: 'Other' }, b: { title: 'B', when: () => false } }, { version: 9, title: 'Y' }),
    ).toBe(base)
    const others = [
      hash({ b: { title: 'B', when: () => true }, a: { title: 'A' } }),
      hash({ a: { title: 'A' }, b: { title: 'B' } }),
      hash({ a: { title: 'A', optional: true }, b: { title: 'B', when: () => true } }),
      hash({ a: { title: 'A', weight: 2 }, b: { title: 'B', when: () => true } }),
      hash({ a: { title: 'A', next: [{ to: 'b' }] }, b: { title: 'B', when: () => true } }),
      hash({ a: { title: 'A', schema: z.object({}) }, b: { title: 'B', when: () => true } }),
      hash({ a: { title: 'A', each: z.object({}) }, b: { title: 'B', when: () => true } }),
      hash({ a: { title: 'A', flow: inner }, b: { title: 'B', when: () => true } }),
      hash({ a: { title: 'A' }, b: { title: 'B', when: () => true } }, { id: 'y' }),
    ]
    expect(new Set([base, ...others]).size).toBe(others.length + 1)
  })

  test.each([
    ['no object', () => defineFlow(undefined as never), 'object'],
    ['no id', () => loose({ a: { title: 'A' } }, { id: '' }), 'id'],
    ['a bad version', () => loose({ a: { title: 'A' } }, { version: 0 }), 'version'],
    ['no title', () => loose({ a: { title: 'A' } }, { title: undefined }), 'title'],
    ['no steps', () => loose({}), 'at least one step'],
    ['a list of steps', () => loose([{ title: 'A' }]), 'at least one step'],
    ['an empty key', () => loose({ '': { title: 'A' } }), 'key'],
    ['a dot in a key', () => loose({ 'a.b': { title: 'A' } }), 'without "."'],
    ['a slash in a key', () => loose({ 'a/b': { title: 'A' } }), '"/"'],
    ['a key of every object', () => loose({ constructor: { title: 'A' } }), 'another key'],
    ['a __proto__ key', () => loose(JSON.parse('{"__proto__":{"title":"A"}}')), 'another key'],
    ['a number as key', () => loose({ 1: { title: 'A' } }), 'reorder'],
    ['the key of the end', () => loose({ ended: { title: 'A' } }), 'ended'],
    ['a step that is no object', () => loose({ a: 'A' }), 'object'],
    ['an untitled step', () => loose({ a: {} }), 'title'],
    ['an unknown member', () => loose({ a: { title: 'A', whne: 1 } }), 'Remove "whne"'],
    ['flow with schema', () => loose({ a: { title: 'A', flow: inner, schema: z.object({}) } }), 'Keep one'],
    ['flow with each', () => loose({ a: { title: 'A', flow: inner, each: z.object({}) } }), 'Keep one'],
    ['a schema that is none', () => loose({ a: { title: 'A', schema: {} } }), 'Standard Schema'],
    ['a flow that is none', () => loose({ a: { title: 'A', flow: { id: 'b' } } }), 'defineFlow'],
    ['a condition that is none', () => loose({ a: { title: 'A', when: true } }), 'function'],
    ['a weight of 0', () => loose({ a: { title: 'A', weight: 0 } }), 'positive'],
    ['optional as text', () => loose({ a: { title: 'A', optional: 'yes' } }), 'true or false'],
    ['a description that is no text', () => loose({ a: { title: 'A', description: 1 } }), 'description'],
    ['sensitive as text', () => loose({ a: { title: 'A', sensitive: 'iban' } }), 'list of names'],
    ['sensitive with an empty name', () => loose({ a: { title: 'A', sensitive: [''] } }), 'list of names'],
    [
      'sensitive on a sub-flow',
      () => loose({ a: { title: 'A', flow: inner, sensitive: ['x'] } }),
      'sub-flow',
    ],
    [
      'a merge that is no object',
      () => loose({ a: { title: 'A', merge: 'ask' } }),
      'latest, theirs, ours, ask',
    ],
    ['a merge policy there is not', () => loose({ a: { title: 'A', merge: { x: 'newest' } } }), 'functions'],
    [
      'merge on a sub-flow',
      () => loose({ a: { title: 'A', flow: inner, merge: { '*': 'ask' } } }),
      'sub-flow',
    ],
    ['next that is no list', () => loose({ a: { title: 'A', next: 'b' } }), 'list'],
    ['next to nowhere', () => loose({ a: { title: 'A', next: [{ to: 'b' }] } }), 'one of: a'],
    [
      'next to a name of every object',
      () => loose({ a: { title: 'A', next: [{ to: 'toString' }] } }),
      'one of: a',
    ],
    ['next to itself', () => loose({ a: { title: 'A', next: [{ to: 'a' }] } }), 'itself'],
    [
      'next twice to the same step',
      () => loose({ a: { title: 'A', next: [{ to: 'b' }, { to: 'b' }] }, b: { title: 'B' } }),
      'once',
    ],
    [
      'next under a condition that is none',
      () => loose({ a: { title: 'A', next: [{ to: 'b', when: 1 }] }, b: { title: 'B' } }),
      'function',
    ],
  ])('refuses %s and says what to do', (_, define, advice) => {
    let thrown: unknown
    try {
      define()
    } catch (error) {
      thrown = error
    }
    expect(isWaymarkError(thrown, 'flow-invalid')).toBe(true)
    expect((thrown as Error).message).toContain(advice)
  })
})

describe('sensitiveFieldsOf', () => {
  test('names the fields of each step, in sub-flows too', () => {
    const bank = defineFlow({
      id: 'bank',
      title: 'Bank',
      steps: {
        account: { title: 'Account', sensitive: ['iban', 'pin'] },
        note: { title: 'Note', sensitive: [] },
      },
    })
    const flow = defineFlow({
      id: 'x',
      title: 'X',
      steps: { a: { title: 'A' }, pay: { title: 'Pay', flow: bank }, b: { title: 'B', sensitive: ['c'] } },
    })
    expect([...sensitiveFieldsOf(flow)]).toEqual([
      ['pay.account', ['iban', 'pin']],
      ['b', ['c']],
    ])
  })
})

describe('leafOf', () => {
  test('throws step-unknown for a sub-flow, a typo and names of every object', () => {
    for (const step of ['sub', 'oen', 'constructor', '__proto__']) {
      expect(() => leafOf(inner, step)).toThrow(expect.objectContaining({ code: 'step-unknown' }))
    }
  })
})
