import { describe, expect, test } from 'vitest'
import { httpBackend } from '../../../src/backends/http-backend.ts'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { memoryServerStore } from '../../../src/server/memory-store.ts'
import { createSyncHandler } from '../../../src/server/sync-handler.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device } from './device.ts'

const backends: Record<
  string,
  (clock: ReturnType<typeof createFakeClock>) => Backend & { isDown?: boolean }
> = {
  memory: (clock) => memoryBackend({ clock }),
  http: (clock) => {
    const handle = createSyncHandler({ store: memoryServerStore(), authorize: () => ({ account: 'u1' }) })
    return httpBackend({ url: 'http://x/w', clock, fetch: (request) => handle(request as Request) })
  },
}

describe.each(Object.entries(backends))('a session erased everywhere, over %s', (_name, backendOf) => {
  test('is gone here and on the server, and an offline device cannot bring it back', async () => {
    const clock = createFakeClock()
    const backend = backendOf(clock)
    const here = device({ clock, backend })
    const mine = await here.waymark.open('mortgage')
    mine.set('notes', { text: 'mine' })
    mine.commit()
    await clock.advance(5_000)
    const there = device({ clock, backend })
    const theirs = await there.waymark.open('mortgage')
    await clock.advance(5_000)
    expect(theirs.getSnapshot().answers.notes).toEqual({ text: 'mine' })
    there.waymark.sync.stop()
    theirs.set('notes', { text: 'typed offline' })
    theirs.commit()
    await clock.advance(1_000)

    await here.waymark.remove(mine.id, { everywhere: true })
    expect(await here.waymark.resumable()).toEqual([])
    there.waymark.sync.start()
    await clock.advance(60_000)
    expect(theirs.status.getSnapshot()).toMatchObject({
      saved: { device: 'yes', server: 'pending' },
      parked: { reason: 'erased' },
    })
    expect(theirs.getSnapshot().answers.notes).toEqual({ text: 'typed offline' })
    const again = device({ clock, backend })
    const fresh = await again.waymark.open('mortgage')
    await clock.advance(5_000)
    expect(fresh.getSnapshot().answers).toEqual({})
    await there.waymark.remove(theirs.id)
    expect([...here.errors, ...there.errors]).toEqual([])
  })
})

describe('erasing everywhere', () => {
  test('removes nothing where the server cannot be reached, and says so', async () => {
    const clock = createFakeClock()
    const backend = memoryBackend({ clock })
    const { waymark } = device({ clock, backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { text: 'kept' })
    session.commit()
    await clock.advance(5_000)
    backend.goOffline()
    const failed = await waymark.remove(session.id, { everywhere: true }).catch((error: unknown) => error)
    expect(isWaymarkError(failed, 'not-erased') && failed.isRetryable).toBe(true)
    expect(await waymark.resumable()).toHaveLength(1)
    expect(backend.sessions('u1')).toEqual([session.id])
  })

  test('is refused where there is no backend, or one that cannot', async () => {
    const clock = createFakeClock()
    const inner = memoryBackend({ clock })
    for (const backend of [undefined, { exchange: inner.exchange }]) {
      const { waymark } = device({ clock, ...(backend && { backend }) })
      const session = await waymark.open('mortgage')
      session.set('notes', { text: 'kept' })
      session.commit()
      await clock.advance(1_000)
      const failed = await waymark.remove(session.id, { everywhere: true }).catch((error: unknown) => error)
      expect(isWaymarkError(failed, 'not-erased')).toBe(true)
      expect(await waymark.resumable()).toHaveLength(1)
    }
  })
})
