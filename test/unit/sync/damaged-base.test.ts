import { expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { StoreName } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device, disk, synced } from './device.ts'

test('a damaged part of what the server acknowledged is written anew, and costs a round trip', async () => {
  const [store, clock, backend] = [disk(), createFakeClock(), memoryBackend()]
  const first = device({ store, clock, backend }).waymark
  const session = await first.open('mortgage')
  session.set('notes', { a: 1 })
  await session.next()
  await clock.advance(5_000)
  expect(session.status.getSnapshot().saved).toEqual(synced)
  await first.close()
  await damage('sync', [session.id, 'part'])

  const again = await device({ store, clock, backend }).waymark.open('mortgage')
  again.set('applicant', { name: 'Ada' })
  again.commit()
  await clock.advance(60_000)
  expect(again.status.getSnapshot().saved).toEqual(synced)
  again.set('applicant', { name: 'Bea' })
  again.commit()
  await clock.advance(60_000)
  expect(backend.exchanges).toBeLessThan(10)
  expect(again.getSnapshot().position).toBeLessThan(8)

  async function damage(name: StoreName, prefix: readonly string[]): Promise<void> {
    const range = { store: name, prefix }
    const [rows = [], keys = []] = await store.read([range, { ...range, isKeys: true }])
    expect(rows).not.toHaveLength(0)
    const put = rows.map((row, i) => ({
      ...{ store: name, key: keys[i] as string[], value: { ...(row as object), t: '{}' } },
    }))
    await store.write({ durability: 'strict', put })
  }
})
