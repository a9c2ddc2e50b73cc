import fc from 'fast-check'
import { type Operation, toToken } from '../../../src/base/patch.ts'
import { type Change, conflictId, type Loser, type StepId } from '../../../src/record/state.ts'
import { arbitraryJson, arbitraryJsonObject, arbitraryKey } from '../base/arbitrary-json.ts'

export const testFlow = { id: 'mortgage', version: 1, hash: 'f0' }

/** Step names, some of which objects inherit. */
export const arbitraryStep: fc.Arbitrary<StepId> = fc.constantFrom(
  ...['one', 'two', 'a.b', 'constructor', '__proto__', 'toString', ''],
)

const path = fc
  .array(fc.oneof(arbitraryKey, fc.nat(2).map(String)), { minLength: 1, maxLength: 3 })
  .map((tokens) => tokens.map((token) => `/${toToken(token)}`).join(''))

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constantFrom('add' as const, 'replace' as const), path, value: arbitraryJson }),
  fc.record({ op: fc.constantFrom('add' as const), path: fc.constant(''), value: arbitraryJsonObject }),
  fc.record({ op: fc.constant('remove' as const), path }),
)

const set: fc.Arbitrary<Change> = fc.record({
  type: fc.constant('set' as const),
  step: arbitraryStep,
  patch: fc.array(operation, { maxLength: 3 }),
})

const someLosers: readonly Loser[] = [
  { step: 'one', path: '/a', value: 1, at: 1, writer: 'w' },
  { step: 'one', path: '', at: 2, writer: 'w', kind: 'late' },
  { step: '__proto__', path: '/__proto__', value: {}, at: 2, writer: '', kind: 'settled' },
]

/** What happens within a running session. */
export const arbitraryMove: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: set },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('finished' as const),
      step: arbitraryStep,
      how: fc.constantFrom('valid' as const, 'skipped' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('moved' as const),
      from: arbitraryStep,
      to: arbitraryStep,
      by: fc.constantFrom(
        'next' as const,
        'back' as const,
        'goTo' as const,
        'skip' as const,
        'path' as const,
      ),
    }),
  },
  fc.record({ type: fc.constant('restarted' as const), step: arbitraryStep }),
  fc.record({
    type: fc.constant('status' as const),
    to: fc.constantFrom('running' as const, 'waiting' as const, 'paused' as const, 'failed' as const),
  }),
)

export const arbitraryEnd: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    type: fc.constant('status' as const),
    to: fc.constant('done' as const),
    submitted: fc.uniqueArray(arbitraryStep),
  }),
  fc.record({
    type: fc.constant('status' as const),
    to: fc.constantFrom('abandoned' as const, 'expired' as const),
  }),
)

export const arbitraryChange: fc.Arbitrary<Change> = fc.oneof(
  { weight: 12, arbitrary: arbitraryMove },
  { weight: 1, arbitrary: arbitraryEnd },
  fc.record({
    type: fc.constant('started' as const),
    flow: fc.constant(testFlow),
    step: arbitraryStep,
    key: fc.string(),
  }),
  fc.record({ type: fc.constant('resumed' as const), position: fc.nat() }),
  fc.record({ type: fc.constant('adopted' as const), writer: fc.string(), n: fc.nat() }),
  fc.record({
    type: fc.constant('merged' as const),
    patch: fc.constant([]),
    joins: fc.constant({}),
    losers: fc.array(fc.constantFrom(...someLosers), { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant('resolved' as const),
    id: fc.constantFrom('__proto__', ...someLosers.map(conflictId)),
    choice: fc.constantFrom('keep' as const, 'restore' as const),
  }),
)
