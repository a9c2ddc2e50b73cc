import { beforeAll, describe, expect, test } from 'vitest'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { createFakeClock } from '../../../src/testing/fake-clock.ts'
import { type BackendFault, faultyBackend } from '../../../src/testing/faulty-backend.ts'
import { faultyStore, type StoreFault } from '../../../src/testing/faulty-store.ts'
import { mortgage } from '../../support/fixture-flow.ts'

beforeAll(() => import('../../../src/sync/sync.ts'))

const head = { store: 'heads' as const, key: ['u', 's'], value: 1 }
const write = { durability: 'strict' as const, put: [head] }
const range = { store: 'heads' as const, prefix: [] }

describe('faultyStore', () => {
  test.each<[StoreFault, string, number]>([
    ['abort', 'storage-failed', 0],
    ['full', 'storage-full', 0],
    ['lost', 'storage-failed', 0],
    ['lost late', 'storage-failed', 1],
  ])('that meets "%s" rejects with %s', async (fault, code, kept) => {
    const store = faultyStore()
    store.fail(fault, 1)
    const error = await store.write(write).catch((thrown: unknown) => thrown)
    expect(isWaymarkError(error, code as never)).toBe(true)
    expect((await store.read([range]))[0]).toHaveLength(kept)
    expect(store.writes).toBe(kept)
    expect(await store.write(write)).toBe('stored')
  })

  test('fails until it is healed, reads and writes apart', async () => {
    const store = faultyStore()
    store.failReads('abort')
    for (let i = 0; i < 3; i++) await expect(store.read([range])).rejects.toThrow()
    expect(await store.write(write)).toBe('stored')
    store.heal()
    expect(await store.read([range])).toEqual([[1]])
  })

  test('lets an app show that it is at risk, and be well again', async () => {
    const store = faultyStore()
    const clock = createFakeClock()
    const waymark = createWaymark({ flows: [mortgage], store, clock })
    const session = await waymark.open('mortgage')
    store.fail('full')
    session.set('notes', { a: 1 })
    expect(await session.saved('device')).toMatchObject({ type: 'at-risk', code: 'storage-full' })
    store.heal()
    await clock.advance(60_000)
    expect(await session.saved('device')).toEqual({ type: 'saved' })
    await waymark.close()
  })
})

describe('faultyBackend', () => {
  const exchange = (backend: ReturnType<typeof faultyBackend>) =>
    backend.exchange([{ type: 'pull', session: 's', since: null }], {
      account: 'u',
      signal: new AbortController().signal,
    })

  test.each<[BackendFault, object, number]>([
    ['drop', { type: 'unreachable' }, 0],
    ['lose reply', { type: 'unreachable' }, 1],
    ['duplicate', { type: 'answered' }, 2],
    ['busy', { type: 'unreachable', retryAfterMs: 60_000 }, 0],
    ['sign out', { type: 'unauthorized' }, 0],
    ['forbid', { type: 'refused', status: 403 }, 0],
    ['too large', { type: 'refused', status: 413 }, 0],
    ['reject', { type: 'answered', outcomes: [{ type: 'unknown' }] }, 1],
  ])('that meets "%s" says so', async (fault, said, reached) => {
    const backend = faultyBackend()
    backend.fail(fault, 1)
    expect(await exchange(backend)).toMatchObject(said)
    expect(backend.exchanges).toBe(reached)
    expect(await exchange(backend)).toMatchObject({ type: 'answered' })
  })

  test('lets an app park what is refused, and send it once it is not', async () => {
    const backend = faultyBackend()
    const clock = createFakeClock()
    const waymark = createWaymark({ flows: [mortgage], store: faultyStore(), clock, backend })
    const session = await waymark.open('mortgage')
    backend.fail('reject')
    session.set('notes', { a: 1 })
    session.commit()
    await clock.advance(2_000)
    expect(session.parked?.reason).toBe('told to refuse')
    backend.heal()
    await waymark.sync.now()
    expect(session.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    await waymark.close()
  })
})
