import { expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { PageLife } from '../../../src/client/page-life.ts'
import type { TabNews } from '../../../src/client/tabs.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

test('pages tell each other through the tabs they are given', async () => {
  const store = durableStore()
  const told: TabNews[] = []
  let hear = (_: TabNews) => {}
  let isClosed = false
  const other = page({ store })
  const mine = page({
    store,
    tabs: {
      tell: (news) => told.push(news),
      on(listener) {
        hear = listener
        return () => (hear = () => {})
      },
      close: () => (isClosed = true),
    },
  })
  const [theirs, ours] = [await other.open('mortgage'), await mine.open('mortgage')]
  theirs.set('notes', { a: 1 })
  await theirs.saved('device')
  await settle()
  expect(ours.getSnapshot().answers.notes).toBeUndefined()
  hear({ type: 'stored', session: ours.id })
  await settle()
  expect(ours.getSnapshot().answers.notes).toEqual({ a: 1 })
  ours.set('notes', { b: 2 })
  await ours.saved('device')
  expect(told).toContainEqual({ type: 'stored', session: ours.id })
  await mine.close()
  expect(isClosed).toBe(true)
})

test('a page lives the life it is given', async () => {
  const store = durableStore()
  let life: PageLife | undefined
  const mine = page({
    store,
    watchLife: (given) => {
      life = given
      return () => (life = undefined)
    },
  })
  const other = page({ store, tabs: { tell: () => {}, on: () => () => {}, close: () => {} } })
  const [ours, theirs] = [await mine.open('mortgage'), await other.open('mortgage')]
  theirs.set('notes', { a: 1 })
  await theirs.saved('device')
  expect(ours.getSnapshot().answers.notes).toBeUndefined()
  life?.onReturned()
  await settle()
  expect(ours.getSnapshot().answers.notes).toEqual({ a: 1 })
  await mine.close()
  expect(life).toBeUndefined()
})

test('pages take turns by the locks they are given', async () => {
  const asked: string[] = []
  const request = (name: string, _options: LockOptions, run: (lock: null) => Promise<unknown>) => {
    asked.push(name)
    return run(null)
  }
  const clock = createFakeClock()
  const mine = page({
    ...{ clock, namespace: 'app', account: 'u1', backend: memoryBackend() },
    locks: { request: request as LockManager['request'] },
  })
  await mine.open('mortgage')
  await clock.advance(2_000)
  expect(asked).toContain('waymark:app:u1')
})
