/** Hostile data from every side: what comes of it is a coded error or safe handling, never a throw into the app. */
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { httpBackend } from '../../../src/backends/http-backend.ts'
import { readResponse } from '../../../src/backends/read-response.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { SyncRequest } from '../../../src/protocol/wire.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import { type Row, type Store, type StoreName, storeNames } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { mortgage } from '../../support/fixture-flow.ts'
import { createServer } from '../server/serve.ts'
import { arbitraryMutations, mutate } from './mutate.ts'

/** Every property runs for so long, or so often; fast-check prints the seed of what fails. */
const box = { interruptAfterTimeLimit: 4_000, numRuns: 2_000 }

// Sync is loaded behind the first paint; with its module in the cache a few promise turns are enough.
beforeAll(() => import('../../../src/sync/sync.ts'))

afterEach(() => {
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
})

const isCoded = (error: unknown) => isWaymarkError(error)

/** What one page left on its disk: entries, a checkpoint, a draft. */
async function storedSession(): Promise<{ id: string; rows: readonly Row[] }> {
  const store: Store = { ...createMemoryStore(), kind: 'indexeddb' }
  const clock = createFakeClock()
  const waymark = createWaymark({ flows: [mortgage], store, clock, namespace: 'hostile-source' })
  const session = await waymark.open('mortgage')
  session.set('applicant', { name: 'Ada', joint: true })
  await session.next()
  session.set('partner', { name: 'Charles' })
  await session.next()
  session.add('incomes', { source: 'Work', amount: 1 })
  session.commit()
  session.set('notes', { text: 'a draft' })
  await clock.advance(1_000)
  const rows = await rowsOf(store)
  await waymark.close()
  return { id: session.id, rows }
}

async function rowsOf(store: Store): Promise<readonly Row[]> {
  const lists = await Promise.all(
    storeNames.map(async (name): Promise<Row[]> => {
      const all = { store: name, prefix: [] }
      const [values = [], keys = []] = await store.read([all, { ...all, isKeys: true }])
      return values.map((value, i) => ({ store: name as StoreName, key: keys[i] as string[], value }))
    }),
  )
  return lists.flat()
}

