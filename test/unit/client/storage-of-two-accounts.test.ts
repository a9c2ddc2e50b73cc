import { describe, expect, test } from 'vitest'
import { WaymarkError } from '../../../src/base/errors.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page, errors } = preparePages()

function breaking(disk: Store) {
  let isBroken = true
  return {
    mend: () => (isBroken = false),
    open: async (): Promise<Store> => {
      if (isBroken) throw new WaymarkError('storage-failed', 'broken', { isRetryable: true })
      return disk
    },
  }
}

describe('storage that comes back', () => {
  test('holds what was entered for another account meanwhile', async () => {
    const clock = createFakeClock()
    const disk = durableStore()
    const storage = breaking(disk)
    const waymark = page({ store: storage.open, clock, account: 'u1' })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    await waymark.setAccount('u2')
    storage.mend()
    await clock.advance(60_000)
    errors.length = 0
    await waymark.setAccount('u1')
    const again = await waymark.open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada' } })
  })
})
