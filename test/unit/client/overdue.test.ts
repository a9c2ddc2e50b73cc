import { expect, test } from 'vitest'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore } from '../../support/pages.ts'

const flow = defineFlow({
  id: 'claim',
  title: 'Claim',
  expiry: { afterMs: 86_400_000, warnMs: 1_000 },
  steps: { one: { title: 'One' }, two: { title: 'Two' } },
})

test('a list is read although another tab removes an overdue session meanwhile', async () => {
  const wrong: string[] = []
  for (let k = 0; k < 80; k++) {
    const clock = createFakeClock()
    const store = durableStore()
    const namespace = `o-${Math.random()}`
    const first = createWaymark({ flows: [flow], clock, store, namespace })
    const ids: string[] = []
    for (const key of ['a', 'b']) {
      const session = await first.open('claim', { key })
      session.set('one', { key })
      await session.saved('device')
      ids.push(session.id)
    }
    await first.close()
    const other = createWaymark({ flows: [flow], clock, store, namespace })
    await clock.advance(10)
    const later = createWaymark({ flows: [flow], clock, store, namespace })
    await clock.advance(90_000_000)
    // Another tab deletes the row of the head, as list.remove does, at some moment of the reading.
    const listing = later.resumable().catch((error) => wrong.push(`after ${k}: ${error.code}`))
    for (let i = 0; i < k; i++) await Promise.resolve()
    await store.write({
      durability: 'strict',
      remove: ids.flatMap((id) => [
        { store: 'heads' as const, prefix: ['', id] },
        { store: 'journal' as const, prefix: [id] },
      ]),
    })
    await listing
    await Promise.all([other.close(), later.close()])
  }
  expect(wrong).toEqual([])
}, 60_000)

test('an overdue session that another tab removed meanwhile is not stored again', async () => {
  const clock = createFakeClock()
  const left: string[] = []
  for (let k = 0; k < 80; k++) {
    const store = durableStore()
    const namespace = `o-${Math.random()}`
    const first = createWaymark({ flows: [flow], clock, store, namespace })
    const session = await first.open('claim')
    session.set('one', { a: 'PLANTED' })
    await session.saved('device')
    await first.close()
    const later = createWaymark({
      flows: [flow],
      clock,
      store,
      namespace,
      tabs: { tell() {}, on: () => () => {}, close() {} },
    })
    await clock.advance(90_000_000)
    const listing = later.resumable().catch(() => {})
    for (let i = 0; i < k; i++) await Promise.resolve()
    await store.write({
      durability: 'strict',
      remove: (['heads', 'journal', 'drafts', 'checkpoints'] as const).map((name) => ({
        store: name,
        prefix: name === 'heads' ? ['', session.id] : [session.id],
      })),
      put: [
        {
          store: 'heads',
          key: ['', session.id, 'fate'],
          value: { v: 1, session: session.id, fate: 'removed' } as never,
        },
      ],
    })
    await listing
    await later.close()
    const rows = await store.read([
      { store: 'journal', prefix: [session.id] },
      { store: 'checkpoints', prefix: [session.id] },
    ])
    if (rows.flat().length > 0) left.push(`after ${k}: ${rows.map((one) => one.length)}`)
  }
  expect(left).toEqual([])
}, 60_000)
