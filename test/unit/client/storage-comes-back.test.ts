import 'fake-indexeddb/auto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createFakeClock } from '../../support/fake-clock.ts'
import { preparePages } from '../../support/pages.ts'

const { page, errors } = preparePages()
const really = indexedDB.open.bind(indexedDB)
afterEach(() => vi.restoreAllMocks())

/** No database opens until `mend()`. */
function breakStorage(): { mend(): void } {
  let isBroken = true
  vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
    if (isBroken) throw new DOMException('Internal error opening backing store', 'UnknownError')
    return really(...args)
  })
  return { mend: () => (isBroken = false) }
}

const inIndexedDb = () => ({ store: undefined as never, clock: createFakeClock() })

/** fake-indexeddb answers in macrotasks of its own. */
async function pass(clock: ReturnType<typeof createFakeClock>, ms: number): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await clock.advance(ms / 10)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('storage that does not open', () => {
  test('is used as soon as it does, and holds what was entered meanwhile, closed sessions too', async () => {
    const storage = breakStorage()
    const { store, clock } = inIndexedDb()
    const waymark = page({ store, clock })
    const opening = waymark.open('mortgage')
    await pass(clock, 3_000)
    const session = await opening
    session.set('applicant', { name: 'Ada' })
    const other = await waymark.open('mortgage', { key: 'other' })
    other.set('applicant', { name: 'Charles' })
    await other.close()
    await pass(clock, 100)
    expect(session.status.getSnapshot().saved).toMatchObject({
      device: 'no',
      atRisk: { code: 'storage-failed' },
    })
    await pass(clock, 20_000)
    expect(errors.splice(0).length).toBeGreaterThan(0)
    storage.mend()
    await pass(clock, 60_000)
    expect(session.status.getSnapshot().saved).toEqual({ device: 'strict', server: 'none' })

    const later = page({ store, clock })
    const [again, otherAgain] = await Promise.all([
      later.open('mortgage'),
      later.open('mortgage', { key: 'other' }),
    ])
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada' } })
    expect(otherAgain.getSnapshot().answers).toEqual({ applicant: { name: 'Charles' } })
    expect(await again.verify()).toMatchObject({ type: 'whole' })
  })

  test('is merged with what it held already', async () => {
    const { store, clock } = inIndexedDb()
    const before = await page({ store, clock }).open('mortgage')
    before.set('applicant', { name: 'Ada', joint: true })
    await before.next()
    before.set('partner', { name: 'Charles' })
    await before.saved('device')
    const storage = breakStorage()
    const opening = page({ store, clock }).open('mortgage')
    await pass(clock, 3_000)
    const session = await opening
    expect(session.getSnapshot().answers).toEqual({})
    session.set('notes', { text: 'typed while it was away' })
    await pass(clock, 100)
    storage.mend()
    await pass(clock, 60_000)
    errors.length = 0
    const all = {
      applicant: { name: 'Ada', joint: true },
      partner: { name: 'Charles' },
      notes: { text: 'typed while it was away' },
    }
    expect(session.getSnapshot().answers).toEqual(all)
    const later = await page({ store, clock }).open('mortgage')
    expect(later.getSnapshot().answers).toEqual(all)
    expect(later.getSnapshot().finished).toMatchObject({ applicant: 'valid' })
  })
})
