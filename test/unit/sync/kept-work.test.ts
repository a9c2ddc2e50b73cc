import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { toStorageError } from '../../../src/store/storage-error.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { mortgage } from '../../support/fixture-flow.ts'
import { device, disk, synced } from './device.ts'

/** What an earlier page left unsent. */
async function leaveUnsent(store: Store, clock = createFakeClock()): Promise<string> {
  const { waymark } = device({ store, clock })
  const session = await waymark.open('mortgage')
  session.set('notes', { a: 1 })
  session.commit()
  await session.saved('device')
  await waymark.close()
  return session.id
}

const full = () => toStorageError(new DOMException('x', 'QuotaExceededError'), 'use')

describe('work for the server', () => {
  test('is done again where what the server said could not be stored', async () => {
    const inner = disk()
    let fails = 3
    const store: Store = {
      ...inner,
      async write(write) {
        if (fails > 0 && write.put?.some((row) => row.store === 'sync')) {
          fails -= 1
          throw full()
        }
        return inner.write(write)
      },
    }
    const clock = createFakeClock()
    const { waymark } = device({ store, clock, backend: memoryBackend() })
    const session = await waymark.open('mortgage')
    session.set('notes', { a: 1 })
    session.commit()
    await clock.advance(60_000)
    expect(session.status.getSnapshot().saved).toEqual(synced)
  })

  test('is done again where a backend answers fewer items than it was asked', async () => {
    const inner = memoryBackend()
    let isShort = true
    const backend: Backend = {
      async exchange(...call) {
        if (!isShort) return inner.exchange(...call)
        isShort = false
        return { type: 'answered', outcomes: [] }
      },
    }
    const clock = createFakeClock()
    const { waymark, errors } = device({ clock, backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { a: 1 })
    session.commit()
    await clock.advance(60_000)
    expect(session.status.getSnapshot().saved).toEqual(synced)
    expect(errors).toEqual([])
  })

  test('is not taken for done by an answer about another session', async () => {
    const inner = memoryBackend()
    let isMixedUp = true
    const backend: Backend = {
      async exchange(items, options) {
        if (!isMixedUp || items.length < 2) return inner.exchange(items, options)
        isMixedUp = false
        return inner.exchange(items.slice(1), options)
      },
    }
    const clock = createFakeClock()
    const store = disk()
    const { waymark } = device({ store, clock, backend: inner })
    const [first, second] = [
      await waymark.open('mortgage', { key: 'a' }),
      await waymark.open('mortgage', { key: 'b' }),
    ]
    inner.goOffline()
    for (const session of [first, second]) {
      session.set('notes', { a: session.key })
      session.commit()
      await session.saved('device')
    }
    await waymark.close()
    inner.goOnline()
    device({ store, clock, backend })
    await clock.advance(60_000)
    expect(isMixedUp).toBe(false)
    expect(inner.snapshot('u1', first.id)?.steps['notes']).toBe('{"a":"a"}')
    expect(inner.snapshot('u1', second.id)?.steps['notes']).toBe('{"a":"b"}')
  })

  test('is looked for again where reading the disk failed', async () => {
    const inner = disk()
    await leaveUnsent(inner)
    let fails = 2
    const store: Store = {
      ...inner,
      async read(ranges) {
        if (fails > 0 && ranges.some((range) => range.store === 'heads')) {
          fails -= 1
          throw toStorageError(new DOMException('x', 'UnknownError'), 'use')
        }
        return inner.read(ranges)
      },
    }
    const clock = createFakeClock()
    const backend = memoryBackend()
    device({ store, clock, backend })
    await clock.advance(60_000)
    expect(backend.sessions('u1')).toHaveLength(1)
  })

  test('stays, without an error, where the flow is not registered in this page', async () => {
    const store = disk()
    const id = await leaveUnsent(store)
    const other = defineFlow({ id: 'other', title: 'Other', steps: { one: { title: 'One' } } })
    const clock = createFakeClock()
    const backend = memoryBackend()
    const { waymark, errors } = device({ store, clock, backend, flows: [other] as never })
    await clock.advance(60_000)
    expect([errors, backend.sessions('u1'), waymark.sync.status?.state]).toEqual([[], [], 'idle'])
    await waymark.close()
    device({ store, clock, backend, flows: [mortgage] })
    await clock.advance(60_000)
    expect(backend.sessions('u1')).toEqual([id])
  })

  test('is not held back by an entry that was damaged before it was sent', async () => {
    const store = disk()
    const clock = createFakeClock()
    const first = device({ store, clock, isSyncing: false, backend: memoryBackend() })
    const session = await first.waymark.open('mortgage')
    for (const name of ['a', 'b', 'c']) {
      session.set('notes', { [name]: name })
      session.commit()
      await session.saved('device')
    }
    await first.waymark.close()
    const [rows] = await store.read([{ store: 'journal', prefix: [session.id, 1] }])
    const value = { ...(rows![0] as object), p: 'x' }
    const put = [{ store: 'journal' as const, key: [session.id, 1], value }]
    await store.write({ durability: 'strict', put })
    const backend = memoryBackend()
    const again = await device({ store, clock, backend }).waymark.open('mortgage')
    again.set('applicant', { name: 'Ada' })
    again.commit()
    await clock.advance(60_000)
    expect(again.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    const { notes } = again.getSnapshot().answers
    expect(backend.snapshot('u1', session.id)?.steps).toMatchObject({ notes: JSON.stringify(notes) })
  })

  test('is taken from a page that opens a session again whose last entry was damaged since', async () => {
    const store = disk()
    const clock = createFakeClock()
    const backend = memoryBackend()
    const { waymark, errors } = device({ store, clock, backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { a: 1 })
    session.commit()
    await clock.advance(5_000)
    session.set('notes', { b: 1 })
    session.commit()
    await clock.advance(5_000)
    expect(session.status.getSnapshot().saved).toEqual(synced)
    const { position } = session.getSnapshot()
    await session.close()
    const [rows] = await store.read([{ store: 'journal', prefix: [session.id, position] }])
    const put = [
      { store: 'journal' as const, key: [session.id, position], value: { ...(rows![0] as object), p: 'x' } },
    ]
    await store.write({ durability: 'strict', put })
    const again = await waymark.open('mortgage')
    again.set('notes', { c: 1 })
    again.commit()
    await clock.advance(60_000)
    expect(again.status.getSnapshot()).toMatchObject({ saved: synced, parked: undefined })
    expect(errors).not.toHaveLength(0)
  })

  test('is shown as parked only where this account was refused, and sent again by now()', async () => {
    const store = disk()
    const clock = createFakeClock()
    const id = await leaveUnsent(store, clock)
    const parked = { v: 1, session: id, reason: 'not yours', issues: [], at: 1 }
    const park = (account: string) =>
      store.write({
        durability: 'strict',
        put: [{ store: 'parked', key: [id], value: { ...parked, account } }],
      })
    await park('someone-else')
    const backend = memoryBackend()
    backend.goOffline()
    const first = device({ store, clock, backend }).waymark
    const session = await first.open('mortgage')
    await clock.advance(5_000)
    expect(session.status.getSnapshot().parked).toBeUndefined()
    await first.close()
    await park('u1')
    backend.goOnline()
    const { waymark } = device({ store, clock, backend })
    await clock.advance(60_000)
    expect(backend.sessions('u1')).toEqual([])
    await waymark.sync.now()
    expect(backend.sessions('u1')).toEqual([id])
  })
})

describe('stop and close', () => {
  test('never lead to two exchanges at once', async () => {
    const inner = disk()
    const clock = createFakeClock()
    const server = memoryBackend()
    let gate: Promise<void> | undefined
    let openGate = () => {}
    const store: Store = {
      ...inner,
      async write(write) {
        if (gate && write.put?.some((row) => row.store === 'sync')) await gate
        return inner.write(write)
      },
    }
    let count = 0
    let most = 0
    let hold: Promise<void> | undefined
    let letGo = () => {}
    const backend: Backend = {
      async exchange(...call) {
        count += 1
        most = Math.max(most, count)
        await hold
        return server.exchange(...call).finally(() => (count -= 1))
      },
    }
    const { waymark } = device({ store, clock, backend })
    const [s, t] = [await waymark.open('mortgage'), await waymark.open('mortgage', { key: 't' })]
    s.set('notes', { a: 1 })
    s.commit()
    gate = new Promise((resolve) => (openGate = resolve))
    await clock.advance(1_000)
    waymark.sync.stop()
    waymark.sync.start()
    hold = new Promise((resolve) => (letGo = resolve))
    t.set('notes', { b: 1 })
    t.commit()
    await clock.advance(1_000)
    gate = undefined
    openGate()
    await clock.advance(100)
    t.set('notes', { b: 2 })
    t.commit()
    await clock.advance(2_000)
    letGo()
    await clock.advance(10_000)
    expect(most).toBe(1)
    expect(s.status.getSnapshot().saved).toEqual(synced)
    expect(t.status.getSnapshot().saved).toEqual(synced)
  })

  test('forget nothing that was under way when sync stopped', async () => {
    const clock = createFakeClock()
    const backend = memoryBackend({ latencyMs: 500, clock })
    const { waymark } = device({ clock, backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { a: 1 })
    session.commit()
    await clock.advance(1_000)
    waymark.sync.stop()
    waymark.sync.start()
    await clock.advance(10_000)
    expect(session.status.getSnapshot().saved).toEqual(synced)
  })

  test('end an exchange whose backend hears nothing, and write nothing afterwards', async () => {
    const inner = disk()
    const writes: string[] = []
    const store: Store = {
      ...inner,
      write(write) {
        writes.push(...(write.put ?? []).map((row) => row.store))
        return inner.write(write)
      },
    }
    const clock = createFakeClock()
    const server = memoryBackend()
    let answer = () => {}
    const backend: Backend = {
      async exchange(...call) {
        await new Promise<void>((resolve) => (answer = resolve))
        return server.exchange(...call)
      },
    }
    const { waymark } = device({ store, clock, backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { a: 1 })
    session.commit()
    await clock.advance(1_000)
    await waymark.close()
    writes.length = 0
    answer()
    await settle()
    expect(writes).toEqual([])
  })
})
