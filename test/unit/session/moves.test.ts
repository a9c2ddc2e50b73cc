import { describe, expect, test } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { settle } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

/** A disk on which strict writes wait until it is let go. */
function slowDisk(): { store: Store; release(): void } {
  const store = durableStore()
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    release,
    store: {
      ...store,
      async write(write) {
        if (write.durability === 'strict') await released
        return store.write(write)
      },
    },
  }
}

describe('a move asked for while another is being stored', () => {
  test('is made, where it is from another step', async () => {
    const { store, release } = slowDisk()
    const session = await page({ store }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: true })
    const first = session.next()
    await settle()
    expect(session.getSnapshot().step).toBe('partner')
    session.set('partner', { name: 'Charles' })
    const second = session.next()
    await settle()
    release()
    expect(await first).toMatchObject({ type: 'moved', step: 'partner' })
    expect(await second).toMatchObject({ type: 'moved', step: 'incomes' })
  })

  test('is the same one, where it is asked for twice on the same step', async () => {
    const { store, release } = slowDisk()
    const session = await page({ store }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: true })
    const both = [session.next(), session.next()]
    release()
    expect(await Promise.all(both)).toMatchObject([{ step: 'partner' }, { step: 'partner' }])
    expect(session.getSnapshot()).toMatchObject({ step: 'partner', issues: [] })
  })

  test('back twice goes back two steps', async () => {
    const { store, release } = slowDisk()
    const session = await page({ store }).open('mortgage')
    release()
    session.set('applicant', { name: 'Ada', joint: true })
    await session.next()
    session.set('partner', { name: 'Charles' })
    await session.next()
    await Promise.all([session.back(), session.back()])
    expect(session.getSnapshot().step).toBe('applicant')
  })
})