describe('hostile data', () => {
  test('from storage: the session opens, takes changes and stores them, or refuses with a code', async () => {
    const { rows } = await storedSession()
    await fc.assert(
      fc.asyncProperty(fc.nat(rows.length - 1), arbitraryMutations, async (at, mutations) => {
        const store: Store = { ...createMemoryStore(), kind: 'indexeddb' }
        const put = rows.map((row, i) => (i === at ? { ...row, value: mutate(row.value, mutations) } : row))
        await store.write({ durability: 'relaxed', put })
        const clock = createFakeClock()
        const errors: unknown[] = []
        const waymark = createWaymark({
          ...{ flows: [mortgage], store, clock, namespace: `hostile-${Math.random()}` },
          onError: (error) => errors.push(error),
        })
        try {
          await waymark.resumable()
          const session = await waymark.open('mortgage')
          session.getSnapshot()
          session.set('notes', { text: 'typed now' })
          session.commit()
          await clock.advance(20_000)
          expect(session.getSnapshot().answers.notes).toMatchObject({ text: 'typed now' })
          await session.verify()
          await session.toState()
        } catch (error) {
          if (!isCoded(error)) throw error
        }
        await waymark.close().catch((error: unknown) => expect(isCoded(error)).toBe(true))
        expect(errors.filter((error) => !isCoded(error))).toEqual([])
      }),
      box,
    )
  }, 60_000)

  test('from storage: a checkpoint whose position is an object without a text is set aside', async () => {
    const { id, rows } = await storedSession()
    const store: Store = { ...createMemoryStore(), kind: 'indexeddb' }
    const spoil = (row: Row) => ({ ...row, value: { i: JSON.parse('{"toString":1}') } })
    const put = rows.map((row) => (row.store === 'checkpoints' ? spoil(row) : row))
    await store.write({ durability: 'relaxed', put })
    const errors: unknown[] = []
    const waymark = createWaymark({
      ...{ flows: [mortgage], store, clock: createFakeClock(), namespace: `hostile-${Math.random()}` },
      onError: (error) => errors.push(error),
    })
    const session = await waymark.resume(id)
    expect(session.getSnapshot().answers.partner).toEqual({ name: 'Charles' })
    expect(errors.length).toBeGreaterThan(0)
    expect(errors.every((error) => isWaymarkError(error, 'record-unreadable'))).toBe(true)
    await waymark.close()
  })

  test('from a server: answers are read whole or not at all', async () => {
    const { sync } = createServer()
    const answers = await answersOf(sync)
    fc.assert(
      fc.property(fc.constantFrom(...answers), arbitraryMutations, ([items, text], mutations) => {
        readResponse(JSON.stringify(mutate(JSON.parse(text), mutations)), items)
      }),
      box,
    )
  }, 60_000)

  test('from a server: a page that gets them goes on taking and keeping what is typed', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryMutations, fc.integer({ min: 1, max: 3 }), async (mutations, spoilt) => {
        const { handler } = createServer()
        const clock = createFakeClock()
        const errors: unknown[] = []
        let exchanges = 0
        const backend = httpBackend({
          url: 'https://app.test/waymark',
          headers: { authorization: 'Bearer ada' },
          clock,
          async fetch(request) {
            const right = await handler(request as Request)
            exchanges += 1
            if (exchanges !== spoilt) return right
            return new Response(JSON.stringify(mutate(await right.json(), mutations)))
          },
        })
        const open = () =>
          createWaymark({
            ...{ flows: [mortgage], account: 'ada', backend, clock, namespace: `hostile-${Math.random()}` },
            store: { ...createMemoryStore(), kind: 'indexeddb' as const },
            onError: (error) => errors.push(error),
          })
        const [here, there] = [open(), open()]
        const mine = await here.open('mortgage')
        mine.set('applicant', { name: 'Ada', joint: false })
        mine.commit()
        await clock.advance(5_000)
        const theirs = await there.open('mortgage')
        theirs.set('notes', { text: 'elsewhere' })
        theirs.commit()
        await clock.advance(5_000)
        mine.add('incomes', { source: 'Work', amount: 2 })
        await clock.advance(5_000)
        expect(mine.getSnapshot().answers.incomes).toMatchObject([{ source: 'Work', amount: 2 }])
        expect(mine.status.getSnapshot().saved).toMatchObject({ device: expect.stringMatching(/yes|strict/) })
        await Promise.all([here.close(), there.close()])
        expect(errors.filter((error) => !isCoded(error))).toEqual([])
      }),
      box,
    )
  }, 60_000)

  test('to the server: it answers below 500, and what it holds stays readable', async () => {
    const { sync } = createServer()
    const requests: string[] = []
    await answersOf(sync, requests)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...requests), arbitraryMutations, async (request, mutations) => {
        const server = createServer()
        const body = JSON.stringify(mutate(JSON.parse(request), mutations))
        const response = await server.post(body)
        expect(response.status).toBeLessThan(500)
        expect(server.errors).toEqual([])
        expect((await server.get('sessions')).status).toBe(200)
      }),
      box,
    )
  }, 60_000)

  test('as a flow: it is refused as flow-invalid, or works', () => {
    const definition = {
      ...{ id: 'f', version: 1, title: 'F', checkpoints: 'step' },
      steps: {
        a: { title: 'A', optional: true, weight: 2, next: [{ to: 'b' }] },
        b: { title: 'B', description: 'b', milestone: false },
      },
    }
    fc.assert(
      fc.property(arbitraryMutations, (mutations) => {
        try {
          defineFlow(mutate(definition, mutations) as never)
        } catch (error) {
          if (!isWaymarkError(error, 'flow-invalid')) throw error
        }
      }),
      box,
    )
  })

  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  const deep = Array.from({ length: 10_000 }).reduce<unknown>((inner) => ({ inner }), 'x')
  const throws = () => {
    throw new Error('from a trap')
  }
  test.each<[string, unknown, string]>([
    ['a cycle', { a: cycle }, 'answer-not-json'],
    ['bytes', { a: new Uint8Array(8) }, 'answer-not-json'],
    ['a view of bytes', { a: new DataView(new ArrayBuffer(8)) }, 'answer-not-json'],
    ['nesting 10,000 deep', { a: deep }, 'answer-not-json'],
    ['a text of 10 MB', { a: 'x'.repeat(10_000_000) }, 'answer-too-large'],
    [
      '100,000 fields',
      Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`f${i}`, i])),
      'answer-too-large',
    ],
    ['a proxy that throws', { a: new Proxy({}, { ownKeys: throws }) }, 'answer-not-json'],
    [
      'a getter',
      {
        get a() {
          return throws()
        },
      },
      'answer-not-json',
    ],
    ['a list with a length of its own', { a: Object.assign([], { length: 2 ** 31 }) }, 'answer-not-json'],
  ])('as an answer: %s is refused by code and nothing changes', async (_name, fields, code) => {
    const waymark = createWaymark({
      flows: [mortgage],
      store: createMemoryStore(),
      namespace: `h-${Math.random()}`,
    })
    const session = await waymark.open('mortgage')
    session.set('notes', { kept: true })
    const before = session.getSnapshot().answers
    try {
      session.set('notes', fields as never)
      expect.unreachable()
    } catch (error) {
      expect(isWaymarkError(error) && error.code).toBe(code)
    }
    expect(session.getSnapshot().answers).toBe(before)
    await waymark.close()
  })

  test.each<[string, object]>([
    [
      'names of an object’s own machinery',
      JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    ],
    ['what XState takes for its own', { a: { xstate$$type: 1 }, b: { type: 'xstate.init' } }],
    ['half an emoji and a NUL', { a: '\ud83d', b: 'x\u0000y', '\udc00': 1 }],
  ])('as an answer: %s come back as they were', async (_name, fields) => {
    const store: Store = { ...createMemoryStore(), kind: 'indexeddb' }
    const open = () => createWaymark({ flows: [mortgage], store, namespace: `h-${Math.random()}` })
    const first = open()
    const session = await first.open('mortgage')
    session.set('notes', fields as never)
    await session.next()
    await session.saved('device')
    await first.close()
    await settle()
    const again = await open().open('mortgage')
    expect(JSON.stringify(again.getSnapshot().answers.notes)).toBe(JSON.stringify(fields))
    await again.close()
  })
})

