import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../../src/base/json.ts'
import { applyPatch, diff } from '../../../src/base/patch.ts'
import { createDraftBuffer } from '../../../src/journal/draft.ts'
import { arbitraryJsonObject, arbitraryKeyedList } from '../base/arbitrary-json.ts'

/** Steps as people leave them one keystroke after the other: lists inside objects inside lists. */
const pets = arbitraryKeyedList.chain((list) =>
  fc.tuple(
    ...list.map((item) =>
      fc.option(arbitraryKeyedList).map((inner) => (inner === null ? item : { ...item, inner })),
    ),
  ),
)
const step = fc.oneof(
  fc.record({ pets, rest: arbitraryJsonObject }),
  fc.record({ pets }, { requiredKeys: [] }),
  arbitraryJsonObject,
)

test('typing gathered field by field leads where it led keystroke by keystroke', () => {
  fc.assert(
    fc.property(step, fc.array(step, { maxLength: 6 }), (from, states) => {
      const draft = createDraftBuffer()
      let typed: Json = from
      for (const [at, next] of states.entries()) {
        draft.add({ type: 'set', step: 's', patch: diff(typed, next) }, at)
        typed = next
      }
      const patches = draft.changes().flatMap(({ patch }) => patch)
      expect(applyPatch(from, patches)).toEqual(typed)
    }),
    { numRuns: 2000 },
  )
})
