import { describe, expect, test } from 'vitest'
import {
  applyChange,
  type Change,
  initialState,
  type Loser,
  type SessionState,
} from '../../../src/record/state.ts'
import { createConflictList, forkOf } from '../../../src/session/conflicts.ts'

const flow = { id: 'f', version: 1, hash: '' }
const met = (...losers: Loser[]): Change => ({ type: 'merged', patch: [], joins: {}, losers })
const fold = (...changes: Change[]): SessionState => changes.reduce(applyChange, initialState(flow, 'a'))
const loser = (path: string, more: Partial<Loser> = {}): Loser => ({
  step: 'a',
  path,
  at: 1_000,
  writer: 'w',
  ...more,
})

describe('the list of conflicts', () => {
  test.each([
    ['', {}],
    ['/name', { field: 'name' }],
    ['/home/town', { field: 'home' }],
    ['/a~1b', { field: 'a/b' }],
    ['/~0=k', { field: '~=k' }],
    ['/~=k', { item: 'k' }],
    ['/~=a~1b/name', { item: 'a/b', field: 'name' }],
    ['/~=k/pets/~=p/name', { item: 'k', field: 'pets' }],
  ])('names the item and the field of "%s"', (path, place) => {
    const [found] = createConflictList()(fold(met(loser(path))))
    expect({ item: found?.item, field: found?.field }).toEqual({
      item: undefined,
      field: undefined,
      ...place,
    })
  })

  test('is the oldest first, and the same list until something of it changes', () => {
    const conflictsOf = createConflictList()
    const state = fold(met(loser('/b', { at: 2_000 }), loser('/a', { value: 1 })))
    const list = conflictsOf(state)
    expect(list.map(({ path, at }) => [path, at])).toEqual([
      ['/a', 1],
      ['/b', 2],
    ])
    expect(conflictsOf(applyChange(state, { type: 'moved', from: 'a', to: 'b', by: 'next' }))).toBe(list)
    const set: Change = { type: 'set', step: 'a', patch: [{ op: 'add', path: '/a', value: 7 }] }
    expect(conflictsOf(applyChange(state, set))[0]).toMatchObject({ value: 1, kept: 7 })
    const none = conflictsOf(fold())
    expect(conflictsOf(fold(set))).toBe(none)
  })

  test('shows nothing an object inherits', () => {
    for (const step of ['constructor', '__proto__']) {
      expect(createConflictList()(fold(met(loser('', { step }))))[0]).not.toHaveProperty('kept')
    }
  })

  test('calls late what came after the end, as long as that stands', () => {
    const conflictsOf = createConflictList()
    const ended = fold({ type: 'status', to: 'done' }, met(loser('', { kind: 'late', value: { n: 1 } })))
    expect(conflictsOf(ended)).toMatchObject([{ isLate: true }])
    expect(forkOf(ended.answers, conflictsOf(ended))).toMatchObject({ answers: { a: { n: 1 } }, at: 1 })
    const reopened = applyChange(ended, { type: 'reopened' })
    expect(conflictsOf(reopened)).toMatchObject([{ isLate: false }])
    expect(forkOf(reopened.answers, conflictsOf(reopened))).toBeUndefined()
  })
})
