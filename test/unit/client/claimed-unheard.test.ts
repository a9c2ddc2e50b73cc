import { expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { toStorageError } from '../../../src/store/storage-error.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

test('what could not be stored stays, where a tab finds out late that its session was claimed', async () => {
  const inner = durableStore()
  const clock = createFakeClock()
  let isFull = false
  const store: Store = {
    ...inner,
    async write(write) {
      if (isFull) throw toStorageError(new DOMException('full', 'QuotaExceededError'), 'use')
      return inner.write(write)
    },
  }
  const deaf = page({
    ...{ store, clock, backend: memoryBackend({ clock }) },
    tabs: { tell: () => {}, on: () => () => {}, close: () => {} },
  })
  const session = await deaf.open('mortgage')
  session.set('applicant', { name: 'Anon' })
  await session.saved('device')
  const owner = page({ store, clock, account: 'u1' })
  await owner.claim()
  isFull = true
  session.set('notes', { text: 'only here' })
  expect(await session.saved('device')).toMatchObject({ type: 'at-risk' })
  await deaf.sync.now()
  expect(session.getSnapshot().answers.notes).toEqual({ text: 'only here' })
  isFull = false
  await clock.advance(120_000)
  const claimed = await owner.open('mortgage')
  await clock.advance(60_000)
  expect(claimed.getSnapshot().answers).toMatchObject({ notes: { text: 'only here' } })
})
