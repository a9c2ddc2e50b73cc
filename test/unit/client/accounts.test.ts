import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { toStorageError } from '../../../src/store/storage-error.ts'
import type { Store, Write } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

/** What a promise comes to, or that it never does. */
async function endOf(promise: Promise<unknown>): Promise<unknown> {
  const waiting = (async () => {
    for (let i = 0; i < 20; i++) await settle()
    return 'hangs'
  })()
  return Promise.race([promise.catch((error: unknown) => error), waiting])
}

describe('accounts on one browser', () => {
  test('after claim and sign-out the next visitor gets a session of their own', async () => {
    const waymark = page()
    const anonymous = await waymark.open('mortgage')
    anonymous.set('applicant', { name: 'Anon' })
    await anonymous.saved('device')
    await waymark.setAccount('u1')
    await waymark.claim()
    const claimed = await waymark.open('mortgage')
    expect(claimed.id).toBe(anonymous.id)
    claimed.set('applicant', { name: 'Secret of u1' })
    await claimed.saved('device')
    await waymark.setAccount('')
    expect(await waymark.resumable()).toEqual([])
    const next = await waymark.open('mortgage')
    expect(next.id).not.toBe(anonymous.id)
    expect(next.getSnapshot().answers).toEqual({})
  })

  test('a session claimed while another tab has it open is over there, and nobody claims it again', async () => {
    const store = durableStore()
    const clock = createFakeClock()
    const here = page({ store, clock })
    const there = page({ store, clock })
    const session = await here.open('mortgage')
    session.set('applicant', { name: 'Anon', joint: false })
    await session.saved('device')
    await there.setAccount('u1')
    await there.claim()
    await clock.advance(100)
    expect(() => session.set('notes', { late: true })).toThrowError(/closed/)
    await there.setAccount('u2')
    await there.claim()
    expect(await there.resumable()).toEqual([])
    await there.setAccount('u1')
    expect(await there.resumable()).toMatchObject([{ id: session.id }])
  })

  test('a tab that did not hear of a claim sends nothing of it as nobody', async () => {
    const store = durableStore()
    const clock = createFakeClock()
    const sent: string[] = []
    const inner = memoryBackend({ clock })
    const backend: Backend = {
      exchange(items, options) {
        sent.push(`${options.account}: ${JSON.stringify(items)}`)
        return inner.exchange(items, options)
      },
    }
    const deaf = page({
      store,
      clock,
      backend,
      tabs: { tell: () => {}, on: () => () => {}, close: () => {} },
    })
    const session = await deaf.open('mortgage')
    session.set('applicant', { name: 'Anon' })
    await session.saved('device')
    const there = page({ store, clock, account: 'u1' })
    await there.claim()
    const claimed = await there.open('mortgage')
    claimed.set('applicant', { name: 'Secret of u1' })
    claimed.commit()
    await claimed.saved('device')
    session.set('notes', { more: 'by nobody' })
    await deaf.sync.now()
    expect(sent.filter((text) => text.includes('Secret of u1'))).toEqual([])
    expect(() => session.set('notes', { late: true })).toThrowError(/closed/)
  })

  test('a session asked for before signing in as someone else is never that one’s', async () => {
    const waymark = page({ account: 'u1' })
    const before = await waymark.open('mortgage')
    before.set('applicant', { name: 'Secret of u1' })
    await before.saved('device')
    await before.close()
    const opening = waymark.open('mortgage')
    await waymark.setAccount('u2')
    const session = await opening.catch((error: unknown) => error)
    if (!isWaymarkError(session, 'closed')) {
      expect(() => (session as typeof before).set('notes', { x: 1 })).toThrowError(/closed/)
    }
    expect(await waymark.resumable()).toEqual([])
    expect((await waymark.open('mortgage')).getSnapshot().answers).toEqual({})
  })

  test('a session asked for while signing in is the new account’s', async () => {
    const waymark = page({ account: 'u1' })
    ;(await waymark.open('mortgage')).set('notes', { of: 'u1' })
    const switching = waymark.setAccount('u2')
    const late = await waymark.open('mortgage')
    await switching
    late.set('notes', { of: 'u2' })
    await late.saved('device')
    expect(await waymark.resumable()).toMatchObject([{ id: late.id }])
    await waymark.setAccount('u1')
    const [only] = await waymark.resumable()
    expect(only?.id).not.toBe(late.id)
  })

  test('account changes are made in the order asked for', async () => {
    const waymark = page({ account: 'u1', backend: memoryBackend() })
    void waymark.setAccount('u2')
    void waymark.claim()
    await waymark.setAccount('u1')
    expect(waymark.account).toBe('u1')
    expect(waymark.sync.status).toBeDefined()
  })
})

