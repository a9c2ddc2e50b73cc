import { expect, test } from 'vitest'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

test('typing of a page that died before the clock was set back does not cover what is typed now', async () => {
  const store = durableStore()
  const clock = createFakeClock()
  const dead = await page({ store, clock }).open('mortgage')
  dead.set('applicant', { name: 'first' })
  await settle()
  clock.jump(600_000)
  dead.set('applicant', { name: 'before' })
  await settle()
  clock.jump(-3_600_000)

  const now = await page({ store, clock }).open('mortgage')
  expect(now.getSnapshot().answers.applicant).toEqual({ name: 'before' })
  now.set('applicant', { name: 'after' })
  await settle()
  expect(now.getSnapshot().answers.applicant).toEqual({ name: 'after' })
  const later = await page({ store, clock }).open('mortgage')
  expect(later.getSnapshot().answers.applicant).toEqual({ name: 'after' })
})
