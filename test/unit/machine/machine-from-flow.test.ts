import { describe, expect, test } from 'vitest'
import { createActor, setup } from 'xstate'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { machineFromFlow } from '../../../src/machine/machine-from-flow.ts'
import { createSessionActor } from '../../../src/machine/session-actor.ts'
import { applyChange, type Change, conflictId, initialState } from '../../../src/record/state.ts'

const inner = defineFlow({
  id: 'inner',
  title: 'Inner',
  steps: { job: { title: 'Job' }, size: { title: 'Size', when: ({ job }) => job?.['big'] === true } },
})
const flow = defineFlow({
  id: 'outer.v1',
  title: 'Outer',
  steps: {
    'you #1': {
      title: 'You',
      next: [{ to: 'end', when: (answers) => answers['you #1']?.['short'] === true }],
    },
    income: { title: 'Income', flow: inner },
    end: { title: 'End', optional: true, weight: 2 },
  },
})

describe('machineFromFlow', () => {
  test('compiles a flow once', () => {
    expect(machineFromFlow(flow)).toBe(machineFromFlow(flow))
  })

  test('has a state per step, compound for sub-flows, and one for the end', () => {
    const { id, states } = machineFromFlow(flow)
    expect(id).toBe('outer.v1')
    expect(Object.keys(states)).toEqual(['/opening', 'you #1', 'income', 'end', 'ended'])
    const income = states['income' as keyof typeof states] as { type: string; states: object; id: string }
    expect(income).toMatchObject({ type: 'compound', id: 'step/income' })
    expect(Object.keys(income.states)).toEqual(['job', 'size'])
    expect(states['end' as keyof typeof states]).toMatchObject({
      meta: { step: { id: 'end', title: 'End', order: 3, weight: 2, optional: true } },
    })
  })

  test('draws next from step to step', () => {
    const machine = machineFromFlow(flow)
    const drawn = (id: string) => {
      const ways = machine.getStateNodeById(id).transitions.get('next')
      return ways?.flatMap((way) => way.target?.map((target) => target.id) ?? [])
    }
    expect(drawn('step/you #1')).toEqual(['step/end', 'step/income/job', 'ended'])
    expect(drawn('step/income/job')).toEqual(['step/income/size', 'step/end', 'ended'])
    expect(drawn('step/end')).toEqual(['ended'])
    expect(JSON.stringify(machine.definition)).toContain('step/income/size')
  })

  test('starts at the first step without input, as inspectors start it', () => {
    expect(createActor(machineFromFlow(flow)).getSnapshot().context.step).toBe('you #1')
  })

  test('passes through sub-flows', () => {
    const actor = createSessionActor(flow, { state: initialState(flow.ref, 'you #1') }).start()
    const values: unknown[] = []
    actor.subscribe((snapshot) => values.push(snapshot.value))
    actor.send({ type: 'next' })
    actor.send({ type: 'set', step: 'income.job', patch: [{ op: 'add', path: '/big', value: true }] })
    actor.send({ type: 'next' })
    actor.send({ type: 'next' })
    expect(values).toEqual([{ income: 'job' }, { income: 'job' }, { income: 'size' }, 'end'])
  })
})

