import 'fake-indexeddb/auto'
import { expose } from 'comlink'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { isWaymarkError, type WaymarkError } from '../../../src/base/errors.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import type { Row, Store, Write } from '../../../src/store/store.ts'
import type { WorkerStoreOptions } from '../../../src/worker/open-worker-store.ts'
import { openWorkerStore } from '../../../src/worker/open-worker-store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { createFakeWorker, type FakeWorker, type FakeWorkerOptions } from './fake-worker.ts'

const entry = (position: number, value: unknown = position): Row => ({
  ...{ store: 'journal', key: ['s', position], value },
})
const put = (position: number, value?: unknown): Write => ({
  durability: 'relaxed',
  put: [entry(position, value)],
})
const all = { store: 'journal', prefix: ['s'] } as const
const failed = (work: Promise<unknown>): Promise<WaymarkError> =>
  work.then(
    (value) => {
      throw new TypeError(`Expected a rejection, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error as WaymarkError,
  )

let databases = 0
afterEach(() => vi.restoreAllMocks())

/** A page with a fake clock whose workers the test holds in its hands. */
function page(fakes: Partial<FakeWorkerOptions> = {}, options: Partial<WorkerStoreOptions> = {}) {
  const clock = createFakeClock()
  const name = options.name ?? `worker-${databases++}`
  const workers: FakeWorker[] = []
  const fallbacks: unknown[] = []
  const worker = () => {
    const made = createFakeWorker({ clock, ...fakes })
    workers.push(made)
    return made
  }
  const opening = openWorkerStore({
    ...{ worker, name, clock, onFallback: (reason) => fallbacks.push(reason) },
    ...options,
  })
  onTestFinished(async () => {
    await opening.then(
      (store) => store.close(),
      () => {},
    )
    for (const made of workers) made.terminate()
  })
  return { clock, name, workers, fallbacks, open: () => opening }
}

async function values(store: Store): Promise<readonly unknown[] | undefined> {
  return (await store.read([all]))[0]
}

describe('openWorkerStore', () => {
  test('stores through the worker, in the database of that name', async () => {
    const { name, clock, workers, fallbacks, open } = page()
    const store = await open()
    expect(await store.write(put(0, 'kept'))).toBe('stored')
    expect(await store.write({ durability: 'strict', add: entry(0, 'late') })).toBe('taken')
    expect(await values(store)).toEqual(['kept'])
    const other = await openIdbStore({ name, clock })
    expect(await values(other)).toEqual(['kept'])
    await other.close()
    expect(workers.map(({ asked }) => asked)).toEqual([['hello', 'open', 'write', 'write', 'read']])
    expect(fallbacks).toEqual([])
  })

  test('terminates its worker when it is closed, after what was under way', async () => {
    const { workers, open } = page()
    const store = await open()
    const writing = store.write(put(0))
    await Promise.all([store.close(), store.close()])
    expect(await writing).toBe('stored')
    expect(workers[0]?.isTerminated).toBe(true)
    expect((await failed(store.read([all]))).code).toBe('closed')
  })

  test('brings errors back with code, details and whether to try again, as one of ours', async () => {
    const { open } = page()
    const store = await open()
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('The quota is used up', 'QuotaExceededError')
    })
    const error = await failed(store.write(put(0)))
    expect(isWaymarkError(error, 'storage-full')).toBe(true)
    expect(error).toMatchObject({
      details: { name: 'QuotaExceededError', doing: 'use' },
      isRetryable: true,
      message: expect.stringContaining('refused to store more'),
    })
  })

  test('refuses a value that cannot be cloned, and keeps its worker', async () => {
    const { workers, open } = page()
    const store = await open()
    const error = await failed(store.write(put(0, () => 'a function')))
    expect(error).toMatchObject({ code: 'storage-failed', isRetryable: false })
    expect(await store.write(put(0, 'well'))).toBe('stored')
    expect(workers).toHaveLength(1)
  })
})

describe('at opening the page’s own store takes over', () => {
  test('where no worker can be made', async () => {
    const reason = new DOMException('Blocked by the Content Security Policy', 'SecurityError')
    const { fallbacks, open } = page(
      {},
      {
        worker: () => {
          throw reason
        },
      },
    )
    const store = await open()
    expect(await store.write(put(0))).toBe('stored')
    expect(fallbacks).toEqual([reason])
  })

  test('where the worker says nothing for three seconds', async () => {
    const { clock, workers, fallbacks, open } = page({ isSilent: true })
    await clock.advance(2_999)
    expect(fallbacks).toEqual([])
    await clock.advance(1)
    const store = await open()
    await clock.advance(1_000)
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true])
    expect(fallbacks).toMatchObject([{ code: 'storage-failed', details: { death: 'timeout' } }])
    expect(await store.write(put(0))).toBe('stored')
  })

  test('where its script does not load', async () => {
    const { clock, workers, fallbacks, open } = page({ isSilent: true })
    await settle()
    workers[0]?.crash()
    const store = await open()
    expect(fallbacks).toMatchObject([{ details: { death: 'error' } }])
    expect(await store.write(put(0))).toBe('stored')
    expect(clock.now()).toBe(createFakeClock().now())
  })

  test('where the worker file is of another version', async () => {
    const { workers, fallbacks, open } = page({ serve: (port) => expose({ hello: () => 2 }, port) })
    await open()
    expect(workers[0]?.isTerminated).toBe(true)
    expect(fallbacks).toMatchObject([{ message: expect.stringContaining('another version') }])
  })

  test('and says so with a code where that does not open either', async () => {
    vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('No storage here', 'SecurityError')
    })
    const { open } = page()
    expect((await failed(open())).code).toBe('storage-unavailable')
  })
})

describe('a worker that dies', () => {
  test.each(['error', 'messageerror'] as const)(
    'by %s is terminated, all in flight is rejected, and the next operation has a new one',
    async (type) => {
      const { clock, workers, fallbacks, open } = page()
      const store = await open()
      await store.write(put(0, 'kept'))
      workers[0]?.hang()
      const inFlight = [store.write(put(1)), store.read([all]), store.write(put(2))].map(failed)
      workers[0]?.crash(type)
      for (const error of await Promise.all(inFlight)) {
        expect(error).toMatchObject({ code: 'storage-failed', isRetryable: true, details: { death: type } })
      }
      const reading = values(store)
      await clock.advance(999)
      expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([false])
      await clock.advance(1)
      expect(await reading).toEqual(['kept'])
      expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true, false])
      expect(workers).toHaveLength(2)
      expect(store.generation).toBe(0)
      expect(fallbacks).toEqual([])
    },
  )

  test('is one that does not answer in time', async () => {
    const { clock, workers, open } = page({}, { timeoutMs: 400 })
    const store = await open()
    workers[0]?.hang()
    const writing = failed(store.write(put(0)))
    await clock.advance(399)
    expect(workers[0]?.asked).not.toContain('close')
    await clock.advance(1)
    expect(await writing).toMatchObject({ code: 'storage-failed', details: { death: 'timeout' } })
    const again = store.write(put(0, 'again'))
    await clock.advance(1_000)
    expect(workers[0]?.isTerminated).toBe(true)
    expect(await again).toBe('stored')
  })

  test('is replaced three times; then the page’s own store goes on', async () => {
    const { clock, workers, fallbacks, open } = page()
    const store = await open()
    for (let life = 0; life < 4; life++) {
      expect(await store.write(put(life))).toBe('stored')
      expect(workers).toHaveLength(life + 1)
      workers[life]?.crash()
    }
    expect(fallbacks).toMatchObject([{ details: { death: 'error' } }])
    expect(await store.write(put(4))).toBe('stored')
    expect(await values(store)).toEqual([0, 1, 2, 3, 4])
    expect(workers).toHaveLength(4)
    expect(store.generation).toBe(0)
    await clock.advance(60_000)
    expect(await store.write(put(5))).toBe('stored')
  })

  test('keeps the order of what waits for the next, as it was when it was asked', async () => {
    const { workers, open } = page()
    const store = await open()
    workers[0]?.crash()
    const value = { text: 'as asked' }
    const waiting = [
      store.write(put(0, value)),
      store.write(put(0, 'b')),
      store.write({ durability: 'relaxed', add: entry(0, 'c') }),
    ]
    value.text = 'changed after the call'
    const seen = store.read([all])
    expect(await Promise.all(waiting)).toEqual(['stored', 'stored', 'taken'])
    expect(await seen).toEqual([['b']])
    workers[1]?.crash()
    const alone = store.write(put(1, value))
    value.text = 'changed again'
    await alone
    expect(await values(store)).toEqual(['b', { text: 'changed after the call' }])
  })

  test('finishes what it has begun before the next begins', async () => {
    const { workers, open } = page()
    const store = await open()
    const writing = failed(store.write(put(0, 'older')))
    workers[0]?.crash()
    const newer = store.write(put(0, 'newer'))
    await writing
    expect(await newer).toBe('stored')
    expect(workers[0]?.asked.at(-1)).toBe('close')
    expect(workers[0]?.isTerminated).toBe(true)
    expect(await values(store)).toEqual(['newer'])
  })

  test('is one whose storage went out of reach: the page’s own store takes over at once', async () => {
    const { clock, workers, fallbacks, open } = page()
    const store = await open()
    await store.write(put(0, 'kept'))
    const really = indexedDB.open.bind(indexedDB)
    let failing = 2
    vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
      if (failing-- > 0) throw new DOMException('Internal error', 'UnknownError')
      return really(...args)
    })
    vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementationOnce(() => {
      throw new DOMException('The database connection is closing', 'InvalidStateError')
    })
    expect(await failed(store.write(put(1)))).toMatchObject({ code: 'storage-failed', isRetryable: true })
    expect(fallbacks).toMatchObject([{ details: { death: 'unreachable' } }])
    const writing = store.write(put(1))
    await clock.advance(100)
    expect(await writing).toBe('stored')
    expect(await values(store)).toEqual(['kept', 1])
    expect(workers).toHaveLength(1)
  })

  test('does not begin later what the page gave up', async () => {
    const { clock, name, workers, open } = page({}, { timeoutMs: 400 })
    const store = await open()
    const [first] = workers
    // Terminating takes a moment in which a worker may still come to what is posted to it.
    vi.spyOn(first!, 'terminate').mockImplementation(() => {})
    first?.hang()
    const given = failed(store.write(put(0, 'given up')))
    await clock.advance(400)
    await given
    const newer = store.write(put(0, 'newer'))
    await clock.advance(1_000)
    expect(await newer).toBe('stored')
    first?.resume()
    await settle()
    const other = await openIdbStore({ name, clock })
    expect(await values(other)).toEqual(['newer'])
    await other.close()
  })
})

describe('generation', () => {
  const deleteDatabase = (name: string) =>
    new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name)
      request.onsuccess = resolve
      request.onerror = reject
    })

  test('grows when the worker’s database was deleted, and what was asked before is not done', async () => {
    const { name, open } = page()
    const store = await open()
    await store.write(put(0))
    await deleteDatabase(name)
    const lost = [store.write(put(1)), store.write(put(2)), store.write(put(3))].map(failed)
    for (const error of await Promise.all(lost)) {
      expect(error).toMatchObject({ code: 'storage-failed', isRetryable: true })
    }
    expect(store.generation).toBe(1)
    expect(await store.write(put(4))).toBe('stored')
    expect(await values(store)).toEqual([4])
  })

  test('counts for what was on its way to the worker as the database was made anew', async () => {
    const { name, workers, open } = page()
    const store = await open()
    await deleteDatabase(name)
    const first = failed(store.write(put(1)))
    workers[0]?.hang()
    const second = failed(store.write(put(2)))
    await first
    workers[0]?.resume()
    expect(await second).toMatchObject({ code: 'storage-failed', isRetryable: true })
    expect(await values(store)).toEqual([])
  })

  test.each([
    ['a worker', 1],
    ['the page', 4],
  ])('grows when it was deleted before %s took over', async (_who, deaths) => {
    const { name, workers, open } = page()
    const store = await open()
    for (let life = 0; life < deaths; life++) {
      await store.write(put(life))
      if (life < deaths - 1) workers[life]?.crash()
    }
    await deleteDatabase(name)
    workers.at(-1)?.crash()
    const begunBefore = failed(store.write(put(7)))
    expect(await begunBefore).toMatchObject({ code: 'storage-failed', isRetryable: true })
    expect(store.generation).toBe(1)
    expect(await store.write(put(8))).toBe('stored')
    expect(await values(store)).toEqual([8])
  })
})
