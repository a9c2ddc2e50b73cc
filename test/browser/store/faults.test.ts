import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { cdp, server } from 'vitest/browser'
import { systemClock } from '../../../src/base/clock.ts'
import { isWaymarkError, type WaymarkError } from '../../../src/base/errors.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import { type Range, type Row, type Store, storeNames, type Write } from '../../../src/store/store.ts'
import { freshName, openStore } from './open-store.ts'

const all: Range = { store: 'journal', prefix: [] }
const entry = (position: number, value: unknown = position): Row => ({
  ...{ store: 'journal', key: ['s', position], value },
})
const add = (position: number, value?: unknown): Write => ({
  durability: 'relaxed',
  add: entry(position, value),
})
const rows = async (store: Store) => (await store.read([all]))[0]

/** A raw connection, as other code or a newer version of this page would open it; closed when the test ends. */
function openRaw(
  name: string,
  options: { version?: number; upgrade?: (db: IDBDatabase) => void; isDeaf?: boolean } = {},
): Promise<{ db: IDBDatabase; wasBlocked: boolean }> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, options.version)
    let wasBlocked = false
    request.onblocked = () => (wasBlocked = true)
    request.onupgradeneeded = () => options.upgrade?.(request.result)
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const db = request.result
      if (!options.isDeaf) db.onversionchange = () => db.close()
      onTestFinished(() => db.close())
      resolve({ db, wasBlocked })
    }
  })
}

function deleteDatabase(name: string): Promise<{ wasBlocked: boolean }> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    let wasBlocked = false
    request.onblocked = () => (wasBlocked = true)
    request.onerror = () => reject(request.error)
    request.onsuccess = () => resolve({ wasBlocked })
  })
}

async function rejection(work: Promise<unknown>): Promise<WaymarkError> {
  const error: unknown = await work.then(
    (value) => new Error(`Resolved with ${String(value)}`),
    (thrown: unknown) => thrown,
  )
  if (isWaymarkError(error)) return error
  throw error
}

