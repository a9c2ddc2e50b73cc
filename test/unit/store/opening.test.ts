import 'fake-indexeddb/auto'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { isWaymarkError, type WaymarkError } from '../../../src/base/errors.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import { type Range, type Row, storeNames } from '../../../src/store/store.ts'
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

  test.each([
    ['total', ['storage-lost']],
    ['none', []],
  ])('tells where the browser says that it lost the data: %s', async (dataLoss, told) => {
    // As Chromium's event has it.
    Object.assign(IDBVersionChangeEvent.prototype, { dataLoss })
    onTestFinished(() => void Reflect.deleteProperty(IDBVersionChangeEvent.prototype, 'dataLoss'))
    const codes: string[] = []
    const onError = ({ code }: WaymarkError) => void codes.push(code)
    const store = await openIdbStore({ name: `lost-${dataLoss}`, clock: createFakeClock(), onError })
    expect(codes).toEqual(told)
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

  test('adds the stores an older version did not have, and keeps what is there', async () => {
    const old = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('older', 1)
      request.onupgradeneeded = () => {
        for (const store of storeNames.filter((name) => name !== 'keys'))
          request.result.createObjectStore(store)
      }
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    old.transaction('journal', 'readwrite').objectStore('journal').put('kept', ['s', 0])
    old.close()
    const store = await openIdbStore({ name: 'older', clock: createFakeClock() })
    const put: Row[] = [{ store: 'keys', key: ['k'], value: 1 }]
    expect(await store.write({ durability: 'relaxed', put })).toBe('stored')
    const ranges: Range[] = [
      { store: 'journal', prefix: ['s'] },
      { store: 'keys', prefix: [] },
    ]
    expect(await store.read(ranges)).toEqual([['kept'], [1]])
    expect(store.generation).toBe(0)
    await store.close()
  })
})

test('no timer goes on for an operation that was given up', async () => {
  const clock = createFakeClock()
  let timers = 0
  const counting = {
    ...clock,
    after(ms: number, run: () => void) {
      timers += 1
      return clock.after(ms, run)
    },
  }
  // A browser that never answers.
  const silent = { addEventListener() {}, removeEventListener() {} }
  vi.spyOn(indexedDB, 'open').mockImplementation(() =>
    Object.assign(Object.create(IDBOpenDBRequest.prototype), silent),
  )
  const opening = openIdbStore({ name: 'silent', clock: counting }).catch((error: unknown) => error)
  await clock.advance(60_000)
  expect(await opening).toSatisfy((error) => isWaymarkError(error, 'storage-failed'))
  timers = 0
  await clock.advance(3_600_000)
  expect(timers).toBe(0)
})
