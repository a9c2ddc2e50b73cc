import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/base/json.ts'
import { diff } from '../../../src/base/patch.ts'
import {
  applyChange,
  type Change,
  conflictId,
  initialState,
  isEnded,
  type Loser,
  type SessionState,
} from '../../../src/record/state.ts'
import { deepFreeze } from '../base/arbitrary-json.ts'
import { arbitraryChange, arbitraryMove, testFlow } from './arbitrary-change.ts'

const runs = { numRuns: 1000 }
const start = deepFreeze(initialState(testFlow, 'one'))
const fold = (state: SessionState, ...changes: readonly Change[]) => changes.reduce(applyChange, state)
const set = (step: string, path: string, value: Json): Change => ({
  ...{ type: 'set', step, patch: [{ op: 'add', path, value }] },
})

describe('applyChange', () => {
  test('touches neither state nor change, and gives the same again', () => {
    fc.assert(
      fc.property(fc.array(arbitraryChange, { maxLength: 12 }), (changes) => {
        let state = start
        for (const change of changes) {
          deepFreeze([state, change])
          const next = applyChange(state, change)
          expect(applyChange(state, change)).toEqual(next)
          expect(JSON.parse(JSON.stringify(next))).toEqual(next)
          state = next
        }
      }),
      runs,
    )
  })

  test('changes neither answers nor status once the session has ended', () => {
    for (const to of ['done', 'abandoned', 'expired'] as const) {
      const ended = deepFreeze(fold(start, set('one', '/a', 1), { type: 'status', to }))
      fc.assert(
        fc.property(fc.array(arbitraryMove), (changes) => {
          expect(fold(ended, ...changes)).toBe(ended)
        }),
      )
    }
  })

  test('lets no merge bring an ended session back', () => {
    const ended = fold(start, set('one', '/a', 1), { type: 'status', to: 'done' })
    const back: Change = {
      ...{ type: 'merged', joins: {}, losers: [] },
      patch: [
        { op: 'replace', path: '/status', value: 'running' },
        { op: 'add', path: '/answers/one/a', value: 2 },
      ],
    }
    expect(applyChange(ended, back)).toBe(ended)
    const abandoned = fold(start, { type: 'status', to: 'abandoned' })
    const done: Change = { ...back, patch: [{ op: 'replace', path: '/status', value: 'done' }] }
    expect(applyChange(abandoned, done).status).toBe('done')
  })

  test('shares every answer a change does not name', () => {
    const state = fold(start, set('one', '/deep', { x: [1] }), set('one', '/n', 1), set('two', '/m', 2))
    const next = applyChange(state, set('one', '/n', 2))
    expect(next.answers['two']).toBe(state.answers['two'])
    expect((next.answers['one'] as { deep: unknown }).deep).toBe(
      (state.answers['one'] as { deep: unknown }).deep,
    )
    expect(next.visited).toBe(state.visited)
    const moved = applyChange(state, { type: 'moved', from: 'one', to: 'two', by: 'next' })
    expect(moved.answers).toBe(state.answers)
    expect(applyChange(moved, { type: 'moved', from: 'two', to: 'one', by: 'back' }).visited).toBe(
      moved.visited,
    )
  })

  test('returns the very state where nothing changes', () => {
    const state = fold(start, set('one', '/a', 1), { type: 'finished', step: 'one', how: 'valid' })
    const nothing: Change[] = [
      { type: 'resumed', position: 3 },
      { type: 'adopted', writer: 'w', n: 0 },
      { type: 'finished', step: 'one', how: 'valid' },
      { type: 'set', step: 'one', patch: [] },
      { type: 'set', step: 'constructor', patch: [] },
      { type: 'merged', patch: [], joins: {}, losers: [] },
      { type: 'resolved', id: 'c', choice: 'keep' },
    ]
    for (const change of nothing) expect(applyChange(state, change)).toBe(state)
  })

  test('takes a finished step back when its answers change, and no other', () => {
    const finish = (step: string): Change => ({ type: 'finished', step, how: 'valid' })
    const state = fold(start, set('one', '/a', 1), finish('one'), finish('two'), {
      ...finish('three'),
      how: 'skipped',
    } as Change)
    expect(applyChange(state, set('one', '/a', 2)).finished).toEqual({ two: 'valid', three: 'skipped' })
    expect(applyChange(state, set('four', '/a', 2)).finished).toBe(state.finished)
  })

  test('runs from the first answer, and starts over on a restart', () => {
    expect(start.status).toBe('pending')
    const state = fold(start, set('one', '/a', 1), { type: 'moved', from: 'one', to: 'two', by: 'next' })
    expect(state).toMatchObject({ status: 'running', step: 'two', visited: { one: true, two: true } })
    expect(applyChange(state, { type: 'restarted', step: 'one' })).toEqual({ ...start, status: 'running' })
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', ''])(
    'is not misled by a step named "%s"',
    (step) => {
      const empty: Change = { type: 'set', step, patch: [] }
      expect(applyChange(start, empty)).toBe(start)
      const answered = applyChange(start, set(step, '/a', 1))
      expect(Object.entries(answered.answers)).toEqual([[step, { a: 1 }]])
      // A pointer into a function that the step's name finds on Object.prototype must find nothing.
      const inner = applyChange(start, set(step, '/prototype/x', 1))
      expect(Object.entries(inner.answers)).toEqual([[step, { prototype: { x: 1 } }]])
      const moved = applyChange(answered, { type: 'moved', from: 'one', to: step, by: 'goTo' })
      expect(Object.keys(moved.visited)).toEqual(['one', step])
      const finished = applyChange(moved, { type: 'finished', step, how: 'valid' })
      expect(Object.entries(finished.finished)).toEqual([[step, 'valid']])
      const again = applyChange(finished, set(step, '/a', 2))
      expect(Object.entries(again.finished)).toEqual([])
      expect(Object.getPrototypeOf(again.answers)).toBe(Object.prototype)
      const removed: Change = { type: 'set', step, patch: [{ op: 'remove', path: '' }] }
      expect(Object.keys(applyChange(again, removed).answers)).toEqual([])
      expect(Object.entries(initialState(testFlow, step).visited)).toEqual([[step, true]])
    },
  )

  test('a merge leads to the state its patch was made from', () => {
    const states = fc
      .tuple(fc.array(arbitraryMove), fc.array(arbitraryMove), fc.array(arbitraryMove))
      .map(([first, ours, theirs]) => {
        const base = fold(start, ...first)
        return [fold(base, ...ours), fold(base, ...theirs)] as const
      })
    fc.assert(
      fc.property(states, ([from, to]) => {
        const patch = diff(from as unknown as Json, to as unknown as Json)
        expect(applyChange(from, { type: 'merged', patch, joins: {}, losers: [] })).toEqual(to)
      }),
      runs,
    )
  })
})

describe('what lost a conflict', () => {
  const lost: Loser = { step: 'one', path: '/a', value: 1, at: 5, writer: 'w' }
  const met = (...losers: Loser[]): Change => ({ type: 'merged', patch: [], joins: {}, losers })
  const resolved = (loser: Loser): Change => ({ type: 'resolved', id: conflictId(loser), choice: 'keep' })

  test('is open until resolved, once however often it is met, also after the end', () => {
    const other: Loser = { ...lost, value: 2 }
    const ended: Change = { type: 'status', to: 'done' }
    const state = fold(start, met(lost), met(lost, other), ended, met({ ...lost, path: '/b', kind: 'late' }))
    expect(Object.values(state.conflicts ?? {})).toEqual([lost, other, { ...lost, path: '/b', kind: 'late' }])
    const rest = fold(state, resolved(lost), resolved({ ...lost, path: '/b' }))
    expect(Object.values(rest.conflicts ?? {})).toEqual([other])
    expect(applyChange(rest, resolved(lost))).toBe(rest)
    expect('conflicts' in applyChange(rest, resolved(other))).toBe(false)
  })

  test('is not offered where a rule of the flow settled it', () => {
    expect(applyChange(start, met({ ...lost, kind: 'settled' }))).toBe(start)
  })

  test('goes with a restart', () => {
    expect('conflicts' in fold(start, met(lost), { type: 'restarted', step: 'one' })).toBe(false)
  })

  test('has an id that tells a removal from a value, and every value from every other', () => {
    const { value: _, ...removal } = lost
    const all = [lost, removal, { ...lost, value: null }, { ...lost, at: 6 }, { ...lost, path: '' }]
    expect(new Set(all.map(conflictId)).size).toBe(all.length)
    expect(conflictId({ ...lost, kind: 'ask' })).toBe(conflictId(lost))
  })
})

describe('applyChange of a second start', () => {
  test('clears nothing: only a restart does', () => {
    const again: Change = { type: 'started', flow: testFlow, step: 'one', key: 'k' }
    const state = fold(start, again, set('one', '/a', 1))
    expect(applyChange(state, again)).toBe(state)
    const ended = fold(state, { type: 'status', to: 'done' })
    expect(applyChange(ended, again)).toBe(ended)
  })
})

describe('isEnded', () => {
  test('names the statuses nothing leaves', () => {
    const statuses = [
      'pending',
      'running',
      'waiting',
      'paused',
      'done',
      'failed',
      'abandoned',
      'expired',
    ] as const
    expect(statuses.filter(isEnded)).toEqual(['done', 'abandoned', 'expired'])
  })
})