describe('a conflict', () => {
  const lost = { step: 'you #1', path: '/short', value: true, at: 1, writer: 'w' }
  const id = conflictId(lost)
  const opened = (...changes: Change[]) => {
    const met: Change = { type: 'merged', patch: [], joins: {}, losers: [lost] }
    const from = [met, ...changes].reduce(applyChange, initialState(flow.ref, 'you #1'))
    const actor = createSessionActor(flow, { state: from }).start()
    const emitted: Change[] = []
    actor.on('changes', ({ changes: made }) => emitted.push(...made))
    return { actor, emitted, at: () => actor.getSnapshot().context }
  }

  test('is decided in the step the tab is at, by keeping or by restoring', () => {
    for (const choice of ['keep', 'restore'] as const) {
      const { actor, emitted, at } = opened()
      const { state } = at()
      actor.send({ type: 'resolve', id, choice })
      expect(at().state.conflicts).toBeUndefined()
      expect(at().state.answers).toEqual(choice === 'keep' ? {} : { 'you #1': { short: true } })
      expect(at().step).toBe('you #1')
      expect(emitted.reduce(applyChange, state)).toEqual(at().state)
    }
  })

  test('that restores what takes the tab’s step off the path moves it', () => {
    const { actor, at } = opened(
      { type: 'set', step: 'you #1', patch: [{ op: 'add', path: '/short', value: false }] },
      { type: 'finished', step: 'you #1', how: 'valid' },
      { type: 'moved', from: 'you #1', to: 'income.job', by: 'next' },
    )
    expect(at().step).toBe('income.job')
    actor.send({ type: 'resolve', id, choice: 'restore' })
    expect(at().step).toBe('you #1')
  })

  test('of an ended session can only be dismissed', () => {
    const { actor, emitted, at } = opened({ type: 'status', to: 'done' })
    const before = actor.getSnapshot()
    actor.send({ type: 'resolve', id, choice: 'restore' })
    actor.send({ type: 'resolve', id: 'unknown', choice: 'keep' })
    expect(actor.getSnapshot()).toBe(before)
    actor.send({ type: 'resolve', id, choice: 'keep' })
    expect(at().state).toMatchObject({ status: 'done', answers: {} })
    expect(at().state.conflicts).toBeUndefined()
    expect(actor.getSnapshot().value).toBe('ended')
    expect(emitted).toEqual([{ type: 'resolved', id, choice: 'keep' }])
  })
})

describe('what this room relies on in XState', () => {
  test('an event no guard allows leaves the snapshot reference', () => {
    const actor = createSessionActor(flow, { state: initialState(flow.ref, 'end') }).start()
    const before = actor.getSnapshot()
    actor.send({ type: 'back' })
    actor.send({ type: 'unknown' } as never)
    expect(actor.getSnapshot()).toBe(before)
  })

  test('what is emitted is heard once the snapshot is the new one, before subscribers hear', () => {
    const actor = createSessionActor(flow, { state: initialState(flow.ref, 'you #1') }).start()
    const heard: string[] = []
    actor.on('changes', () => heard.push(`changes at ${actor.getSnapshot().context.step}`))
    actor.subscribe((snapshot) => heard.push(`snapshot at ${snapshot.context.step}`))
    actor.send({ type: 'next' })
    expect(heard).toEqual(['changes at income.job', 'snapshot at income.job'])
  })

  test('an event sent by a listener is handled after the one it heard of', () => {
    const actor = createSessionActor(flow, { state: initialState(flow.ref, 'you #1') }).start()
    actor.on('changes', ({ changes }) => {
      if (changes.some((change) => change.type === 'moved' && change.to === 'income.job')) {
        actor.send({ type: 'set', step: 'end', patch: [{ op: 'add', path: '/x', value: 1 }] })
      }
    })
    actor.send({ type: 'next' })
    expect(actor.getSnapshot().context.state.answers).toEqual({ end: { x: 1 } })
  })

  test('restoring an XState snapshot takes answers for actors, so sessions enter as input', () => {
    const machine = setup({ types: {} as { context: { answers: unknown } } }).createMachine({
      context: { answers: {} },
    })
    const snapshot = machine.resolveState({ value: {}, context: { answers: { xstate$$type: 1, id: 'x' } } })
    expect(createActor(machine, { snapshot }).getSnapshot().context.answers).toBeUndefined()
  })

  test('resolveState takes a name of every object for the initial state', () => {
    const machine = setup({}).createMachine({ initial: 'a', states: { a: {}, b: {} } })
    expect(() => machine.resolveState({ value: 'nowhere' })).toThrow()
    expect(machine.resolveState({ value: 'constructor' }).value).toBe('a')
  })
})
