import { expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Tabs } from '../../../src/client/tabs.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import type { SyncOutcome } from '../../../src/protocol/wire.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { device, disk, synced } from './device.ts'

const deaf = { tell: () => {}, on: () => () => {}, close: () => {} }

test('what one tab was refused is not shown as refused once another tab got it through', async () => {
  const server = memoryBackend()
  const refusing: Backend = {
    exchange: async (items) => ({
      type: 'answered',
      outcomes: items.map(
        ({ session }): SyncOutcome => ({ type: 'rejected', session, reason: 'no', issues: [] }),
      ),
    }),
  }
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
  let isRefusing = true
  const backend: Backend = {
    async exchange(items, options) {
      if (!isRefusing) return server.exchange(items, options)
      const outcomes = items.map(
        ({ session }): SyncOutcome => ({ type: 'rejected', session, reason: 'no', issues: [] }),
      )
      return { type: 'answered', outcomes }
    },
  }
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
  const tabs: Tabs = { ...deaf, on: (listener) => ((hear = listener), () => {}) }
  const { waymark } = device({ store, clock, backend, tabs })
  const session = await waymark.open('mortgage')
  session.set('notes', { a: 1 })
  session.commit()
  await clock.advance(2_000)
  expect(session.parked?.reason).toBe('no')
  let finish = () => {}
  slow = new Promise((resolve) => (finish = resolve))
  hear({ type: 'synced', session: session.id })
  await settle()
  isRefusing = false
  await waymark.sync.now()
  expect(session.parked).toBeUndefined()
  slow = undefined
  finish()
  await settle()
  expect(session.status.getSnapshot()).toMatchObject({ saved: synced, parked: undefined })
})
