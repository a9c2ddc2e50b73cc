import { describe, expect, test, vi } from 'vitest'
import { WaymarkError } from '../../../src/base/errors.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page, errors } = preparePages()
const notNow = () =>
  new WaymarkError('storage-failed', 'The storage did not open. It is tried again.', { isRetryable: true })

function watchedStore() {
  const store = durableStore()
  const close = vi.fn(store.close)
  return { store: { ...store, close } satisfies Store, close }
}

describe('createWaymark over a store that is still being opened', () => {
  test('takes its promise, and leaves the closing to whoever opened it', async () => {
    const { store, close } = watchedStore()
    const first = page({ store: Promise.resolve(store) })
    const session = await first.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    expect(await session.saved('device')).toEqual({ type: 'saved' })
    await first.close()
    expect(close).not.toHaveBeenCalled()
    const again = await page({ store }).open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada' } })
  })

  test('takes it under a key too', async () => {
    const { store } = watchedStore()
    const encryption = { key: new Uint8Array(32).fill(1) }
    const session = await page({ store: Promise.resolve(store), encryption }).open('mortgage')
    session.set('applicant', { name: 'PLANTED' })
    expect(await session.saved('device')).toEqual({ type: 'saved' })
    const [drafts] = await store.read([{ store: 'drafts', prefix: [] }])
    expect(drafts).toHaveLength(1)
    expect(JSON.stringify(drafts)).not.toContain('PLANTED')
  })

  test('says that nothing is saved where the promise rejects', async () => {
    const session = await page({ store: Promise.reject(notNow()) }).open('mortgage')
    session.set('applicant', { name: 'Ada' })
    const { saved } = session.status.getSnapshot()
    expect(saved).toMatchObject({ device: 'no', atRisk: { code: 'storage-failed' } })
  })

  test('closes what a function opened', async () => {
    const { store, close } = watchedStore()
    const waymark = page({ store: async () => store })
    await waymark.open('mortgage')
    expect(close).not.toHaveBeenCalled()
    await waymark.close()
    expect(close).toHaveBeenCalledOnce()
  })

  test('calls the function again where it failed, and stores there what was entered meanwhile', async () => {
    const { store } = watchedStore()
    const clock = createFakeClock()
    const open = vi.fn(async () => {
      if (open.mock.calls.length < 3) throw notNow()
      return store as Store
    })
    const session = await page({ store: open, clock }).open('mortgage')
    session.set('applicant', { name: 'Ada' })
    expect(session.status.getSnapshot().saved.device).toBe('no')
    await clock.advance(60_000)
    expect(await session.saved('device')).toEqual({ type: 'saved' })
    expect(open).toHaveBeenCalledTimes(3)
    expect(errors.splice(0)).toMatchObject([{ code: 'storage-failed' }])
    const again = await page({ store }).open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada' } })
  })
})