describe('ids', () => {
  test('no id of an abandoned or removed session is used again', async () => {
    const clock = createFakeClock()
    const backend = memoryBackend()
    const waymark = page({ clock, backend, account: 'u1' })
    const ids: string[] = []
    for (let i = 0; i < 2; i++) {
      const session = await waymark.open('mortgage')
      ids.push(session.id)
      session.set('notes', { i })
      await session.abandon()
      await clock.advance(2_000)
      await session.close()
    }
    await waymark.remove(ids[0]!)
    const fresh = await waymark.open('mortgage')
    expect(ids).not.toContain(fresh.id)
    expect(fresh.getSnapshot()).toMatchObject({ status: 'pending', answers: {} })
    fresh.set('notes', { fresh: true })
    fresh.commit()
    await clock.advance(5_000)
    expect(fresh.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
  })

  test('a removed session is over in every tab and leaves nothing behind', async () => {
    const store = durableStore()
    const clock = createFakeClock()
    const session = await page({ store, clock }).open('mortgage')
    session.set('applicant', { name: 'Secret' })
    session.commit()
    await session.saved('device')
    await page({ store, clock }).remove(session.id)
    await clock.advance(100)
    expect(() => session.set('notes', { late: true })).toThrowError(/closed/)
    for (const name of ['heads', 'journal', 'drafts', 'checkpoints', 'parts', 'quarantine'] as const) {
      expect(JSON.stringify(await store.read([{ store: name, prefix: [] }]))).not.toContain('Secret')
    }
  })
})

describe('closing', () => {
  test('settles what waits on the session', async () => {
    const session = await page().open('mortgage')
    session.set('applicant', { name: 'Ada', joint: false })
    const saved = session.saved('strict')
    const moved = session.pause()
    await session.close()
    expect(await endOf(saved)).toEqual({ type: 'saved' })
    expect(await endOf(moved)).toMatchObject({ type: 'moved' })
    const offline = memoryBackend()
    offline.goOffline()
    const waymark = page({ backend: offline, account: 'u1' })
    const other = await waymark.open('mortgage')
    other.set('notes', { a: 1 })
    const sent = other.saved('server')
    await waymark.close()
    expect(await endOf(sent)).toEqual({ type: 'aborted' })
  })

  test('on a full disk rejects with the reason and lets go of nothing', async () => {
    const inner = durableStore()
    let isFull = false
    const store: Store = {
      ...inner,
      kind: 'indexeddb',
      async write(write: Write) {
        if (isFull) throw toStorageError(new DOMException('x', 'QuotaExceededError'), 'use')
        return inner.write(write)
      },
    }
    const waymark = page({ store, account: 'u1' })
    const session = await waymark.open('mortgage')
    isFull = true
    session.set('notes', { a: 1 })
    expect(isWaymarkError(await endOf(session.close()), 'storage-full')).toBe(true)
    expect(isWaymarkError(await endOf(waymark.setAccount('u2')), 'storage-full')).toBe(true)
    expect(waymark.account).toBe('u1')
    session.set('notes', { a: 2 })
    isFull = false
    await session.close()
    expect((await waymark.open('mortgage')).getSnapshot().answers).toEqual({ notes: { a: 2 } })
  })

  test('ends every wait on sync, and nothing syncs afterwards', async () => {
    const backend = memoryBackend()
    const waymark = page({ backend, account: 'u1' })
    await waymark.sync.now()
    const now = waymark.sync.now()
    const closed = waymark.close()
    expect(await endOf(now)).not.toBe('hangs')
    expect(await endOf(closed)).toBeUndefined()
    const before = backend.exchanges
    expect(isWaymarkError(await endOf(waymark.setAccount('u2')), 'closed')).toBe(true)
    expect(backend.exchanges).toBe(before)
  })
})

describe('saved', () => {
  test('strict on a reopened session writes strictly once more', async () => {
    const inner = durableStore()
    let strict = 0
    const store: Store = {
      ...inner,
      kind: 'indexeddb',
      async write(write: Write) {
        if (write.durability === 'strict') strict += 1
        return inner.write(write)
      },
    }
    const first = page({ store })
    const session = await first.open('mortgage')
    session.set('notes', { a: 1 })
    session.commit()
    await session.saved('device')
    await first.close()
    const again = await page({ store }).open('mortgage')
    const before = strict
    expect(await again.saved('strict')).toEqual({ type: 'saved' })
    expect(strict).toBe(before + 1)
  })

  test('server says not-sent where the server refused, and does not wait for another tab’s typing', async () => {
    const clock = createFakeClock()
    const refusing = {
      async exchange(items: readonly { session: string }[]) {
        const outcomes = items.map(({ session }) => ({
          ...{ type: 'rejected' as const, session, reason: 'no', issues: [] },
        }))
        return { type: 'answered' as const, outcomes }
      },
    }
    const parked = await page({ clock, backend: refusing, account: 'u1' }).open('mortgage')
    parked.set('notes', { a: 1 })
    const refused = parked.saved('server')
    await clock.advance(5_000)
    expect(await endOf(refused)).toEqual({ type: 'not-sent', reason: 'no' })

    const store = durableStore()
    const backend = memoryBackend()
    const a = await page({ store, clock, backend, account: 'u1' }).open('mortgage')
    const b = await page({ store, clock, backend, account: 'u1' }).open('mortgage')
    b.set('notes', { t: 1 })
    await clock.advance(100)
    a.set('applicant', { name: 'y' })
    let isSaved = false
    void a.saved('server').then(() => {
      isSaved = true
    })
    for (let i = 0; i < 10; i++) {
      b.set('notes', { t: i + 2 })
      await clock.advance(1_000)
    }
    expect(isSaved).toBe(true)
  })
})

describe('what can no longer be done', () => {
  test('is refused by code, never swallowed', async () => {
    const waymark = page()
    const session = await waymark.open('mortgage')
    const key = session.add('incomes', { source: 'Work', amount: 1 })
    session.drop('incomes', key)
    expect(() => session.change('incomes', key, { amount: 2 })).toThrowError(
      expect.objectContaining({ code: 'item-unknown' }),
    )
    expect(() => session.set('incomes', {} as never)).toThrowError(
      expect.objectContaining({ code: 'answer-not-json' }),
    )
    expect(() => session.set('notes', [] as never)).toThrowError(
      expect.objectContaining({ code: 'answer-not-json' }),
    )
    await session.abandon()
    expect(() => session.set('notes', { late: 1 })).toThrowError(
      expect.objectContaining({ code: 'session-ended' }),
    )
  })
})

describe('a finish the server refuses', () => {
  test('is never shown as complete, and can be taken back, mended and sent again', async () => {
    const clock = createFakeClock()
    const inner = memoryBackend()
    const backend = {
      async exchange(...args: Parameters<typeof inner.exchange>) {
        const [items] = args
        const isRefused = items.some(
          (item) =>
            item.type === 'push' &&
            item.meta.status === 'done' &&
            (item.changed['notes'] ?? '').includes('bad'),
        )
        if (!isRefused) return inner.exchange(...args)
        const issues = [{ step: 'notes', path: '/t', message: 'Not allowed.' }]
        const outcomes = items.map(({ session }) => ({
          ...{ type: 'rejected' as const, session, reason: 'answers-invalid', issues },
        }))
        return { type: 'answered' as const, outcomes }
      },
    }
    const session = await page({ clock, backend, account: 'u1' }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: false })
    session.set('notes', { t: 'bad' })
    for (let i = 0; i < 4; i++) await session.next()
    expect(session.getSnapshot().status).toBe('done')
    await clock.advance(5_000)
    expect(session.getSnapshot().progress.fraction).toBeLessThan(1)
    expect(session.status.getSnapshot().parked).toMatchObject({ reason: 'answers-invalid' })
    expect(await session.reopen()).toMatchObject({ type: 'moved' })
    session.set('notes', { t: 'good' })
    await session.goTo('notes')
    await session.next()
    expect(await session.next()).toMatchObject({ type: 'completed' })
    const sent = session.saved('server')
    await clock.advance(5_000)
    expect(await endOf(sent)).toEqual({ type: 'saved' })
    expect(session.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    expect(session.getSnapshot()).toMatchObject({ status: 'done', progress: { fraction: 1 } })
    expect(await session.reopen()).toMatchObject({ type: 'blocked' })
  })
})
