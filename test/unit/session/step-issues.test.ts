import { expect, test } from 'vitest'
import { z } from 'zod'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { durableStore } from '../../support/pages.ts'

/** A schema that asks a server, as far as anyone here can tell. */
const asking = z.object({ name: z.string().refine(async (name) => name !== 'taken', 'That name is taken') })

test('mending a field of one item takes its issue away, and no other item’s', async () => {
  const flow = defineFlow({
    id: 'async',
    title: 'Async',
    steps: { people: { title: 'People', each: asking } },
  })
  const waymark = createWaymark({ flows: [flow], namespace: 'step-issues', store: durableStore() })
  const session = await waymark.open('async')
  const [, second] = ['taken', 'taken', 'free'].map((name) => session.add('people', { name }))
  expect(await session.next()).toMatchObject({ issues: [{ path: '/0/name' }, { path: '/1/name' }] })
  session.change('people', second!, { name: 'free' })
  expect(session.getSnapshot().issues).toMatchObject([{ path: '/0/name' }])
  await waymark.close()
})
