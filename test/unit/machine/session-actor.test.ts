import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Operation } from '../../../src/base/patch.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { createSessionActor } from '../../../src/machine/session-actor.ts'
import type { SessionEmitted, SessionEvent } from '../../../src/machine/session-event.ts'
import { applyChange, type Change, initialState, type SessionState } from '../../../src/record/state.ts'

const flow = defineFlow({
  id: 'm.1',
  title: 'M',
  steps: {
    you: { title: 'You', schema: z.object({ name: z.string() }).loose() },
    partner: { title: 'Partner', when: ({ you }) => you?.['joint'] === true },
    extras: { title: 'Extras', optional: true },
    checked: { title: 'Checked', schema: z.looseObject({}).refine(async () => true) },
  },
})
const empty = initialState(flow.ref, 'you')
const add = (
  path: string,
  value: Operation extends { value: infer V } ? V : never | boolean | string,
): Operation => ({
  op: 'add',
  path,
  value,
})
const name = { type: 'set', step: 'you', patch: [add('/name', 'Ada')] } as const
const joint = (value: boolean) => ({ type: 'set', step: 'you', patch: [add('/joint', value)] }) as const
const valid = { type: 'next', isValid: true } as const

function open(options: { state?: SessionState; step?: string } = {}) {
  const { state = empty, step = state.step } = options
  const actor = createSessionActor(flow, { state, step })
  const emitted: (readonly Change[])[] = []
  actor.on('changes', (event: SessionEmitted) => emitted.push(event.changes))
  actor.start()
  return {
    actor,
    emitted,
    send: (...events: SessionEvent[]) => {
      for (const event of events) actor.send(event)
      const snapshot = actor.getSnapshot()
      return { step: snapshot.context.step, status: snapshot.context.state.status, value: snapshot.value }
    },
    state: () => actor.getSnapshot().context.state,
  }
}

describe('createSessionActor', () => {
  test('is at the step it is given, while that is on the path', () => {
    const state = [name, joint(true)].reduce(applyChange, empty)
    const at = (step: string) => createSessionActor(flow, { state, step }).getSnapshot().context.step
    expect(at('extras')).toBe('extras')
    expect(at('partner')).toBe('partner')
    expect(
      createSessionActor(flow, { state: applyChange(state, joint(false)), step: 'partner' }).getSnapshot()
        .context.step,
    ).toBe('you')
  })

  test.each(['nowhere', '', 'constructor', 'toString', '__proto__', '/opening', 'ended', '#ended'])(
    'is at the earliest step that needs attention where it is given "%s"',
    (step) => {
      const { actor } = open({ step })
      expect(actor.getSnapshot().value).toBe('you')
      expect(open({ state: { ...empty, step }, step }).send(valid)).toMatchObject({ step: 'extras' })
    },
  )

  test('is ended where the session has ended', () => {
    const { send, actor } = open({ state: applyChange(empty, { type: 'status', to: 'expired' }) })
    const before = actor.getSnapshot()
    expect(send(name, valid, { type: 'restart' }, { type: 'abandon' })).toEqual({
      step: 'you',
      status: 'expired',
      value: 'ended',
    })
    expect(actor.getSnapshot()).toBe(before)
  })

  test('emits nothing at its start, and takes the state as it is', () => {
    const hostile = { you: Object.freeze({ home: Object.freeze({ xstate$$type: 1, id: 'x' }) }) } as never
    const state = Object.freeze({ ...empty, answers: Object.freeze(hostile) })
    const { actor, emitted } = open({ state })
    expect(actor.getSnapshot().context.state).toBe(state)
    expect(emitted).toEqual([])
  })
})

