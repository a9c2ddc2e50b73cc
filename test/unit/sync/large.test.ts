import { describe, expect, test } from 'vitest'
import { httpBackend } from '../../../src/backends/http-backend.ts'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import type { SyncItem } from '../../../src/protocol/wire.ts'
import { memoryServerStore } from '../../../src/server/memory-store.ts'
import { createSyncHandler } from '../../../src/server/sync-handler.ts'
import { entriesPerPush } from '../../../src/sync/outbox.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device, synced } from './device.ts'

/** A server that refuses every request longer than `limit`, whatever is in it. */
function createNarrow(limit: number) {
  const inner = memoryBackend()
  const lengths: number[] = []
  const backend: Backend = {
    async exchange(items, options) {
      const { length } = JSON.stringify(items)
      if (length > limit) return { type: 'refused', reason: 'HTTP 413', status: 413 }
      lengths.push(length)
      return inner.exchange(items, options)
    },
  }
  return { backend, inner, lengths }
}

describe('more than one push holds', () => {
  test('is sent in parts that each tell the state at their end, and submitted whole', async () => {
    const clock = createFakeClock()
    const submitted: object[] = []
    const handle = createSyncHandler({
      store: memoryServerStore(),
      authorize: () => ({ account: 'u1' }),
      onSubmit: ({ answers }) => void submitted.push(answers as object),
    })
    const statuses: string[] = []
    let isOnline = true
    const http = httpBackend({ url: 'http://x/w', clock, fetch: handle })
    const backend: Backend = {
      async exchange(items, options) {
        if (!isOnline) return { type: 'unreachable', reason: 'offline' }
        for (const item of items) if (item.type === 'push') statuses.push(item.meta.status)
        return http.exchange(items, options)
      },
    }
    const { waymark } = device({ clock, backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { t: 'x' })
    session.commit()
    await clock.advance(5_000)
    isOnline = false
    for (let i = 0; i < entriesPerPush + 5; i++) {
      session.set('applicant', { name: `n${i}`, joint: false })
      session.commit()
      await session.saved('device')
    }
    session.add('incomes', { source: 'Work', amount: 3 })
    for (let i = 0; i < 4; i++) await session.next()
    expect(session.getSnapshot().status).toBe('done')
    isOnline = true
    void waymark.sync.now()
    await clock.advance(120_000)
    expect(statuses).toEqual(['running', 'running', 'done'])
    expect(submitted).toMatchObject([
      { applicant: { name: `n${entriesPerPush + 4}` }, incomes: [{ source: 'Work' }] },
    ])
    expect(session.status.getSnapshot().saved).toEqual(synced)
  }, 30_000)
})

describe('a finish that is merged with what another device did', () => {
  test('is submitted as merged, however many entries come before it', async () => {
    const clock = createFakeClock()
    const submitted: object[] = []
    const handle = createSyncHandler({
      store: memoryServerStore(),
      authorize: () => ({ account: 'u1' }),
      onSubmit: ({ answers }) => void submitted.push(answers as object),
    })
    const http = httpBackend({ url: 'http://x/w', clock, fetch: handle })
    const lengths: number[] = []
    let isOnline = true
    const backend: Backend = {
      async exchange(items, options) {
        if (!isOnline) return { type: 'unreachable', reason: 'offline' }
        for (const item of items) if (item.type === 'push') lengths.push(item.entries.length)
        return http.exchange(items, options)
      },
    }
    const here = await device({ clock, backend }).waymark.open('mortgage')
    here.set('applicant', { name: 'n', joint: false })
    here.commit()
    await clock.advance(5_000)
    isOnline = false
    const lastMoves = 5
    for (let i = 0; i < entriesPerPush - lastMoves; i++) {
      here.set('applicant', { name: `n${i}` })
      here.commit()
      await here.saved('device')
    }
    const elsewhere = device({ clock, backend: http })
    const there = await elsewhere.waymark.open('mortgage')
    await clock.advance(5_000)
    there.set('notes', { text: 'elsewhere' })
    await there.saved('server', { signal: AbortSignal.timeout(50) })
    await clock.advance(10_000)
    here.add('incomes', { source: 'Work', amount: 3 })
    for (let i = 0; i < 4; i++) await here.next()
    expect(here.getSnapshot().status).toBe('done')
    lengths.length = 0
    isOnline = true
    void here.saved('server')
    await clock.advance(120_000)
    expect(submitted).toEqual([here.getSnapshot().answers])
    expect(lengths).toEqual([entriesPerPush, entriesPerPush - 1, 2])
  }, 30_000)
})

describe('very long answers', () => {
  test('go in pieces every server takes, and hold no other session up', async () => {
    const clock = createFakeClock()
    const { backend, inner, lengths } = createNarrow(8_000_000)
    inner.goOffline()
    const { waymark } = device({ clock, backend })
    const big = await waymark.open('mortgage', { key: 'big' })
    for (let i = 0; i < 12; i++) {
      big.set('notes', { t: String(i).padEnd(900_000, 'x') })
      big.commit()
      await big.saved('device')
    }
    const small = await waymark.open('mortgage', { key: 'small' })
    small.set('notes', { t: 'small' })
    small.commit()
    await small.saved('device')
    inner.goOnline()
    void waymark.sync.now()
    await clock.advance(600_000)
    expect(small.status.getSnapshot().saved).toEqual(synced)
    expect(big.status.getSnapshot().saved).toEqual(synced)
    expect(Math.max(...lengths)).toBeLessThan(4_000_000)
  }, 30_000)
})

describe('a request refused as too large', () => {
  test('is made smaller until it fits', async () => {
    const clock = createFakeClock()
    const { backend, inner } = createNarrow(30_000)
    inner.goOffline()
    const { waymark } = device({ clock, backend })
    const sessions = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((key) => waymark.open('mortgage', { key })),
    )
    for (const session of sessions) {
      for (const t of ['1', '2', '3', '4']) {
        session.set('notes', { t: t.padEnd(8_000, 'x') })
        session.commit()
        await session.saved('device')
      }
    }
    inner.goOnline()
    void waymark.sync.now()
    await clock.advance(60_000)
    for (const session of sessions) {
      expect(session.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    }
  })

  test('parks the one entry that never fits, the others go on', async () => {
    const clock = createFakeClock()
    const { backend } = createNarrow(10_000)
    const { waymark, errors } = device({ clock, backend })
    const big = await waymark.open('mortgage', { key: 'big' })
    big.set('notes', { t: 'x'.repeat(20_000) })
    big.commit()
    const small = await waymark.open('mortgage', { key: 'small' })
    small.set('notes', { t: 'small' })
    small.commit()
    await clock.advance(60_000)
    expect(big.status.getSnapshot()).toMatchObject({
      saved: { server: 'pending' },
      parked: { reason: 'too-large' },
      sync: { state: 'idle' },
    })
    small.set('notes', { t: 'small again' })
    small.commit()
    await clock.advance(60_000)
    expect(small.status.getSnapshot().saved).toEqual(synced)
    expect(errors).toEqual([])
  })

  test('stops syncing where nothing but a question was asked', async () => {
    const clock = createFakeClock()
    const items: SyncItem[] = []
    const backend: Backend = {
      async exchange(asked) {
        items.push(...asked)
        return { type: 'refused', reason: 'HTTP 413', status: 413 }
      },
    }
    const { waymark } = device({ clock, backend })
    await waymark.open('mortgage')
    await clock.advance(60_000)
    expect(items).toMatchObject([{ type: 'pull' }])
    expect(waymark.sync.status).toMatchObject({ state: 'blocked' })
  })
})
