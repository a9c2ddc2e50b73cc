import { describe, expect, test } from 'vitest'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { needsAttention } from '../../../src/flow/needs-attention.ts'
import { progressOf } from '../../../src/flow/progress.ts'
import { reachableSteps } from '../../../src/flow/reachable-steps.ts'
import { stepAfter } from '../../../src/flow/step-after.ts'
import { stepBefore } from '../../../src/flow/step-before.ts'
import { isEnded, type SessionState, type Status } from '../../../src/record/state.ts'

const flow = defineFlow({
  id: 'm',
  title: 'M',
  steps: {
    you: { title: 'You', weight: 2 },
    partner: { title: 'Partner', when: ({ you }) => you?.['joint'] === true },
    extras: { title: 'Extras', optional: true },
    review: { title: 'Review' },
  },
})
type Part = Pick<SessionState, 'answers' | 'finished' | 'visited' | 'status'>
const state = (part: Partial<Part> = {}): Part => ({
  answers: {},
  finished: {},
  visited: { you: true },
  status: 'running',
  ...part,
})
const alone = { you: { joint: false } }
const joint = { you: { joint: true } }

describe('needsAttention', () => {
  test('is the earliest unfinished step of the path', () => {
    expect(needsAttention(flow, state())).toBe('you')
    expect(needsAttention(flow, state({ answers: joint, finished: { you: 'valid' } }))).toBe('partner')
    expect(needsAttention(flow, state({ answers: alone, finished: { you: 'valid' } }))).toBe('review')
  })

  test('counts an optional step once something was entered', () => {
    const finished = { you: 'valid', review: 'valid' } as const
    expect(needsAttention(flow, state({ answers: { ...alone, extras: {} }, finished }))).toBeUndefined()
    expect(needsAttention(flow, state({ answers: { ...alone, extras: { x: 1 } }, finished }))).toBe('extras')
  })
})

describe('reachableSteps', () => {
  test('holds the path up to what needs attention, and visited steps beyond', () => {
    expect([...reachableSteps(flow, state())]).toEqual(['you'])
    expect([...reachableSteps(flow, state({ answers: alone, finished: { you: 'valid' } }))]).toEqual([
      'you',
      'extras',
      'review',
    ])
    expect([
      ...reachableSteps(flow, state({ answers: alone, visited: { you: true, review: true } })),
    ]).toEqual(['you', 'review'])
  })

  test('leaves out visited steps of a left branch', () => {
    const visited = { you: true, partner: true } as const
    expect(reachableSteps(flow, state({ answers: alone, visited })).has('partner')).toBe(false)
    expect(reachableSteps(flow, state({ answers: joint, visited })).has('partner')).toBe(true)
  })
})

describe('stepAfter', () => {
  test('is the next step of the path', () => {
    expect(stepAfter(flow, joint, 'you')).toBe('partner')
    expect(stepAfter(flow, alone, 'you')).toBe('extras')
    expect(stepAfter(flow, alone, 'review')).toBeUndefined()
  })

  test('goes on from a step off the path to what is listed later', () => {
    expect(stepAfter(flow, alone, 'partner')).toBe('extras')
    expect(() => stepAfter(flow, alone, 'nowhere')).toThrow(expect.objectContaining({ code: 'step-unknown' }))
  })
})

describe('stepBefore', () => {
  test('is the nearest earlier step of the path that was visited', () => {
    const visited = { you: true, partner: true, review: true } as const
    expect(stepBefore(flow, state({ answers: joint, visited }), 'review')).toBe('partner')
    expect(stepBefore(flow, state({ answers: alone, visited }), 'review')).toBe('you')
    expect(stepBefore(flow, state({ answers: alone, visited }), 'partner')).toBe('you')
    expect(stepBefore(flow, state({ answers: joint, visited }), 'you')).toBeUndefined()
  })
})

describe('progressOf', () => {
  test('counts what may come towards the maximum only', () => {
    expect(progressOf(flow, state(), 'you')).toMatchObject({
      done: 0,
      min: 3,
      max: 4,
      remaining: { min: 3, max: 4 },
      fraction: 0,
      steps: [
        { id: 'you', title: 'You', state: 'current', isOptional: false, isReachable: true },
        { id: 'partner', state: 'undecided', isReachable: false },
        { id: 'extras', state: 'todo', isOptional: true, isReachable: false },
        { id: 'review', state: 'todo', isReachable: false },
      ],
    })
  })

  test('weighs, and never counts a left branch', () => {
    const finished = { you: 'valid', partner: 'valid', extras: 'skipped' } as const
    const progress = progressOf(flow, state({ answers: alone, finished }), 'review')
    expect(progress).toMatchObject({ done: 2, min: 3, max: 3, fraction: 3 / 4 })
    expect(progress.steps.map((step) => step.state)).toEqual(['finished', 'skipped', 'current'])
  })

  test('is 1 only once the session is done', () => {
    const finished = { you: 'valid', extras: 'valid', review: 'valid' } as const
    const all = state({ answers: alone, finished })
    expect(progressOf(flow, all, 'review').fraction).toBeLessThan(1)
    expect(progressOf(flow, { ...all, status: 'abandoned' }, 'review').fraction).toBeLessThan(1)
    const done = progressOf(flow, { ...all, status: 'done' }, 'review')
    expect(done).toMatchObject({ fraction: 1, remaining: { min: 0, max: 0 } })
    expect(done.steps.every((step) => step.state === 'finished' && !step.isReachable)).toBe(true)
  })

  test('has no current step exactly where the session has ended', () => {
    const statuses = ['pending', 'running', 'waiting', 'paused', 'done', 'failed', 'abandoned', 'expired']
    for (const status of statuses as Status[]) {
      const { steps } = progressOf(flow, state({ status }), 'you')
      expect(steps.some((step) => step.state === 'current')).toBe(!isEnded(status))
    }
  })
})
