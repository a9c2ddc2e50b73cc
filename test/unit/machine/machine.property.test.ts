import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Operation } from '../../../src/base/patch.ts'
import { type Flow, leafOf } from '../../../src/flow/definition.ts'
import { needsAttention } from '../../../src/flow/needs-attention.ts'
import { pathOf } from '../../../src/flow/path.ts'
import { progressOf } from '../../../src/flow/progress.ts'
import { reachableSteps } from '../../../src/flow/reachable-steps.ts'
import { stepAfter } from '../../../src/flow/step-after.ts'
import { stepBefore } from '../../../src/flow/step-before.ts'
import { validateStep } from '../../../src/flow/validate-step.ts'
import { createSessionActor } from '../../../src/machine/session-actor.ts'
import type { SessionEvent } from '../../../src/machine/session-event.ts'
import {
  applyChange,
  type Change,
  initialState,
  isEnded,
  type SessionState,
  type Status,
  type StepId,
} from '../../../src/record/state.ts'
import { arbitraryFlow } from '../flow/arbitrary-flow.ts'

type Act = SessionEvent | { readonly type: 'foreign'; readonly events: readonly SessionEvent[] }

function arbitraryEvent(flow: Flow): fc.Arbitrary<SessionEvent> {
  const step = fc.constantFrom(...flow.leaves.keys(), 'constructor')
  const path = fc.constantFrom('/x', '/y')
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ op: fc.constant('add' as const), path, value: fc.constantFrom(0, 1) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant('remove' as const), path: fc.oneof(path, fc.constant('')) }),
    },
  )
  const plain = (type: 'back' | 'skip' | 'pause' | 'continue' | 'abandon' | 'expire' | 'restart') =>
    fc.constant({ type } as const)
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant('set' as const),
        step,
        patch: fc.array(operation, { maxLength: 2 }),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record(
        { type: fc.constant('next' as const), isValid: fc.constantFrom(true, true, false) },
        { requiredKeys: ['type'] },
      ),
    },
    { weight: 3, arbitrary: plain('back') },
    { weight: 3, arbitrary: plain('skip') },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('goTo' as const), step }) },
    { weight: 1, arbitrary: plain('pause') },
    { weight: 2, arbitrary: plain('continue') },
    { weight: 1, arbitrary: fc.oneof(plain('abandon'), plain('expire'), plain('restart'), plain('restart')) },
  )
}

const scenario = arbitraryFlow({ isForward: false }).chain((flow) => {
  const event = arbitraryEvent(flow)
  const foreign = fc.array(event, { maxLength: 6 }).map((events) => ({ type: 'foreign' as const, events }))
  const act: fc.Arbitrary<Act> = fc.oneof({ weight: 9, arbitrary: event }, { weight: 1, arbitrary: foreign })
  return fc.record({ flow: fc.constant(flow), acts: fc.array(act, { maxLength: 30 }) })
})

interface Expected {
  readonly status: Status
  readonly step: StepId
}

/** What the flow's functions say an event leads to; `undefined` where it is not allowed. */
function expectedAfter(
  flow: Flow,
  state: SessionState,
  step: StepId,
  event: SessionEvent,
): Expected | undefined {
  if (isEnded(state.status)) return undefined
  const running = state.status === 'pending' ? 'running' : state.status
  const landing = (after: SessionState): StepId => {
    const { steps } = pathOf(flow, after.answers, after.finished)
    return steps.includes(step)
      ? step
      : (needsAttention(flow, after) ?? steps.at(-1) ?? flow.leaves.keys().next().value!)
  }
  const finishing = (how: 'valid' | 'skipped'): Expected | undefined => {
    if (state.status === 'paused') return undefined
    const after = { ...state, finished: { ...state.finished, [step]: how } }
    const to = stepAfter(flow, after.answers, step, after.finished)
    if (to !== undefined) return { status: running, step: to }
    const isPathEmpty = pathOf(flow, after.answers, after.finished).steps.length === 0
    if (!isPathEmpty && needsAttention(flow, after) === undefined) return { status: 'done', step: state.step }
    return state.finished[step] === how ? undefined : { status: running, step }
  }
  const moving = (to: StepId | undefined): Expected | undefined =>
    state.status === 'paused' || to === undefined || to === step ? undefined : { status: running, step: to }
  switch (event.type) {
    case 'set': {
      if (!flow.leaves.has(event.step)) return undefined
      const after = applyChange(state, { type: 'set', step: event.step, patch: event.patch })
      return after === state ? undefined : { status: running, step: landing(after) }
    }
    case 'next': {
      const verdict = validateStep(flow, step, state.answers)
      const isValid = event.isValid ?? ('type' in verdict && verdict.type === 'valid')
      return isValid ? finishing('valid') : undefined
    }
    case 'skip':
      return leafOf(flow, step).isOptional ? finishing('skipped') : undefined
    case 'back':
      return moving(stepBefore(flow, state, step))
    case 'goTo':
      return reachableSteps(flow, state).has(event.step) ? moving(event.step) : undefined
    case 'pause':
      return state.status === 'paused' ? undefined : { status: 'paused', step }
    case 'continue':
      return state.status === 'paused' ? { status: 'running', step } : undefined
    case 'abandon':
      return { status: 'abandoned', step: state.step }
    case 'expire':
      return { status: 'expired', step: state.step }
    case 'restart':
      return { status: 'running', step: pathOf(flow, {}).steps[0] ?? flow.leaves.keys().next().value! }
    case 'adopt': {
      const { state: other } = event
      return isEnded(other.status)
        ? { status: other.status, step: other.step }
        : { status: other.status, step: landing(other) }
    }
  }
}

