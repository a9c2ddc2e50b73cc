import { expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Tabs } from '../../../src/client/tabs.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import type { SyncItem, SyncOutcome } from '../../../src/protocol/wire.ts'
import { toStorageError } from '../../../src/store/storage-error.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { device, disk, synced } from './device.ts'

function refusingAtFirst(server: Backend): { readonly backend: Backend; end(): void } {
  let isRefusing = true
  const refuse = ({ session }: SyncItem): SyncOutcome => ({
    ...{ type: 'rejected', session, reason: 'no', issues: [] },
  })
  return {
    backend: {
      exchange: async (items, options) =>
        isRefusing ? { type: 'answered', outcomes: items.map(refuse) } : server.exchange(items, options),
    },
    end: () => (isRefusing = false),
  }
}

const deaf = { tell: () => {}, on: () => () => {}, close: () => {} }

test('what one tab was refused is not shown as refused once another tab got it through', async () => {
  const server = memoryBackend()
  const refusing = refusingAtFirst(server).backend
  const store = disk()
  const [clock, later] = [createFakeClock(), createFakeClock()]
  const one = await device({ store, clock, backend: refusing, tabs: deaf }).waymark.open('mortgage')
  one.set('notes', { a: 1 })
  one.commit()
  await one.saved('device')
  const other = await device({ store, clock: later, backend: server, tabs: deaf }).waymark.open('mortgage')
  await later.advance(10)
  await clock.advance(2_000)
  expect(one.parked?.reason).toBe('no')
  await later.advance(2_000)
  expect(other.status.getSnapshot()).toMatchObject({ saved: synced, parked: undefined })
  const again = await device({ store, backend: server, tabs: deaf }).waymark.open('mortgage')
  await again.saved('server')
  expect(again.parked).toBeUndefined()
})

test('what is read slowly of a refusal does not outlive what was accepted meanwhile', async () => {
  const server = memoryBackend()
  const inner = disk()
  const clock = createFakeClock()
  const refusal = refusingAtFirst(server)
  let slow: Promise<void> | undefined
  const store: Store = {
    ...inner,
    async read(ranges) {
      const isSlow = slow !== undefined && ranges.some((range) => range.store === 'parked')
      const values = await inner.read(ranges)
      if (isSlow) await slow
      return values
    },
  }
  let hear: Parameters<Tabs['on']>[0] = () => {}
  const tabs: Tabs = {
    ...deaf,
    on(listener) {
      hear = listener
      return () => {}
    },
  }
  const { waymark } = device({ store, clock, backend: refusal.backend, tabs })
  const session = await waymark.open('mortgage')
  session.set('notes', { a: 1 })
  session.commit()
  await clock.advance(2_000)
  expect(session.parked?.reason).toBe('no')
  let finish = () => {}
  slow = new Promise((resolve) => (finish = resolve))
  hear({ type: 'synced', session: session.id })
  await settle()
  refusal.end()
  await waymark.sync.now()
  expect(session.parked).toBeUndefined()
  slow = undefined
  finish()
  await settle()
  expect(session.status.getSnapshot()).toMatchObject({ saved: synced, parked: undefined })
})

test('what was accepted, and stored later than it seemed, is refused no more', async () => {
  const server = memoryBackend()
  const inner = disk()
  const clock = createFakeClock()
  const refusal = refusingAtFirst(server)
  let fails = 0
  const store: Store = {
    ...inner,
    async write(write) {
      const outcome = await inner.write(write)
      if (fails > 0 && write.put?.some((row) => row.store === 'sync')) {
        fails -= 1
        throw toStorageError(new DOMException('x', 'TimeoutError'), 'use')
      }
      return outcome
    },
  }
  const { waymark, errors } = device({ store, clock, backend: refusal.backend, tabs: deaf })
  const session = await waymark.open('mortgage')
  session.set('notes', { a: 1 })
  session.commit()
  await clock.advance(2_000)
  expect(session.parked?.reason).toBe('no')
  refusal.end()
  fails = 1
  await waymark.sync.now()
  await clock.advance(60_000)
  expect(errors).toHaveLength(1)
  expect(session.status.getSnapshot()).toMatchObject({ saved: synced, parked: undefined })
})

test('a refusal that is stored after what it refused was accepted says nothing any more', async () => {
  const [store, clock, backend] = [disk(), createFakeClock(), memoryBackend()]
  const first = device({ store, clock, backend }).waymark
  const session = await first.open('mortgage')
  session.set('notes', { a: 1 })
  session.commit()
  await clock.advance(5_000)
  expect(session.status.getSnapshot().saved).toEqual(synced)
  const { position } = session.getSnapshot()
  const value = { v: 1, account: 'u1', session: session.id, reason: 'no', issues: [], at: 1, position }
  await store.write({
    durability: 'strict',
    put: [{ store: 'parked', key: [session.id], value }],
  })
  const again = await device({ store, clock, backend }).waymark.open('mortgage')
  await clock.advance(5_000)
  expect(again.status.getSnapshot()).toMatchObject({ saved: synced, parked: undefined })
})
