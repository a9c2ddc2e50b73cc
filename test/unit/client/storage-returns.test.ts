import { describe, expect, test } from 'vitest'
import { WaymarkError } from '../../../src/base/errors.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page, errors } = preparePages()

function breaking(disk: Store, onOpen = () => {}) {
  let isBroken = true
  return {
    mend: () => (isBroken = false),
    open: async (): Promise<Store> => {
      if (isBroken) throw new WaymarkError('storage-failed', 'broken', { isRetryable: true })
      onOpen()
      return disk
    },
  }
}

describe('storage that comes back', () => {
  test('holds what was typed meanwhile where its first session had been removed earlier', async () => {
    const clock = createFakeClock()
    const disk = durableStore()
    const before = page({ store: disk, clock })
    const old = await before.open('mortgage')
    old.set('applicant', { name: 'Old' })
    await old.saved('device')
    await before.remove(old.id)
    await before.close()

    const storage = breaking(disk)
    const waymark = page({ store: storage.open, clock })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    storage.mend()
    await clock.advance(60_000)
    errors.length = 0
    expect(session.status.getSnapshot().saved.device).toBe('strict')
    const again = await page({ store: disk, clock }).open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada' } })
  })

  test('holds a closed session also where its first writes fail', async () => {
    const clock = createFakeClock()
    const disk = durableStore()
    let failures = 4
    const flaky: Store = {
      ...disk,
      kind: 'indexeddb',
      async write(write) {
        if (write.add !== undefined && failures-- > 0)
          throw new WaymarkError('storage-full', 'full for a moment', { isRetryable: true })
        return disk.write(write)
      },
    }
    const storage = breaking(flaky)
    const waymark = page({ store: storage.open, clock })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    await session.close()
    storage.mend()
    await clock.advance(300_000)
    errors.length = 0
    const again = await waymark.open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada' } })
  })

  test('never says saved while all is in memory, where a session is removed as storage opens', async () => {
    const wrong: string[] = []
    for (let k = 0; k < 60; k++) {
      const clock = createFakeClock()
      const disk = durableStore()
      let onOpen = () => {}
      const storage = breaking(disk, () => onOpen())
      const waymark = page({ store: storage.open, clock })
      const session = await waymark.open('mortgage')
      session.set('applicant', { name: 'Ada' })
      const other = await waymark.open('mortgage', { key: 'other' })
      other.set('applicant', { name: 'Charles' })
      const { id } = other
      await other.close()
      onOpen = () => {
        void (async () => {
          for (let i = 0; i < k; i++) await Promise.resolve()
          await waymark.remove(id)
        })().catch(() => {})
      }
      storage.mend()
      await clock.advance(5_100)
      session.set('notes', { text: 'x' })
      await clock.advance(10)
      const rows = await disk.read([{ store: 'journal', prefix: [session.id] }])
      const said = session.status.getSnapshot().saved
      if (said.device !== 'no' && rows[0]!.length === 0) wrong.push(`after ${k}: ${JSON.stringify(said)}`)
    }
    errors.length = 0
    expect(wrong).toEqual([])
  }, 60_000)
})
