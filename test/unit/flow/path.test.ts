import { describe, expect, test } from 'vitest'
import { toJson } from '../../../src/base/json.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Flow } from '../../../src/flow/definition.ts'
import { pathOf } from '../../../src/flow/path.ts'
import { submission } from '../../../src/flow/submission.ts'
import type { Answers } from '../../../src/record/state.ts'

// biome-ignore lint/suspicious/noExplicitAny: conditions as plain JavaScript has them, wrong ones included
type Seen = any

/** `first`, then `maybe` under the condition, then `last`. */
function flowIf(when: (answers: Seen) => unknown): Flow {
  return defineFlow({
    id: 'conditional',
    title: 'Conditional',
    steps: { first: { title: 'F' }, maybe: { title: 'M', when: when as never }, last: { title: 'L' } },
  })
}
const verdict = (when: (answers: Seen) => unknown, answers: unknown, finished = {}) => {
  const path = pathOf(flowIf(when), toJson(answers) as Answers, finished)
  expect(path.errors).toEqual([])
  return path.steps.includes('maybe') ? 'yes' : path.undecided.includes('maybe') ? 'undecided' : 'no'
}

describe('pathOf', () => {
  test('holds the steps whose conditions hold', () => {
    expect(verdict((a) => a.first?.x === 1, { first: { x: 1 } })).toBe('yes')
    expect(verdict((a) => a.first?.x === 1, { first: { x: 2 } })).toBe('no')
  })

  test.each<[string, (answers: Seen) => unknown, unknown]>([
    ['a missing step', (a) => a.first, {}],
    ['a missing field, negated', (a) => a.first?.x !== 1, { first: { y: 1 } }],
    ['a missing field without ?.', (a) => a.first.x === 1, {}],
    ['a missing field by `in`', (a) => 'x' in a.first, { first: { y: 1 } }],
    ['a missing step by `in`', (a) => 'first' in a, {}],
    ['a missing field by Object.hasOwn', (a) => Object.hasOwn(a.first, 'x'), { first: { y: 1 } }],
    // biome-ignore lint/suspicious/noPrototypeBuiltins: people write it
    ['a missing field by hasOwnProperty', (a) => a.first.hasOwnProperty('x'), { first: { y: 1 } }],
    ['missing fields by Object.keys', (a) => Object.keys(a.first).length > 1, { first: { y: 1 } }],
    ['missing steps by Object.keys', (a) => Object.keys(a).length > 1, { first: { y: 1 } }],
    ['a missing field by spread', (a) => ({ ...a.first })['x'] === 1, { first: { y: 1 } }],
    ['a missing field by destructuring', ({ first: { x } }) => x === 1, { first: { y: 1 } }],
    ['a missing field by rest', ({ first: { y, ...rest } }) => y && rest['x'], { first: { y: 1 } }],
    ['missing fields by JSON.stringify', (a) => JSON.stringify(a.first).length > 9, { first: { y: 1 } }],
    [
      'missing fields by for in',
      (a) => {
        for (const k in a.first) if (k === 'x') return true
        return false
      },
      { first: { y: 1 } },
    ],
    ['a nested missing field', (a) => a.first.home['city'] === 'x', { first: { home: { zip: 1 } } }],
    [
      'a field of an item',
      (a) => a.first.list.some((item: Seen) => item['x'] === 1),
      { first: { list: [{ y: 1 }] } },
    ],
    ['the length of a missing list', (a) => a.first.list.length > 0, { first: { y: 1 } }],
    ['some of a missing list', (a) => a.first.list?.some(Boolean), { first: { y: 1 } }],
  ])('leaves a step undecided whose condition reads %s', (_, when, answers) => {
    expect(verdict(when, answers)).toBe('undecided')
  })

  test.each<[string, (answers: Seen) => unknown, unknown, 'yes' | 'no']>([
    ['a nested field', (a) => a.first.home['city'] === 'x', { first: { home: { city: 'x' } } }, 'yes'],
    ['null', (a) => a.first.x === null, { first: { x: null } }, 'yes'],
    ['a list that is there', (a) => a.first.list.length === 2, { first: { list: [1, 2] } }, 'yes'],
    ['its items', (a) => a.first.list.some((item: Seen) => item > 1), { first: { list: [1, 2] } }, 'yes'],
    ['past its end', (a) => a.first.list[5] === 1, { first: { list: [] } }, 'no'],
    [
      'it as a list',
      (a) => Array.isArray(a.first.list) && [...a.first.list].includes(2),
      { first: { list: [1, 2] } },
      'yes',
    ],
    ['the same object twice', (a) => [a.first].includes(a.first), { first: {} }, 'yes'],
    ['an inherited method', (a) => String(a.first.x?.toString()) === '1', { first: { x: 1 } }, 'yes'],
  ])('decides on answers that are there: %s', (_, when, answers, expected) => {
    expect(verdict(when, answers)).toBe(expected)
  })

  test('takes what a finished step left empty for answered', () => {
    const isNotOne = (a: Seen) => a.first?.x !== 1
    expect(verdict(isNotOne, { first: {} })).toBe('undecided')
    expect(verdict(isNotOne, { first: {} }, { first: 'valid' })).toBe('yes')
    expect(verdict((a) => a.first.x!['y'], {}, { first: 'skipped' })).toBe('no')
  })

  test('takes what a left step never asked for answered', () => {
    const flow = defineFlow({
      id: 'left',
      title: 'Left',
      steps: {
        a: { title: 'A' },
        b: { title: 'B', when: ({ a }) => a?.['x'] === 1 },
        c: { title: 'C', when: ({ b }) => b?.['x'] !== 1 },
      },
    })
    expect(pathOf(flow, {})).toMatchObject({ steps: ['a'], undecided: ['b', 'c'] })
    expect(pathOf(flow, { a: { x: 0 } })).toMatchObject({ steps: ['a', 'c'], undecided: [] })
  })

  test('reports a condition that fails with its data present, and goes on', () => {
    const explode = () => {
      throw new RangeError('boom')
    }
    for (const when of [explode, async () => true, (a: Seen) => (a.first.x = 2)]) {
      const path = pathOf(flowIf(when as never), { first: { x: 1 } })
      expect(path).toMatchObject({ steps: ['first', 'last'], undecided: ['maybe'] })
      expect(path.errors).toEqual([
        expect.objectContaining({ code: 'flow-invalid', details: { flow: 'conditional', step: 'maybe' } }),
      ])
    }
  })

  test('follows next, leaves open what an unanswered one jumps over, and never comes twice', () => {
    const flow = defineFlow({
      id: 'jumps',
      title: 'Jumps',
      steps: {
        a: { title: 'A', next: [{ to: 'c', when: ({ a }) => a?.['isShort'] === true }] },
        b: { title: 'B', next: [{ to: 'd' }] },
        c: { title: 'C', next: [{ to: 'a' }] },
        d: { title: 'D' },
      },
    })
    expect(pathOf(flow, {})).toMatchObject({ steps: ['a', 'd'], undecided: ['b', 'c'] })
    expect(pathOf(flow, { a: { isShort: true } })).toMatchObject({ steps: ['a', 'c', 'd'], undecided: [] })
    expect(pathOf(flow, { a: { isShort: false } })).toMatchObject({ steps: ['a', 'b', 'd'], undecided: [] })
  })

  test('shows a sub-flow its own answers, and lets the parent govern it', () => {
    const income = defineFlow({
      id: 'income',
      title: 'Income',
      steps: {
        job: { title: 'Job' },
        size: {
          title: 'Size',
          when: (answers) => answers.job?.['big'] === true && Object.keys(answers).join() === 'job',
        },
      },
    })
    const flow = defineFlow({
      id: 'outer',
      title: 'Outer',
      steps: {
        job: { title: 'Job' },
        income: { title: 'Income', flow: income, when: ({ job }) => job?.['works'] === true },
        end: { title: 'End', when: (answers) => answers['income.job']?.['big'] === true },
      },
    })
    expect(pathOf(flow, {})).toMatchObject({
      steps: ['job'],
      undecided: ['income.job', 'income.size', 'end'],
    })
    expect(pathOf(flow, { job: { works: false } }).steps).toEqual(['job'])
    const finished = { job: 'valid', 'income.job': 'valid', 'income.size': 'valid' } as const
    expect(pathOf(flow, { job: { works: true }, 'income.job': { big: true } }, finished).steps).toEqual([
      'job',
      'income.job',
      'income.size',
      'end',
    ])
  })

  test('is computed once per answers and finished steps, and asks again only who read what changed', () => {
    let calls = 0
    const flow = flowIf((a) => ++calls > 0 && a.first?.x === 1)
    const answers = { first: { x: 1 } }
    const finished = {}
    expect(pathOf(flow, answers, finished)).toBe(pathOf(flow, answers, finished))
    expect(pathOf(flow, { ...answers, last: { y: 1 } }).steps).toContain('maybe')
    expect(calls).toBe(1)
    expect(pathOf(flow, { ...answers, first: { x: 2 } }).steps).not.toContain('maybe')
    expect(calls).toBe(2)
  })
})

describe('submission', () => {
  test('holds the answers of the path and leaves left branches out', () => {
    const flow = flowIf((a) => a.first?.x === 1)
    const answers = { first: { x: 2 }, maybe: { y: 1 }, gone: { z: 1 } }
    expect(submission(flow, answers)).toEqual({ first: { x: 2 } })
    expect(submission(flow, { ...answers, first: { x: 1 } })).toEqual({ first: { x: 1 }, maybe: { y: 1 } })
  })
})
