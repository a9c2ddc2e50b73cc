import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { WireMeta } from '../../../src/protocol/wire.ts'
import { deliverSubmissions, type SubmittedSession } from '../../../src/server/deliver-submissions.ts'
import { createAuthor } from '../../../src/testing/author.ts'
import { createServer, revOf } from './serve.ts'

const mortgage = defineFlow({
  id: 'mortgage',
  version: 3,
  title: 'Mortgage application',
  steps: {
    applicant: { title: 'You', schema: z.object({ name: z.string().min(1), joint: z.boolean() }) },
    partner: {
      title: 'Partner',
      schema: z.object({ name: z.string().min(1) }),
      when: (a) => a.applicant?.joint === true,
    },
    notes: { title: 'Notes', optional: true, schema: z.object({ text: z.string() }) },
    review: { title: 'Review' },
  },
})

const done: Partial<WireMeta> = {
  ...{ flow: mortgage.ref, status: 'done' },
  finished: { applicant: 'valid', review: 'valid' },
  submitted: ['applicant', 'review'],
}
const single = { name: 'Ada', joint: false }

describe('flow validation', () => {
  const serve = () => createServer({ flows: [mortgage] })
  const meta = (more: Partial<WireMeta>): Partial<WireMeta> => ({ flow: mortgage.ref, ...more })

  test('lets drafts be invalid, and checks a step once it is finished', async () => {
    const { one } = serve()
    const a = createAuthor('s1', 'wa')
    const draft = await one(a.set(null, 'applicant', { name: '' }, meta({})))
    expect(draft).toMatchObject({ type: 'accepted', validated: true })
    const finish = meta({ finished: { applicant: 'valid' } })
    const rejected = await one(createAuthor('s1', 'wb').set(revOf(draft), 'applicant', { name: '' }, finish))
    expect(rejected).toMatchObject({ type: 'rejected', reason: 'answers-invalid' })
    const issues = rejected.type === 'rejected' ? rejected.issues : []
    expect(issues.map(({ step, path }) => step + path)).toEqual(['applicant/name', 'applicant/joint'])
    expect((await one(a.set(revOf(draft), 'applicant', single, finish))).type).toBe('accepted')
  })

  test('checks a step finished in a later push by the answers it holds', async () => {
    const { one } = serve()
    const a = createAuthor('s1', 'wa')
    const rev = revOf(await one(a.set(null, 'applicant', { name: '' }, meta({}))))
    const entries = [a.write([{ type: 'finished', step: 'applicant', how: 'valid' }])]
    const push = a.push({ base: rev, entries, meta: meta({ finished: { applicant: 'valid' } }) })
    expect(await one(push)).toMatchObject({ reason: 'answers-invalid' })
  })

  test.each<[string, Partial<WireMeta>, object]>([
    ['a step on the path that was never filled', { finished: {} }, { name: 'Ada', joint: true }],
    ['a step skipped that may not be', { finished: { applicant: 'skipped' } }, single],
    ['a step of a branch that was left', { submitted: ['applicant', 'partner'] }, single],
    ['a finished step the flow does not have', { finished: { ...done.finished, extra: 'valid' } }, single],
  ])('rejects a submit with %s', async (_, more, applicant) => {
    const push = createAuthor('s1', 'wa').set(null, 'applicant', applicant as never, { ...done, ...more })
    expect(await serve().one(push)).toMatchObject({ type: 'rejected', reason: 'answers-invalid' })
  })

  test('takes a submit that leaves optional steps empty', async () => {
    const push = createAuthor('s1', 'wa').set(null, 'applicant', single, done)
    expect(await serve().one(push)).toMatchObject({ type: 'accepted', validated: true })
  })

  test('checks bounds only where flow, version or structure are not registered', async () => {
    for (const flow of [
      { ...mortgage.ref, version: 4 },
      { ...mortgage.ref, hash: 'other' },
    ]) {
      const push = createAuthor('s1', 'wa').set(null, 'applicant', { name: '' }, { ...done, flow })
      expect(await serve().one(push)).toMatchObject({ type: 'accepted', validated: false })
    }
  })

  test('rejects one item where the schema itself throws, and tells the host', async () => {
    const schema = z.object({}).refine(() => {
      throw new Error('schema bug')
    })
    const broken = defineFlow({
      id: 'broken',
      version: 1,
      title: 'Broken',
      steps: { only: { title: 'Only', schema } },
    })
    const { sync, errors } = createServer({ flows: [broken] })
    const finished = { only: 'valid' } as const
    const push = createAuthor('s1', 'wa').set(null, 'only', {}, { flow: broken.ref, finished })
    const outcomes = await sync([push, createAuthor('s2', 'wa').set(null, 'x', {})])
    expect(outcomes).toMatchObject([{ type: 'rejected', reason: 'validation-failed' }, { type: 'accepted' }])
    expect(errors).toMatchObject([{ code: 'schema-failed' }])
  })
})

describe('submission', () => {
  test('holds the submitted steps only, once, and is shown', async () => {
    const received: SubmittedSession[] = []
    const { one, get } = createServer({ onSubmit: (submitted) => void received.push(submitted) })
    const a = createAuthor('s1', 'wa')
    const rev = revOf(await one(a.set(null, 'partner', { name: 'left behind' }, { flow: mortgage.ref })))
    const submit = a.set(rev, 'applicant', single, done)
    await one(submit)
    await one(submit)
    const submission = { answers: { applicant: single }, validated: false, at: 1_790_000_000_000 }
    expect(received).toEqual([{ account: 'ada', session: 's1', flow: mortgage.ref, ...submission }])
    expect(await (await get('sessions/s1')).json()).toMatchObject({ status: 'done', submission })
    const late = createAuthor('s1', 'wb').set(revOf(await one(submit)), 'applicant', {}, done)
    expect(await one(late)).toMatchObject({ type: 'accepted' })
    expect(await (await get('sessions/s1')).json()).toMatchObject({ status: 'done', submission })
    expect(received).toHaveLength(1)
  })

  test('is handed on again after the host failed, by a replay or by deliverSubmissions', async () => {
    let fails = 2
    const received: string[] = []
    const onSubmit = ({ session }: SubmittedSession) => {
      if (fails-- > 0) throw new Error('mail server down')
      received.push(session)
    }
    const { one, store, errors } = createServer({ onSubmit })
    const submit = createAuthor('s1', 'wa').set(null, 'applicant', single, done)
    expect((await one(submit)).type).toBe('accepted')
    await one(submit)
    expect([received, errors.length]).toEqual([[], 2])
    const onError = (error: unknown) => void errors.push(error)
    expect(await deliverSubmissions({ store, onSubmit, onError })).toBe(1)
    expect(await deliverSubmissions({ store, onSubmit, onError })).toBe(0)
    expect(received).toEqual(['s1'])
  })
})
