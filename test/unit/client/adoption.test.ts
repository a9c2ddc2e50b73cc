import { expect, test } from 'vitest'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

test('a step finished over the typing of a tab that is gone is as finished as after a reload', async () => {
  const store = durableStore()
  const clock = createFakeClock()
  const deaf = { tell: () => {}, on: () => () => {}, close: () => {} }
  const gone = await page({ store, tabs: deaf }).open('mortgage')
  gone.set('applicant', { name: 'Ada', joint: false })
  gone.commit()
  await gone.saved('device')
  gone.set('applicant', { name: 'Ida' })
  await gone.saved('device')
  const session = await page({ store, clock }).open('mortgage')
  expect(session.getSnapshot().answers.applicant).toEqual({ name: 'Ida', joint: false })
  await session.next()
  await clock.advance(20_000)
  await settle()
  const again = await page({ store }).open('mortgage')
  expect(session.getSnapshot().finished).toEqual(again.getSnapshot().finished)
})
