import { expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import type { SyncOutcome } from '../../../src/protocol/wire.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
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
