import 'fake-indexeddb/auto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { preparePages } from '../../support/pages.ts'
import { everythingIn } from '../../support/searching.ts'

const { page, errors } = preparePages()
const really = indexedDB.open.bind(indexedDB)
afterEach(() => vi.restoreAllMocks())
const encryption = { key: new Uint8Array(32).fill(1) }

/** fake-indexeddb and WebCrypto answer in macrotasks of their own. */
async function pass(clock: ReturnType<typeof createFakeClock>, ms: number): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await clock.advance(ms / 10)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('storage that does not open, where it is to be encrypted', () => {
  test('holds what was entered meanwhile sealed, as soon as it opens', async () => {
    const clock = createFakeClock()
    const namespace = 'comes-back-sealed'
    const given = { store: undefined as never, clock, namespace }
    let isBroken = true
    vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
      if (isBroken) throw new DOMException('Internal error opening backing store', 'UnknownError')
      return really(...args)
    })
    const opening = page({ ...given, encryption }).open('mortgage')
    await pass(clock, 3_000)
    const session = await opening
    session.set('applicant', { name: 'PLANTED' })
    await pass(clock, 100)
    isBroken = false
    await pass(clock, 60_000)
    await vi.waitFor(() => expect(session.status.getSnapshot().saved.device).toBe('strict'))
    errors.length = 0
    const raw = await openIdbStore({ name: namespace, clock: systemClock })
    const stored = await everythingIn(raw)
    await raw.close()
    expect(stored).toContain(session.id)
    expect(stored).not.toContain('PLANTED')
    const again = await page({ ...given, encryption }).open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'PLANTED' } })
    await expect(page(given).open('mortgage')).rejects.toMatchObject({ code: 'encryption-needed' })
  })
})