describe('set', () => {
  test('changes the answers and starts the session', () => {
    const { send, emitted, state } = open()
    expect(send(name)).toMatchObject({ step: 'you', status: 'running' })
    expect(emitted).toEqual([[{ type: 'set', step: 'you', patch: name.patch }]])
    expect(state()).toEqual(applyChange(empty, name))
  })

  test('un-finishes its step only', () => {
    const { send, state } = open()
    send(name, valid, { type: 'skip' }, joint(false))
    expect(state().finished).toEqual({ extras: 'skipped' })
  })

  test('leads away from a step it takes off the path, and says so', () => {
    const { send, emitted } = open()
    send(name, joint(true), valid)
    emitted.length = 0
    expect(send(joint(false))).toMatchObject({ step: 'you', value: 'you' })
    expect(emitted).toEqual([
      [
        { type: 'set', step: 'you', patch: [add('/joint', false)] },
        { type: 'moved', from: 'partner', to: 'you', by: 'path' },
      ],
    ])
  })

  test('does not look into answers it leaves alone', () => {
    const untouchable = new Proxy(
      {},
      { get: untouched, has: untouched, ownKeys: untouched, getOwnPropertyDescriptor: untouched },
    )
    const { send, state } = open({ state: { ...empty, answers: { extras: untouchable as never } } })
    expect(send(name, joint(true), valid)).toMatchObject({ step: 'partner' })
    expect(Object.is(state().answers['extras'], untouchable)).toBe(true)
  })

  test('is ignored for a step the flow does not have', () => {
    const { send, emitted } = open()
    for (const step of ['nowhere', 'constructor']) send({ ...name, step })
    send({ ...name, patch: [] }, { type: 'set', step: 'you' } as never)
    expect(emitted).toEqual([])
  })
})

describe('next', () => {
  test('asks the schema where nobody validated', () => {
    const { send, emitted } = open()
    expect(send({ type: 'next' })).toMatchObject({ step: 'you', status: 'pending' })
    expect(send(name, { type: 'next', isValid: false })).toMatchObject({ step: 'you' })
    expect(send({ type: 'next' })).toMatchObject({ step: 'extras' })
    expect(emitted.at(-1)).toEqual([
      { type: 'finished', step: 'you', how: 'valid' },
      { type: 'moved', from: 'you', to: 'extras', by: 'next' },
    ])
  })

  test('takes an asynchronous verdict for not valid until it is told', () => {
    const { send } = open()
    send(name, valid, valid)
    expect(send({ type: 'next' })).toMatchObject({ step: 'checked', status: 'running' })
    expect(send(valid)).toMatchObject({ status: 'done', value: 'ended' })
  })

  test('ends the session at its last step with the steps of the path', () => {
    const { send, emitted, state } = open()
    send(name, joint(true), valid, joint(false), valid, { type: 'skip' }, valid)
    expect(emitted.at(-1)).toEqual([
      { type: 'finished', step: 'checked', how: 'valid' },
      { type: 'status', to: 'done', submitted: ['you', 'extras', 'checked'] },
    ])
    expect(state()).toMatchObject({ status: 'done', finished: { extras: 'skipped' } })
  })

  test('stays at the last step while another needs attention', () => {
    const { send, actor } = open()
    send(name, valid, valid, { ...name, patch: [{ op: 'remove', path: '/name' }] })
    expect(send(valid)).toMatchObject({ step: 'checked', status: 'running' })
    const before = actor.getSnapshot()
    send(valid)
    expect(actor.getSnapshot()).toBe(before)
  })

  test('starts a session that had no change yet', () => {
    const { emitted, send } = open()
    expect(send(valid)).toMatchObject({ step: 'extras', status: 'running' })
    expect(emitted[0]?.[0]).toEqual({ type: 'status', to: 'running' })
  })
})

describe('skip', () => {
  test('passes optional steps only', () => {
    const { send, emitted } = open()
    expect(send({ type: 'skip' })).toMatchObject({ step: 'you' })
    expect(send(name, valid, { type: 'skip' })).toMatchObject({ step: 'checked' })
    expect(emitted.at(-1)).toEqual([
      { type: 'finished', step: 'extras', how: 'skipped' },
      { type: 'moved', from: 'extras', to: 'checked', by: 'skip' },
    ])
  })
})

