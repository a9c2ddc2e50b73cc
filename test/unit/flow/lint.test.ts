import { describe, expect, test } from 'vitest'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Flow } from '../../../src/flow/definition.ts'
import { lint } from '../../../src/flow/lint.ts'

const found = (steps: unknown, title = 'X') =>
  lint(defineFlow({ id: 'x', title, steps } as never) as Flow).map(({ code, step }) => [code, step])
const yes = () => true
type Loose = { readonly [step: string]: { readonly [field: string]: unknown } }

describe('lint', () => {
  test('finds nothing in a flow that is well', () => {
    const steps = {
      a: { title: 'A', next: [{ to: 'c', when: ({ a }: Loose) => a?.['x'] === 1 }] },
      b: { title: 'B', when: ({ a }: Loose) => a?.['y'] === 1 },
      c: { title: 'C', optional: true },
    }
    expect(found(steps)).toEqual([])
    const sub = defineFlow({ id: 's', title: 'S', steps } as never)
    expect(found({ a: { title: 'A' }, sub: { title: 'Sub', flow: sub } })).toEqual([])
  })

  test.each<[string, unknown, unknown[]]>([
    [
      'a step no way leads to',
      { a: { title: 'A', next: [{ to: 'c' }] }, b: { title: 'B' }, c: { title: 'C' } },
      [['step-unreachable', 'b']],
    ],
    [
      'next to an earlier step',
      { a: { title: 'A' }, b: { title: 'B', next: [{ to: 'a', when: yes }] } },
      [['steps-cycle', 'b']],
    ],
    [
      'no end',
      { a: { title: 'A' }, b: { title: 'B', next: [{ to: 'a' }] } },
      [
        ['steps-cycle', 'b'],
        ['no-end', undefined],
      ],
    ],
    [
      'a next behind an unconditional one',
      {
        a: { title: 'A', next: [{ to: 'b' }, { to: 'c', when: yes }] },
        b: { title: 'B' },
        c: { title: 'C' },
      },
      [['next-unused', 'a']],
    ],
    [
      'a condition that throws without answers',
      { a: { title: 'A' }, b: { title: 'B', when: (answers: Loose) => answers['a']!['x'] } },
      [['condition-throws', 'b']],
    ],
    [
      'a condition that is asynchronous',
      { a: { title: 'A' }, b: { title: 'B', when: async () => true } },
      [['condition-not-boolean', 'b']],
    ],
    [
      'a condition on what is asked later',
      { a: { title: 'A' }, b: { title: 'B', when: ({ c }: Loose) => c?.['x'] === 1 }, c: { title: 'C' } },
      [['condition-reads-ahead', 'b']],
    ],
    [
      'a condition on no step',
      { a: { title: 'A' }, b: { title: 'B', when: ({ z }: Loose) => z?.['x'] === 1 } },
      [['condition-reads-unknown', 'b']],
    ],
    ['nothing but optional steps', { a: { title: 'A', optional: true } }, [['all-optional', undefined]]],
    [
      'no sure start',
      { a: { title: 'A', when: ({ a }: Loose) => a?.['x'] !== 1 } },
      [
        ['condition-reads-ahead', 'a'],
        ['no-start', undefined],
      ],
    ],
    ['a blank title', { a: { title: ' ' } }, [['title-missing', 'a']]],
  ])('finds %s', (_, steps, expected) => {
    expect(found(steps)).toEqual(expected)
  })

  test('finds a flow without title', () => {
    expect(found({ a: { title: 'A' } }, '')).toEqual([['title-missing', undefined]])
  })
})
