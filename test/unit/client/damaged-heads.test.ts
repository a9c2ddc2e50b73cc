import { describe, expect, test } from 'vitest'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page, errors } = preparePages()

/** A started session, which only its head tells of, and what is done to that head. */
async function withDamagedHead(spoil: (store: Store, key: string[], head: object) => Promise<unknown>) {
  const store = durableStore()
  const clock = createFakeClock()
  const first = page({ store, clock, account: 'u1' })
  const session = await first.start('mortgage')
  session.set('applicant', { name: 'Ada', joint: false })
  await session.next()
  const [head] = await first.resumable()
  await first.close()
  const [values = []] = await store.read([{ store: 'heads', prefix: ['u1', session.id] }])
  await spoil(store, ['u1', session.id], values[0] as object)
  return { store, clock, session, head, later: page({ store, clock, account: 'u1' }) }
}

const put = (store: Store, key: string[], value: unknown) =>
  store.write({ durability: 'relaxed', put: [{ store: 'heads', key, value }] })

describe('a head that cannot be read', () => {
  test.each<[string, unknown]>([
    ['cut', { v: 1, id: 'x' }],
    ['text', 'spoilt'],
  ])('%s: is made anew from the journal, so that the list hides nothing', async (_name, value) => {
    const { later, session, head, store } = await withDamagedHead((...[store, key]) => put(store, key, value))
    const [again] = await later.resumable()
    expect(again).toEqual({ ...head, savedAt: expect.any(Number) })
    expect((await later.resume(session.id)).getSnapshot().answers).toEqual({
      applicant: { name: 'Ada', joint: false },
    })
    expect(errors.splice(0).every((error) => isWaymarkError(error, 'record-unreadable'))).toBe(true)
    const [aside] = await store.read([{ store: 'quarantine', prefix: [session.id, 'head'] }])
    expect(aside).toMatchObject([{ place: 'head', row: value }])
    expect(await later.resumable()).toHaveLength(1)
    expect(errors).toEqual([])
  })

  test('of a format to come is left to the newer version, and listed all the same', async () => {
    const { later, session, head, store } = await withDamagedHead((...[to, key]) => put(to, key, { v: 9 }))
    expect(await later.resumable()).toEqual([{ ...head, savedAt: expect.any(Number) }])
    expect((await store.read([{ store: 'heads', prefix: ['u1', session.id] }]))[0]).toEqual([{ v: 9 }])
    expect(errors).toEqual([])
  })

  test('of a flow this app does not know stays as it is, until the flow is given', async () => {
    const { later, store, session } = await withDamagedHead(async (store, key) => {
      await put(store, key, 'spoilt')
      await store.write({ durability: 'relaxed', remove: [{ store: 'journal', prefix: [key[1]!] }] })
    })
    expect(await later.resumable()).toEqual([])
    expect((await store.read([{ store: 'heads', prefix: ['u1', session.id] }]))[0]).toEqual(['spoilt'])
    expect(errors.splice(0).length).toBe(1)
  })
})
