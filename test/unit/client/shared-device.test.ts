import { describe, expect, test, vi } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()
const encryption = { key: new Uint8Array(32).fill(1) }

interface Kiosk {
  readonly store?: Store
  readonly clock?: FakeClock
  readonly backend?: Backend
}
function visit({ store = durableStore(), clock = createFakeClock(), backend }: Kiosk) {
  return page({ store, clock, encryption, isShared: true, account: 'u1', ...(backend && { backend }) })
}

/** What is left of a session: rows of it and its keys. */
async function leftOf(store: Store, session: string): Promise<number> {
  const names = ['journal', 'drafts', 'checkpoints', 'parts', 'sync', 'keys'] as const
  const found = await store.read([
    ...names.map((name) => ({ store: name, prefix: [session] })),
    { store: 'heads', prefix: ['u1', session], limit: 1, isKeys: true },
  ])
  const [head] = found[names.length] as (readonly string[])[]
  return found.slice(0, -1).flat().length + (head?.length === 2 ? 1 : 0)
}

async function finish(waymark: ReturnType<typeof visit>) {
  const session = await waymark.open('mortgage')
  session.set('applicant', { name: 'Ada', joint: false })
  for (const _ of ['applicant', 'incomes', 'notes']) await session.next()
  expect((await session.next()).type).toBe('completed')
  return session
}

/** A backend behind a connection that can be cut. */
function cuttable() {
  const inner = memoryBackend()
  let isCut = false
  const backend: Backend = {
    exchange: async (...args) => (isCut ? { type: 'unreachable', reason: 'cut' } : inner.exchange(...args)),
  }
  return { backend, cut: (cut: boolean) => (isCut = cut) }
}

/** Sealing answers in macrotasks of its own, so time goes on in steps. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await clock.advance(ms / 10)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function untilGone(clock: FakeClock, store: Store, session: string): Promise<void> {
  for (let i = 0; i < 60 && (await leftOf(store, session)) > 0; i++) await pass(clock, 500)
  expect(await leftOf(store, session)).toBe(0)
}

describe('a shared device', () => {
  test('forgets a session with its keys once it is done and received, and still shows it as sent', async () => {
    const [store, clock, backend] = [durableStore(), createFakeClock(), memoryBackend()]
    const waymark = visit({ store, clock, backend })
    const session = await finish(waymark)
    expect(await leftOf(store, session.id)).toBeGreaterThan(0)
    await untilGone(clock, store, session.id)
    expect(session.getSnapshot()).toMatchObject({ status: 'done', progress: { fraction: 1 } })
    expect(session.status.getSnapshot().saved.server).toBe('yes')
    expect(await waymark.resumable()).toEqual([])
    const next = await waymark.open('mortgage')
    expect(next.id).not.toBe(session.id)
    expect(next.getSnapshot().answers).toEqual({})
  })

  test('keeps what is done until it is received, over a restart too', async () => {
    const [store, clock] = [durableStore(), createFakeClock()]
    const { backend, cut } = cuttable()
    cut(true)
    const first = visit({ store, clock, backend })
    const session = await finish(first)
    await pass(clock, 5_000)
    expect(await leftOf(store, session.id)).toBeGreaterThan(0)
    await first.close()
    cut(false)
    visit({ store, clock, backend })
    await untilGone(clock, store, session.id)
  })

  test('forgets what an earlier page had no time to', async () => {
    const [store, clock, backend] = [durableStore(), createFakeClock(), memoryBackend()]
    const before = page({ store, clock, encryption, backend, account: 'u1' })
    const session = await finish(before)
    await pass(clock, 3_000)
    await before.close()
    expect(await leftOf(store, session.id)).toBeGreaterThan(0)
    visit({ store, clock, backend })
    await untilGone(clock, store, session.id)
  })

  test('without a backend forgets what is abandoned, and keeps what is done', async () => {
    const store = durableStore()
    const waymark = visit({ store })
    const done = await finish(waymark)
    const abandoned = await waymark.open('mortgage', { key: 'other' })
    abandoned.set('applicant', { name: 'Ada' })
    await abandoned.saved('device')
    expect(await leftOf(store, abandoned.id)).toBeGreaterThan(0)
    await abandoned.abandon()
    await vi.waitFor(async () => expect(await leftOf(store, abandoned.id)).toBe(0))
    expect(await leftOf(store, done.id)).toBeGreaterThan(0)
  })

  test('forgets what was left and expired, also while nobody had it open', async () => {
    const flow = defineFlow({
      id: 'mortgage',
      title: 'Left behind',
      expiry: { afterMs: 60_000 },
      steps: { notes: { title: 'Notes' }, review: { title: 'Review' } },
    })
    const [store, clock] = [durableStore(), createFakeClock()]
    const given = { store, clock, encryption, isShared: true, account: 'u1', flows: [flow] as never }
    const first = page(given)
    const session = await first.open('mortgage')
    session.set('notes', { text: 'left behind' })
    await session.saved('device')
    await first.close()
    expect(await leftOf(store, session.id)).toBeGreaterThan(0)
    clock.jump(61_000)
    const next = page(given)
    await next.resumable()
    await untilGone(clock, store, session.id)
    expect(await next.resumable()).toEqual([])
  })

  test('leaves a session that goes on alone', async () => {
    const [store, clock, backend] = [durableStore(), createFakeClock(), memoryBackend()]
    const session = await visit({ store, clock, backend }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    await pass(clock, 5_000)
    expect(session.status.getSnapshot().saved.server).toBe('yes')
    expect(await leftOf(store, session.id)).toBeGreaterThan(0)
  })

  test('is refused without a key from outside the browser', async () => {
    for (const given of [{}, { encryption: 'browser' as const }]) {
      const opening = page({ isShared: true, ...given }).open('mortgage')
      await expect(opening).rejects.toMatchObject({ code: 'encryption-needed' })
    }
  })
})
