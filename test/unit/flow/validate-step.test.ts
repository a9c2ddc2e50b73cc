import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { validateStep } from '../../../src/flow/validate-step.ts'
import type { Answers } from '../../../src/record/state.ts'

const boom = new Error('schema bug')
const failing = (validate: () => never | Promise<never>) => ({
  '~standard': { version: 1 as const, vendor: 'test', validate },
})
const flow = defineFlow({
  id: 'v',
  title: 'V',
  steps: {
    you: {
      title: 'You',
      schema: z.object({ name: z.string(), 'a/b': z.coerce.number<string>().optional() }),
    },
    async: {
      title: 'Async',
      schema: z.object({ x: z.number() }).refine(async ({ x }) => x > 1, { path: ['x'] }),
    },
    strict: { title: 'Pets', each: z.strictObject({ name: z.string() }) },
    keyed: { title: 'Keyed', each: z.object({ key: z.string().min(2), name: z.string() }) },
    later: { title: 'Later', each: z.object({ x: z.number() }).refine(async ({ x }) => x > 1) },
    free: { title: 'Free' },
    throws: {
      title: 'Throws',
      schema: failing(() => {
        throw boom
      }),
    },
    rejects: { title: 'Rejects', schema: failing(() => Promise.reject(boom)) },
  },
})

describe('validateStep', () => {
  test('gives the output of the schema, at once where it is synchronous', () => {
    expect(validateStep(flow, 'you', { you: { name: 'Ada', 'a/b': '7' } })).toEqual({
      type: 'valid',
      value: { name: 'Ada', 'a/b': 7 },
    })
    expect(validateStep(flow, 'free', { free: { any: [1] } })).toEqual({ type: 'valid', value: { any: [1] } })
  })

  test('gives issues with their place', () => {
    expect(validateStep(flow, 'you', { you: { name: 'Ada', 'a/b': 'x' } })).toEqual({
      type: 'invalid',
      issues: [{ step: 'you', path: '/a~1b', message: expect.any(String) }],
    })
  })

  test('takes answers that are not there as empty', () => {
    expect(validateStep(flow, 'you', {})).toMatchObject({ type: 'invalid', issues: [{ path: '/name' }] })
    expect(validateStep(flow, 'free', {})).toEqual({ type: 'valid', value: {} })
    expect(validateStep(flow, 'strict', {})).toEqual({ type: 'valid', value: [] })
  })

  test('awaits an asynchronous schema', async () => {
    await expect(validateStep(flow, 'async', { async: { x: 1 } })).resolves.toMatchObject({
      type: 'invalid',
      issues: [{ path: '/x' }],
    })
    await expect(validateStep(flow, 'later', { later: [{ key: 'a', x: 2 }] })).resolves.toEqual({
      type: 'valid',
      value: [{ key: 'a', x: 2 }],
    })
  })

  test('validates items without their key, unless their schema asks for it', () => {
    const answers: Answers = { strict: [{ key: 'a', name: 'Rex' }], keyed: [{ key: 'ab', name: 'Rex' }] }
    expect(validateStep(flow, 'strict', answers)).toEqual({ type: 'valid', value: answers['strict'] })
    expect(validateStep(flow, 'keyed', answers)).toEqual({ type: 'valid', value: answers['keyed'] })
    const wrong: Answers = {
      strict: [{ key: 'a', name: 'Rex' }, { key: 'b' }],
      keyed: [{ key: 'a', name: 'Rex' }],
    }
    expect(validateStep(flow, 'strict', wrong)).toMatchObject({
      issues: [{ step: 'strict', path: '/1/name' }],
    })
    expect(validateStep(flow, 'keyed', wrong)).toMatchObject({ issues: [{ path: '/0/key' }] })
  })

  test('refuses a list where an object belongs, and the reverse', () => {
    expect(validateStep(flow, 'free', { free: [] })).toMatchObject({
      type: 'invalid',
      issues: [{ path: '' }],
    })
    expect(validateStep(flow, 'strict', { strict: {} })).toMatchObject({
      type: 'invalid',
      issues: [{ path: '' }],
    })
  })

  test('throws or rejects with schema-failed where the schema fails, without the answers', async () => {
    const failed = expect.objectContaining({
      code: 'schema-failed',
      cause: boom,
      message: expect.not.stringContaining('secret'),
    })
    const answers = { throws: { x: 'secret' }, rejects: { x: 'secret' } }
    expect(() => validateStep(flow, 'throws', answers)).toThrow(failed)
    await expect(validateStep(flow, 'rejects', answers)).rejects.toEqual(failed)
    expect(() => validateStep(flow, 'nowhere', answers)).toThrow(
      expect.objectContaining({ code: 'step-unknown' }),
    )
  })
})
