import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import type { SyncItem, SyncOutcome } from '../../../src/protocol/wire.ts'
import { toStorageError } from '../../../src/store/storage-error.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { backendSaying, device, disk, synced } from './device.ts'

/** Answers as `inner` for everything but what `spoil` takes over. */
function createSpoilt(spoil: (item: SyncItem) => SyncOutcome | undefined) {
  const inner = memoryBackend()
  const counts = { exchanges: 0 }
  const backend: Backend = {
    async exchange(items, options) {
      counts.exchanges += 1
      const answer = await inner.exchange(items, options)
      if (answer.type !== 'answered') return answer
      return { ...answer, outcomes: answer.outcomes.map((outcome, i) => spoil(items[i]!) ?? outcome) }
    },
  }
  return { inner, backend, counts }
}

async function exchangesInASecond(backend: Backend, exchanges: () => number) {
  const clock = createFakeClock()
  const { waymark } = device({ clock, backend })
  const session = await waymark.open('mortgage')
  session.set('notes', { a: 1 })
  session.commit()
  await clock.advance(2_000)
  for (let i = 0; i < 50; i++) await settle()
  return { count: exchanges(), waymark, session, clock }
}

describe('an answer that gets a session nowhere', () => {
  test.each<[string, (item: SyncItem) => SyncOutcome]>([
    ['unknown again and again', ({ session }) => ({ type: 'unknown', session })],
    [
      'stale with what is no JSON',
      ({ session }) => ({
        type: 'stale',
        session,
        snapshot: {
          rev: '1-x',
          isWhole: true,
          meta: {
            flow: { id: 'mortgage', version: 1, hash: 'x' },
            key: 'default',
            status: 'running',
            step: 'applicant',
            finished: {},
            visited: {},
          },
          steps: { notes: '{' },
          heads: {},
          at: 0,
          stamps: {},
        },
      }),
    ],
  ])('is a failed exchange: %s', async (_, say) => {
    const backend = backendSaying(say)
    const { count, waymark } = await exchangesInASecond(backend, () => backend.exchanges)
    expect(count).toBeLessThan(12)
    expect(waymark.sync.status).toMatchObject({
      state: 'backingOff',
      failures: expect.toSatisfy((n) => n > 0),
    })
  })

  test('is a failed exchange: stale at the rev that is held', async () => {
    let isHostile = false
    const { inner, backend, counts } = createSpoilt(({ session }) =>
      isHostile ? { type: 'stale', session, snapshot: inner.snapshot('u1', session)! } : undefined,
    )
    const { session, clock } = await exchangesInASecond(backend, () => counts.exchanges)
    isHostile = true
    const before = counts.exchanges
    session.set('notes', { a: 2 })
    session.commit()
    await clock.advance(1_500)
    for (let i = 0; i < 50; i++) await settle()
    expect(counts.exchanges - before).toBeLessThan(12)
    isHostile = false
    await clock.advance(120_000)
    expect(session.status.getSnapshot().saved).toEqual(synced)
  })

  test('lets that session rest, and holds up no other', async () => {
    let hostile = ''
    const { backend, counts } = createSpoilt((item) =>
      item.session === hostile ? { type: 'unknown', session: item.session } : undefined,
    )
    const clock = createFakeClock()
    const { waymark } = device({ clock, backend })
    const a = await waymark.open('mortgage', { key: 'a' })
    const b = await waymark.open('mortgage', { key: 'b' })
    hostile = a.id
    a.set('notes', { a: 1 })
    a.commit()
    for (let i = 0; i < 10; i++) {
      b.set('notes', { i })
      b.commit()
      await clock.advance(2_000)
    }
    expect(b.status.getSnapshot().saved).toEqual(synced)
    expect(counts.exchanges).toBeLessThan(60)
    hostile = ''
    await clock.advance(120_000)
    expect(a.status.getSnapshot().saved).toEqual(synced)
  })

  test('is a failed exchange: accepted, and the disk too full to keep that', async () => {
    const inner = disk()
    const full = () => toStorageError(new DOMException('x', 'QuotaExceededError'), 'use')
    const store: Store = {
      ...inner,
      async write(write) {
        if (write.put?.some((row) => row.store === 'sync')) throw full()
        return inner.write(write)
      },
    }
    const clock = createFakeClock()
    const backend = memoryBackend()
    const { waymark } = device({ store, clock, backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { a: 1 })
    session.commit()
    await clock.advance(60_000)
    expect(backend.exchanges).toBeLessThan(20)
  })
})
