import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Json } from '../../../src/base/json.ts'
import { diff } from '../../../src/base/patch.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { PolicyOf } from '../../../src/flow/merge-policy.ts'
import { policiesOf } from '../../../src/flow/policies-of.ts'
import { mergeStates } from '../../../src/merge/merge-states.ts'
import type { Change, SessionState } from '../../../src/record/state.ts'
import { fold, isLost, leavesOf, runs, scenarios, start } from './scenarios.ts'

const seen: unknown[][] = []
const flow = defineFlow({
  id: 'policies',
  title: 'Policies',
  steps: {
    you: {
      title: 'You',
      schema: z.object({
        email: z.string(),
        first: z.string(),
        last: z.string(),
        notes: z.string(),
        count: z.number(),
        home: z.object({ street: z.string(), town: z.string() }),
        broken: z.string(),
        odd: z.number(),
        late: z.number(),
        gone: z.number(),
        writes: z.object({ a: z.number() }),
      }),
      merge: {
        email: 'ask',
        first: 'theirs',
        last: 'ours',
        notes: (_, ours, theirs) => `${ours} + ${theirs}`,
        count: (_, ours, theirs) => Math.max(ours ?? 0, theirs ?? 0),
        home: (...values) => {
          seen.push(values)
          return values[2]
        },
        broken: () => {
          throw new TypeError('a mistake')
        },
        odd: () => Number.NaN,
        late: (async () => 1) as never,
        gone: () => undefined,
        writes: (_, ours) => Object.assign(ours as object, { a: 7 }),
      },
    },
    people: {
      title: 'People',
      each: z.object({ name: z.string(), age: z.number() }),
      merge: { name: 'theirs', age: (_, ours, theirs) => (ours ?? 0) + (theirs ?? 0) },
    },
    first: { title: 'First come', each: z.object({ n: z.number() }), merge: { '*': 'theirs' } },
    asked: { title: 'Asked', each: z.object({ n: z.number() }), merge: { '*': 'ask' } },
    all: { title: 'All', merge: { '*': (_, ours, theirs) => [ours ?? null, theirs ?? null] } },
    plain: { title: 'Plain' },
  },
})

/** Ours is the later, so that every other outcome is the policy's doing. */
function merged(step: string, before: Json, our: Json, their: Json) {
  const errors: unknown[] = []
  const set = (from: Json | undefined, to: Json): Change => ({ type: 'set', step, patch: diff(from, to) })
  const base = fold(start, [set(undefined, before)])
  const { state, losers } = mergeStates({
    ...{ base, ours: fold(base, [set(before, our)]), theirs: fold(base, [set(before, their)]) },
    ...{ ourStamp: () => ({ at: 2, writer: 'a' }), theirStamp: () => ({ at: 1, writer: 'b' }) },
    policyOf: policiesOf(flow, (error) => errors.push(error)),
  })
  return { answers: state.answers[step], losers, errors }
}
const field = (name: string, before: Json, our: Json, their: Json) =>
  merged('you', { [name]: before }, { [name]: our }, { [name]: their })
const ours = { at: 2, writer: 'a' }
const theirs = { at: 1, writer: 'b' }

