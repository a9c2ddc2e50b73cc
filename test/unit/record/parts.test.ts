import { describe, expect, test } from 'vitest'
import { conflictsPart, fromParts, partsOf } from '../../../src/record/parts.ts'
import { applyChange, initialState } from '../../../src/record/state.ts'
import { testFlow } from './arbitrary-change.ts'

const lost = { step: 'one', path: '/a', value: 1, at: 5, writer: 'w' }

describe('the parts of a state', () => {
  test('are its answers by step, and beside them what is offered', () => {
    const answered = { ...initialState(testFlow, 'one'), answers: { one: { a: 2 } } }
    expect(partsOf(answered)).toBe(answered.answers)
    const state = applyChange(answered, { type: 'merged', patch: [], joins: {}, losers: [lost] })
    const { answers, conflicts } = state
    expect(Object.keys(partsOf(state))).toEqual(['one', conflictsPart])
    expect(fromParts(partsOf(state))).toEqual({ answers, conflicts })
  })

  test('give the answers whatever the conflicts are, and offer what can be', () => {
    const answers = { one: { a: 1 } }
    for (const damaged of [{}, [], 5, 'x', null, { c: 1 }, { c: { ...lost, step: 1 } }]) {
      expect(fromParts({ ...answers, [conflictsPart]: damaged as never })).toEqual({ answers })
    }
    const some = { c1: { ...lost, more: 'of a later version' }, c2: [] }
    expect(fromParts({ ...answers, [conflictsPart]: some })).toEqual({ answers, conflicts: { c1: some.c1 } })
  })
})