const withStore = (db: IDBDatabase) => {
  for (const store of [...storeNames, 'future']) {
    if (!db.objectStoreNames.contains(store)) db.createObjectStore(store)
  }
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** The first to notice is told, so that nothing is appended after what is gone; then it goes on, empty. */
async function expectGoneThenNew(store: Store): Promise<void> {
  const before = store.generation
  const noticed = await store.write(add(1)).catch((error: unknown) => error)
  expect(noticed).toSatisfy((error) => isWaymarkError(error, 'storage-failed') && error.isRetryable)
  expect(store.generation).toBe(before + 1)
  expect(await store.write(add(2))).toBe('stored')
  expect(await rows(store)).toEqual([2])
}

describe('openIdbStore beside other connections', () => {
  test('does not block an upgrade, and goes on in the newer database', async () => {
    const name = freshName()
    const store = await openStore(name)
    await store.write(add(0))
    const { wasBlocked } = await openRaw(name, { version: 5, upgrade: withStore })
    expect(wasBlocked).toBe(false)
    expect(await store.write(add(0))).toBe('taken')
    expect(await store.write(add(1))).toBe('stored')
    expect(await rows(store)).toEqual([0, 1])
    // The connection it opened again yields too.
    expect((await openRaw(name, { version: 6 })).wasBlocked).toBe(false)
    expect(await store.write(add(2))).toBe('stored')
  })

  test('finishes the writes under way when an upgrade asks for the database', async () => {
    const name = freshName()
    const store = await openStore(name)
    const writes = Array.from({ length: 20 }, (_, i) => store.write(add(i, 'x'.repeat(10_000))))
    const upgraded = openRaw(name, { version: 7 })
    const later = Array.from({ length: 5 }, (_, i) => store.write(add(20 + i)))
    expect(await Promise.all([...writes, ...later])).toEqual(Array(25).fill('stored'))
    expect((await upgraded).wasBlocked).toBe(false)
    expect(await rows(store)).toHaveLength(25)
  })

  test('opens a database a newer version made', async () => {
    const name = freshName()
    const { db } = await openRaw(name, { version: 9, upgrade: withStore })
    db.close()
    const store = await openStore(name)
    expect(await store.write(add(0))).toBe('stored')
    expect(await rows(store)).toEqual([0])
    expect((await openRaw(name)).db.version).toBe(9)
  })

  test('goes on in an empty database where it was deleted beneath it', async () => {
    const name = freshName()
    const store = await openStore(name)
    await store.write(add(0))
    expect((await deleteDatabase(name)).wasBlocked).toBe(false)
    await expectGoneThenNew(store)
  })

  test('settles every write while the database is deleted again and again', async () => {
    const name = freshName()
    const store = await openStore(name)
    const outcomes: Promise<string>[] = []
    for (let i = 0; i < 30; i++) {
      outcomes.push(
        store.write(add(i)).catch((error: unknown) => (isWaymarkError(error) ? error.code : 'uncoded')),
      )
      if (i % 10 === 5) await deleteDatabase(name)
    }
    for (const outcome of await Promise.all(outcomes)) expect(['stored', 'storage-failed']).toContain(outcome)
    await store.write(add(98)).catch(() => {})
    expect(await store.write(add(99))).toBe('stored')
  })

  test('gives up with a coded error where an open is held up, and works once it is not', async () => {
    const name = freshName()
    const { db } = await openRaw(name, { version: 1, upgrade: withStore, isDeaf: true })
    const deleting = deleteDatabase(name)
    const error = await rejection(openIdbStore({ name, clock: systemClock, timeoutMs: 200 }))
    expect(error).toMatchObject({
      code: 'storage-failed',
      isRetryable: true,
      details: { name: 'TimeoutError' },
    })
    db.close()
    expect((await deleting).wasBlocked).toBe(true)
    const store = await openStore(name)
    expect(await store.write(add(0))).toBe('stored')
  })

  test('leaves no connection behind an open it gave up', async () => {
    const name = freshName()
    const { db } = await openRaw(name, { version: 1, upgrade: withStore, isDeaf: true })
    const deleting = deleteDatabase(name)
    const open = vi.spyOn(indexedDB, 'open')
    await rejection(openIdbStore({ name, clock: systemClock, timeoutMs: 100 }))
    const request = open.mock.results[0]?.value as IDBOpenDBRequest
    db.close()
    await deleting
    await vi.waitFor(() => expect(request.readyState).toBe('done'))
    await vi.waitFor(() => expect(() => request.result.transaction('journal')).toThrow())
  })

  test('leaves no connection behind when it is closed', async () => {
    const name = freshName()
    const store = await openStore(name)
    await store.close()
    expect((await deleteDatabase(name)).wasBlocked).toBe(false)
  })
})

describe('openIdbStore where the browser has no storage', () => {
  test('says so where IndexedDB is missing', async () => {
    for (const missing of [undefined, null]) {
      vi.stubGlobal('indexedDB', missing)
      const error = await rejection(openIdbStore({ name: 'x', clock: systemClock }))
      expect(error).toMatchObject({ code: 'storage-unavailable', isRetryable: false })
    }
  })

  test('says so where touching IndexedDB is forbidden', async () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')!
    onTestFinished(() => void Object.defineProperty(globalThis, 'indexedDB', own))
    const get = () => {
      throw new DOMException('The operation is insecure', 'SecurityError')
    }
    Object.defineProperty(globalThis, 'indexedDB', { configurable: true, get })
    expect((await rejection(openIdbStore({ name: 'x', clock: systemClock }))).code).toBe(
      'storage-unavailable',
    )
  })

  test('says so where opening is forbidden', async () => {
    for (const name of ['SecurityError', 'InvalidStateError']) {
      vi.spyOn(indexedDB, 'open').mockImplementationOnce(() => {
        throw new DOMException('Not in this frame', name)
      })
      const error = await rejection(openIdbStore({ name: 'x', clock: systemClock }))
      expect(error).toMatchObject({ code: 'storage-unavailable', details: { name } })
      expect((error.cause as DOMException).name).toBe(name)
    }
  })
})

