import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { clearableStore } from '../../support/clearable-store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page, errors } = preparePages()

describe('what is said of the server', () => {
  test('after site data was cleared, what is typed offline is pending there', async () => {
    const clock = createFakeClock()
    const store = clearableStore()
    const backend = memoryBackend()
    const session = await page({ store, clock, backend, account: 'u1' }).open('mortgage')
    for (const name of ['A', 'Ad', 'Ada', 'Ada L', 'Ada Lo']) {
      session.set('applicant', { name })
      session.commit()
      await clock.advance(5_000)
    }
    expect(session.status.getSnapshot().saved.server).toBe('yes')
    backend.goOffline()
    store.clear()
    session.set('notes', { text: 'typed offline' })
    session.commit()
    await session.saved('device')
    const { server } = session.status.getSnapshot().saved
    const outcome = await Promise.race([
      session.saved('server').then(({ type }) => type),
      clock.advance(2_000).then(() => 'waiting'),
    ])
    errors.length = 0
    expect(JSON.stringify(backend.snapshot('u1', session.id))).not.toContain('typed offline')
    expect({ server, outcome }).toEqual({ server: 'pending', outcome: 'waiting' })
  })
})

describe('tidy()', () => {
  test('keeps what is unsent although a newer version of the app wrote its head', async () => {
    const clock = createFakeClock()
    const store = durableStore()
    const backend = memoryBackend()
    backend.goOffline()
    const waymark = page({ store, clock, backend, account: 'u1' })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    await session.abandon()
    await session.close()
    const [[head] = []] = await store.read([{ store: 'heads', prefix: ['u1', session.id] }])
    await store.write({
      durability: 'relaxed',
      put: [{ store: 'heads', key: ['u1', session.id], value: { ...(head as object), v: 2 } as never }],
    })
    await clock.advance(10_000)
    const report = await waymark.tidy({ olderThanMs: 0 })
    expect(report.removed).toEqual([])
    expect(report.kept).toEqual([{ id: session.id, reason: 'unsent' }])
  })
})

describe('a head made anew', () => {
  test('does not say that it was saved when it was mended', async () => {
    const clock = createFakeClock()
    const store = durableStore()
    const first = page({ store, clock })
    const session = await first.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    session.commit()
    await session.saved('device')
    const savedAt = clock.now()
    await first.close()
    await store.write({
      durability: 'relaxed',
      put: [{ store: 'heads', key: ['', session.id], value: 'garbage' as never }],
    })
    await clock.advance(86_400_000)
    const [listed] = await page({ store, clock }).resumable()
    errors.length = 0
    expect(listed!.savedAt - savedAt).toBeLessThan(60_000)
  })
})

describe('remove()', () => {
  test('leaves nothing of a session that was being written', async () => {
    const clock = createFakeClock()
    const inner = createMemoryStore()
    let last: Promise<unknown> = Promise.resolve()
    const store: Store = {
      ...inner,
      kind: 'indexeddb',
      write(write) {
        const done = last
          .then(() => new Promise((resolve) => setTimeout(resolve, 5)))
          .then(() => inner.write(write))
        last = done.catch(() => {})
        return done
      },
    }
    const waymark = page({ store, clock })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    await session.saved('device')
    session.set('notes', { text: 'one' })
    session.commit()
    await Promise.resolve()
    await Promise.resolve()
    session.set('notes', { text: 'PLANTED' })
    session.commit()
    await waymark.remove(session.id)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const rows = await inner.read([
      { store: 'journal', prefix: [session.id] },
      { store: 'drafts', prefix: [session.id] },
    ])
    expect(rows.flat()).toEqual([])
    expect(await waymark.resumable()).toEqual([])
  })
})