describe('createSessionActor', () => {
  test('agrees with the functions of its flow, and its changes fold to its state', () => {
    fc.assert(
      fc.property(scenario, ({ flow, acts }) => {
        const first = pathOf(flow, {}).steps[0] ?? [...flow.leaves.keys()][0]!
        let folded = initialState(flow.ref, first)
        let emitted: Change[] = []
        const actor = createSessionActor(flow, { state: folded, step: first })
        actor.on('changes', ({ changes }) => {
          expect(changes).not.toEqual([])
          emitted.push(...changes)
        })
        actor.start()

        for (const act of acts) {
          const before = actor.getSnapshot()
          const { state } = before.context
          const step = before.context.step
          const event: SessionEvent =
            act.type === 'foreign' ? foreignState(flow, state, step, act.events) : act
          const expected =
            event.type === 'adopt' && event.state === state
              ? undefined
              : expectedAfter(flow, state, step, event)
          expect(before.can(event)).toBe(expected !== undefined)
          emitted = []
          actor.send(event)
          const after = actor.getSnapshot()
          expect(after.status).toBe('active')
          if (event.type === 'adopt') {
            expect(emitted).toEqual([])
            folded = event.state
          } else folded = emitted.reduce(applyChange, folded)
          expect(after.context.state).toEqual(folded)

          if (expected === undefined) {
            expect(after).toBe(before)
            continue
          }
          expect({ status: after.context.state.status, step: after.context.step }).toEqual(expected)
          expect(after.matches('ended')).toBe(isEnded(expected.status))
          checkPlace(flow, after.context.state, after.context.step, Object.values(after.getMeta()))
        }
        actor.stop()
      }),
      { numRuns: 500 },
    )
  }, 60_000)
})

/** What another tab made of the same state. */
function foreignState(
  flow: Flow,
  state: SessionState,
  step: StepId,
  events: readonly SessionEvent[],
): SessionEvent {
  const other = createSessionActor(flow, { state, step }).start()
  for (const event of events) other.send(event)
  return { type: 'adopt', state: other.getSnapshot().context.state }
}

function checkPlace(flow: Flow, state: SessionState, step: StepId, metas: readonly unknown[]): void {
  const path = pathOf(flow, state.answers, state.finished)
  const progress = progressOf(flow, state, step)
  if (state.status === 'done') {
    expect(state.submitted).toEqual(path.steps)
    expect(needsAttention(flow, state)).toBeUndefined()
    expect(progress.fraction).toBe(1)
  } else expect(progress.fraction).toBeLessThan(1)
  if (isEnded(state.status)) return
  expect(metas).toEqual([expect.objectContaining({ step: expect.objectContaining({ id: step }) })])
  if (path.steps.length > 0) expect(path.steps).toContain(step)
  expect(progress.done).toBeLessThanOrEqual(progress.min)
  expect(progress.min).toBeLessThanOrEqual(progress.max)
  for (const reachable of reachableSteps(flow, state)) expect(path.steps).toContain(reachable)
}
