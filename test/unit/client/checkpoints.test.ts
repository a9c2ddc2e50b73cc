import { describe, expect, test } from 'vitest'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore } from '../../support/pages.ts'

const steps = {
  first: { title: 'First' },
  second: { title: 'Second', milestone: true },
  third: { title: 'Third' },
}

/** Two fields typed and two steps finished; what is listed as checkpoints, and what the store holds. */
async function journey(checkpoints?: 'change' | 'step' | 'milestone') {
  const flow = defineFlow({ id: 'f', title: 'F', steps, ...(checkpoints && { checkpoints }) })
  const store = durableStore()
  const clock = createFakeClock()
  const waymark = createWaymark({ flows: [flow], store, clock, namespace: Math.random().toString(36) })
  const session = await waymark.open('f')
  session.set('first', { a: 1 })
  session.commit()
  await session.saved('device')
  await clock.advance(100)
  const [early = []] = await store.read([{ store: 'checkpoints', prefix: [session.id] }])
  await session.next()
  await clock.advance(100)
  const [middle = []] = await store.read([{ store: 'checkpoints', prefix: [session.id] }])
  session.set('second', { b: 2 })
  await session.next()
  await clock.advance(100)
  const listed = (await session.toState()).checkpoints
  const states = await Promise.all(listed.map(({ position }) => session.at(position)))
  await waymark.close()
  return { early: early.length, middle: middle.length, steps: listed.map(({ step }) => step), states }
}

describe('checkpoints', () => {
  test('are taken at every finished step unless the flow says otherwise', async () => {
    const { early, middle, steps, states } = await journey()
    expect({ early, middle, steps }).toEqual({ early: 0, middle: 1, steps: ['second', 'third'] })
    expect(states.map(({ answers }) => answers)).toEqual([
      { first: { a: 1 } },
      { first: { a: 1 }, second: { b: 2 } },
    ])
    expect(await journey('step')).toMatchObject({ steps })
  })

  test('are taken at every change where the flow asks for it', async () => {
    const { early, steps } = await journey('change')
    expect(early).toBe(1)
    expect(steps).toEqual(['first', 'second', 'third'])
  })

  test('are taken at marked steps only where the flow asks for it', async () => {
    expect(await journey('milestone')).toMatchObject({ early: 0, middle: 0, steps: ['third'] })
  })

  test('a definition that asks for something else is refused', () => {
    const define = (rest: object) => () => defineFlow({ id: 'f', title: 'F', steps, ...rest } as never)
    const isInvalid = (error: unknown) => isWaymarkError(error, 'flow-invalid')
    expect(define({ checkpoints: 'never' })).toThrow(expect.toSatisfy(isInvalid))
    expect(define({ steps: { a: { title: 'A', milestone: 'yes' } } })).toThrow(expect.toSatisfy(isInvalid))
  })
})