/** A transaction that answers as `end` says, once it is committed. */
function fakeTransaction(end: (tx: IDBTransaction, requests: readonly IDBRequest[]) => void): void {
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(() => {
    const requests: IDBRequest[] = []
    const request = () => {
      const made = { error: null } as unknown as IDBRequest
      requests.push(made)
      return made
    }
    const tx = {
      error: null,
      objectStore: () => ({ put: request, add: request, delete: request }),
      commit: () => void setTimeout(() => end(tx, requests)),
      abort: () => {},
    } as unknown as IDBTransaction
    return tx
  })
}

describe('openIdbStore over a failing disk', () => {
  const full = () => new DOMException('Full', 'QuotaExceededError')

  test('says storage-full where a put throws for want of room, and stores nothing of it', async () => {
    const store = await openStore(freshName())
    await store.write(add(0))
    vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementationOnce(() => {
      throw full()
    })
    const error = await rejection(
      store.write({ durability: 'strict', put: [entry(0, 'half')], remove: [all], add: entry(1) }),
    )
    expect(error).toMatchObject({ code: 'storage-full', isRetryable: true })
    expect(await rows(store)).toEqual([0])
    expect(await store.write(add(1))).toBe('stored')
  })

  test('says storage-full where the room runs out at the commit', async () => {
    const store = await openStore(freshName())
    fakeTransaction((tx) => {
      Object.assign(tx, { error: full() })
      tx.onabort?.(new Event('abort'))
    })
    expect((await rejection(store.write(add(0)))).code).toBe('storage-full')
  })

  test('never takes complete for success over a request that failed', async () => {
    const store = await openStore(freshName())
    const failing = (name: string, which: number) =>
      fakeTransaction((tx, requests) => {
        Object.assign(requests[which]!, { error: new DOMException('Failed', name) })
        requests[which]!.onerror?.(new Event('error'))
        tx.oncomplete?.(new Event('complete'))
      })
    const write: Write = { durability: 'relaxed', put: [entry(0)], add: entry(1) }
    failing('QuotaExceededError', 0)
    expect((await rejection(store.write(write))).code).toBe('storage-full')
    failing('UnknownError', 1)
    expect((await rejection(store.write(write))).code).toBe('storage-failed')
    failing('ConstraintError', 1)
    expect(await store.write(write)).toBe('taken')
  })

  test('gives up on a transaction the browser never answers', async () => {
    const store = await openStore(freshName(), { timeoutMs: 100 })
    fakeTransaction(() => {})
    const error = await rejection(store.write(add(0)))
    expect(error).toMatchObject({
      code: 'storage-failed',
      isRetryable: true,
      details: { name: 'TimeoutError' },
    })
    vi.restoreAllMocks()
    expect(await store.write(add(0))).toBe('stored')
  })

  test('opens again where the connection is lost, and gives up where it stays so', async () => {
    const name = freshName()
    const store = await openStore(name)
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
    const lose = () => {
      throw new DOMException(
        'Connection to Indexed Database server lost. Refresh the page to try again',
        'UnknownError',
      )
    }
    transaction.mockImplementationOnce(lose).mockImplementationOnce(lose)
    expect(await store.write(add(0))).toBe('stored')
    transaction.mockClear()
    transaction.mockImplementation(lose)
    expect((await rejection(store.write(add(1)))).code).toBe('storage-failed')
    expect(transaction.mock.calls.length).toBeLessThanOrEqual(4)
    vi.restoreAllMocks()
    expect(await store.write(add(1))).toBe('stored')
    expect((await deleteDatabase(name)).wasBlocked).toBe(false)
  })

  test('does not call a value that cannot be kept worth a retry', async () => {
    const store = await openStore(freshName())
    const error = await rejection(store.write(add(0, () => 1)))
    expect(error).toMatchObject({
      code: 'storage-failed',
      isRetryable: false,
      details: { name: 'DataCloneError' },
    })
    expect(await rows(store)).toEqual([])
  })
})

describe('openIdbStore after the site’s data was cleared', () => {
  test('goes on in an empty database', async (context) => {
    if (server.browser !== 'chromium') context.skip('only Chromium lets a test clear a site’s data')
    const devtools = cdp() as unknown as { send(method: string, params: object): Promise<unknown> }
    const store = await openStore(freshName())
    await store.write(add(0))
    await devtools.send('Storage.clearDataForOrigin', { origin: location.origin, storageTypes: 'indexeddb' })
    await expectGoneThenNew(store)
  })
})