describe('a policy per field', () => {
  test('theirs takes what was stored first, ours what comes to it; the other is offered', () => {
    expect(field('first', 'x', 'our', 'their')).toMatchObject({
      answers: { first: 'their' },
      losers: [{ step: 'you', path: '/first', value: 'our', ...ours }],
    })
    expect(field('last', 'x', 'our', 'their')).toMatchObject({
      answers: { last: 'our' },
      losers: [{ step: 'you', path: '/last', value: 'their', ...theirs }],
    })
  })

  test('ask takes the later for now and wants an answer', () => {
    expect(field('email', 'x', 'our', 'their')).toEqual({
      answers: { email: 'our' },
      losers: [{ step: 'you', path: '/email', value: 'their', kind: 'ask', ...theirs }],
      errors: [],
    })
  })

  test('a function that takes one side offers the other', () => {
    expect(field('count', 1, 5, 9)).toMatchObject({
      answers: { count: 9 },
      losers: [{ path: '/count', value: 5, ...ours }],
    })
  })

  test('a function that makes one of two settles it: both are recorded, neither is offered', () => {
    expect(field('notes', 'x', 'our', 'their')).toEqual({
      answers: { notes: 'our + their' },
      losers: [
        { step: 'you', path: '/notes', value: 'our', kind: 'settled', ...ours },
        { step: 'you', path: '/notes', value: 'their', kind: 'settled', ...theirs },
      ],
      errors: [],
    })
  })

  test('a function gets the whole field, also where the sides differ inside it', () => {
    seen.length = 0
    const home = (street: string, town: string) => ({ street, town })
    const { answers } = field('home', home('a', 'b'), home('c', 'b'), home('a', 'd'))
    expect(answers).toEqual({ home: home('a', 'd') })
    expect(seen).toEqual([[home('a', 'b'), home('c', 'b'), home('a', 'd')]])
  })

  test('a function may give no value', () => {
    expect(field('gone', 1, 2, 3)).toMatchObject({
      answers: {},
      errors: [],
      losers: [{ value: 2 }, { value: 3 }],
    })
  })

  test.each(['broken', 'odd', 'late', 'writes'])(
    'a function that throws, or gives what is not JSON, is told, and the later value taken: %s',
    (name) => {
      const value = name === 'writes' ? (a: number) => ({ a }) : (n: number) => n
      const { answers, losers, errors } = field(name, value(1), value(2), value(3))
      expect(answers).toEqual({ [name]: value(2) })
      const path = name === 'writes' ? '/writes/a' : `/${name}`
      expect(losers).toEqual([{ step: 'you', path, value: 3, ...theirs }])
      expect(errors).toMatchObject([
        { code: 'merge-failed', details: { flow: 'policies', step: 'you', field: name } },
      ])
    },
  )

  test('an item’s fields have their own', () => {
    const person = (name: string, age: number) => [{ key: 'k', name, age }]
    const { answers, losers } = merged('people', person('x', 0), person('our', 1), person('their', 2))
    expect(answers).toEqual(person('their', 3))
    expect(losers).toMatchObject([
      { path: '/~=k/name', value: 'our' },
      { path: '/~=k/age', value: 1, kind: 'settled' },
      { path: '/~=k/age', value: 2, kind: 'settled' },
    ])
  })

  test('the one for all the rest decides about items and their order too', () => {
    const list = (...items: [string, number][]) => items.map(([key, n]) => ({ key, n }))
    const gone = merged('first', list(['a', 1]), list(['a', 2]), [])
    expect(gone).toMatchObject({ answers: [], losers: [{ path: '/~=a', value: { key: 'a', n: 2 } }] })
    const [abc, cab, bca] = [
      list(['a', 1], ['b', 1], ['c', 1]),
      list(['c', 1], ['a', 1], ['b', 1]),
      list(['b', 1], ['c', 1], ['a', 1]),
    ]
    expect(merged('first', abc, cab, bca)).toMatchObject({
      answers: bca,
      losers: [{ path: '/~', kind: 'settled' }],
    })
    expect(merged('asked', abc, cab, bca)).toMatchObject({
      answers: cab,
      losers: [{ path: '/~', value: ['b', 'c', 'a'], kind: 'ask' }],
    })
    expect(merged('asked', list(['a', 1]), list(['a', 2]), [])).toMatchObject({
      answers: list(['a', 2]),
      losers: [{ path: '/~=a', kind: 'ask' }],
    })
  })

  test('a function for all the rest gets fields, never the whole step', () => {
    const { answers } = merged('all', { a: 1, b: 1 }, { a: 2, b: 2 }, { a: 3 })
    expect(answers).toEqual({ a: [2, 3], b: [2, null] })
  })

  test('is asked of nothing where the flow names none, or has no such step', () => {
    const policyOf = policiesOf(flow, () => {})
    expect([policyOf('plain', '/a'), policyOf('gone', '/a'), policyOf('you', '/toString')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('mergeStates with functions', () => {
  const functions: PolicyOf = () => (_, our, their) => ({ value: { both: [our ?? null, their ?? null] } })
  const sometimes: PolicyOf = (step, path) =>
    path.length % 3 === 0 ? functions(step, path) : path.length % 3 === 1 ? () => undefined : 'latest'

  test('holds nothing but what a side has or a function made, and drops nothing without a record', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), fc.constantFrom(functions, sometimes), (scenario, policyOf) => {
        const { state, losers } = mergeStates({ ...scenario, policyOf })
        const [base, now] = [leavesOf(scenario.base), leavesOf(state)]
        const [our, their] = [leavesOf(scenario.ours), leavesOf(scenario.theirs)]
        for (const [place, text] of now) {
          if (!place.includes('/both')) expect([our.get(place), their.get(place)]).toContain(text)
        }
        for (const mine of [our, their]) {
          for (const [place, text] of mine) {
            if (base.get(place) === text || now.get(place) === text) continue
            if (!isLost(losers, place, text)) throw new Error(`${place} = ${text} was dropped`)
          }
        }
      }),
      runs,
    )
  })

  test('offers what was not settled, and that alone', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), fc.constantFrom(functions, sometimes), (scenario, policyOf) => {
        const { state, losers } = mergeStates({ ...scenario, policyOf })
        const offered: SessionState = fold(state, [{ type: 'merged', patch: [], joins: {}, losers }])
        const open = losers.filter(({ kind }) => kind !== 'settled')
        expect(Object.values(offered.conflicts ?? {})).toEqual(expect.arrayContaining(open))
        expect(new Set(Object.keys(offered.conflicts ?? {})).size).toBeLessThanOrEqual(open.length)
      }),
      runs,
    )
  })
})