/** Right answers of every kind, with the items they answer; the requests go to `requests`. */
async function answersOf(
  sync: ReturnType<typeof createServer>['sync'],
  requests: string[] = [],
): Promise<[items: SyncRequest['items'], text: string][]> {
  const answers: [SyncRequest['items'], string][] = []
  const clock = createFakeClock()
  const open = () =>
    createWaymark({
      ...{ flows: [mortgage], account: 'ada', clock, namespace: `hostile-${Math.random()}` },
      store: { ...createMemoryStore(), kind: 'indexeddb' as const },
      backend: {
        async exchange(items) {
          const request = { protocol: 1, account: 'ada', items }
          requests.push(JSON.stringify(request))
          const outcomes = await sync(items)
          answers.push([items, JSON.stringify({ protocol: 1, now: 1_790_000_000_000, items: outcomes })])
          return { type: 'answered', outcomes }
        },
      },
    })
  const [here, there] = [open(), open()]
  const mine = await here.open('mortgage')
  mine.set('applicant', { name: 'Ada', joint: false })
  await mine.next()
  await clock.advance(5_000)
  const theirs = await there.open('mortgage')
  await clock.advance(5_000)
  theirs.set('applicant', { name: 'Ada L' })
  theirs.commit()
  await clock.advance(5_000)
  mine.set('applicant', { name: 'Augusta' })
  mine.commit()
  await clock.advance(20_000)
  await Promise.all([here.close(), there.close()])
  return answers
}
