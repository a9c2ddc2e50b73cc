import 'fake-indexeddb/auto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const really = indexedDB.open.bind(indexedDB)
afterEach(() => vi.restoreAllMocks())

/** The next openings fail, as while a browser that was killed still holds its locks. */
function failToOpen(times: number, name = 'UnknownError') {
  let left = times
  return vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
    if (left-- > 0) throw new DOMException('Internal error opening backing store', name)
    return really(...args)
  })
}

describe('opening the database', () => {
  test('is tried again where it fails for a moment', async () => {
    const open = failToOpen(3)
    const clock = createFakeClock()
    const opening = openIdbStore({ name: 'a-moment', clock })
    await clock.advance(3_000)
    const store = await opening
    expect(open).toHaveBeenCalledTimes(4)
    expect(store.generation).toBe(0)
    expect(await store.write({ durability: 'relaxed' })).toBe('stored')
    await store.close()
  })

  test('is given up with a code where it keeps failing', async () => {
    const open = failToOpen(Number.POSITIVE_INFINITY)
    const clock = createFakeClock()
    const opening = openIdbStore({ name: 'for-good', clock }).catch((error: unknown) => error)
    await clock.advance(3_000)
    expect(await opening).toSatisfy((error) => isWaymarkError(error) && error.code === 'storage-failed')
    expect(open).toHaveBeenCalledTimes(4)
  })

  test('is not tried again where the browser has no storage for this page', async () => {
    const open = failToOpen(1, 'SecurityError')
    await expect(openIdbStore({ name: 'none', clock: createFakeClock() })).rejects.toMatchObject({
      code: 'storage-unavailable',
    })
    expect(open).toHaveBeenCalledTimes(1)
  })
})