describe('back and goTo', () => {
  test('follow visited and reachable steps', () => {
    const { send, emitted } = open()
    expect(send({ type: 'goTo', step: 'checked' }, { type: 'back' })).toMatchObject({ step: 'you' })
    expect(emitted).toEqual([])
    expect(send(name, valid, { type: 'goTo', step: 'checked' })).toMatchObject({ step: 'checked' })
    expect(send({ type: 'back' }, { type: 'back' })).toMatchObject({ step: 'you' })
    expect(send({ type: 'goTo', step: 'constructor' })).toMatchObject({ step: 'you' })
    expect(emitted.at(-1)).toEqual([{ type: 'moved', from: 'extras', to: 'you', by: 'back' }])
  })
})

describe('pause and continue', () => {
  test('hold moves back, not answers', () => {
    const { send, emitted } = open()
    expect(send({ type: 'continue' }, name, { type: 'pause' }, { type: 'pause' })).toMatchObject({
      status: 'paused',
    })
    expect(send(valid, joint(true))).toMatchObject({ step: 'you', status: 'paused' })
    expect(send({ type: 'continue' }, valid)).toMatchObject({ step: 'partner', status: 'running' })
    expect(emitted.flat().map((change) => change.type)).toEqual([
      'set',
      'status',
      'set',
      'status',
      'finished',
      'moved',
    ])
  })
})

describe('restart', () => {
  test('clears the answers and goes to the first step', () => {
    const { send, state, emitted } = open()
    send(name, valid)
    expect(send({ type: 'restart' })).toMatchObject({ step: 'you', status: 'running' })
    expect(state()).toMatchObject({ answers: {}, finished: {}, visited: { you: true } })
    expect(emitted.at(-1)).toEqual([{ type: 'restarted', step: 'you' }])
  })
})

describe('adopt', () => {
  const finished = (...steps: string[]) =>
    steps.reduce(
      (state, step) => applyChange(state, { type: 'finished', step, how: 'valid' }),
      applyChange(empty, name),
    )

  test('takes the state over, emits nothing, and keeps this tab where it is', () => {
    const { send, state, emitted } = open()
    send(name, valid)
    emitted.length = 0
    const other = { ...finished('you', 'extras', 'checked'), step: 'checked' }
    expect(send({ type: 'adopt', state: other })).toMatchObject({ step: 'extras' })
    expect(state()).toBe(other)
    expect(emitted).toEqual([])
  })

  test('leads to what needs attention, or the last step, where this tab is off the path', () => {
    const { send } = open({ state: applyChange(applyChange(empty, name), joint(true)), step: 'partner' })
    expect(send({ type: 'adopt', state: finished('you') })).toMatchObject({ step: 'checked' })
    send(
      { type: 'adopt', state: applyChange(finished('you'), joint(true)) },
      { type: 'goTo', step: 'partner' },
    )
    expect(send({ type: 'adopt', state: finished('you', 'extras', 'checked') })).toMatchObject({
      step: 'checked',
    })
  })

  test('follows an end made elsewhere, and a session opened again', () => {
    const { send } = open()
    const done = { ...finished('you'), status: 'done' } as const
    expect(send(name, valid, { type: 'adopt', state: done })).toEqual({
      step: 'you',
      status: 'done',
      value: 'ended',
    })
    expect(send({ type: 'adopt', state: finished('you') })).toMatchObject({ status: 'running', value: 'you' })
  })
})

describe('abandon and expire', () => {
  test('end the session', () => {
    expect(open().send({ type: 'abandon' })).toEqual({ step: 'you', status: 'abandoned', value: 'ended' })
    expect(open().send(name, { type: 'pause' }, { type: 'expire' })).toMatchObject({
      status: 'expired',
      value: 'ended',
    })
  })
})

function untouched(): never {
  throw new Error('looked into answers it leaves alone')
}
