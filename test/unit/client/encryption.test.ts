import { describe, expect, test, vi } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { WaymarkOptions } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { openEncryptedStore } from '../../../src/store/encrypted-store.ts'
import type { Encryption } from '../../../src/store/encryption.ts'
import type { Store, Write } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { durableStore, type Mortgage, preparePages } from '../../support/pages.ts'
import { everythingIn } from '../../support/searching.ts'

const pages = preparePages()
const { errors } = pages
const host = (byte: number): Encryption => ({ key: new Uint8Array(32).fill(byte) })
const page = (store: Store, encryption?: Encryption, more: Partial<WaymarkOptions<Mortgage>> = {}) =>
  pages.page({ store, ...(encryption === undefined ? {} : { encryption }), ...more })

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => 'resolved',
    (thrown: unknown) => thrown,
  )
  return isWaymarkError(error) ? error.code : String(error)
}

/** Sealing answers in macrotasks of its own, so time goes on in steps. */
async function pass(clock: ReturnType<typeof createFakeClock>, ms: number): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await clock.advance(ms / 10)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function watched(): { store: Store; writes: Write[] } {
  const inner = durableStore()
  const writes: Write[] = []
  const write = (one: Write) => {
    writes.push(one)
    return inner.write(one)
  }
  return { store: { ...inner, write }, writes }
}

describe('createWaymark with encryption', () => {
  test('keeps a session across pages with nothing of it in clear', async () => {
    const store = durableStore()
    const session = await page(store, host(1)).open('mortgage', { key: 'case' })
    session.set('applicant', { name: 'PLANTED', joint: true })
    await session.next()
    session.set('partner', { name: 'PLANTED TOO' })
    await session.saved('strict')
    expect(await everythingIn(store)).not.toContain('PLANTED')
    const later = page(store, host(1))
    expect(await later.resumable()).toMatchObject([{ key: 'case', step: { id: 'partner' } }])
    const again = await later.open('mortgage', { key: 'case' })
    expect(again.getSnapshot().answers).toEqual({
      applicant: { name: 'PLANTED', joint: true },
      partner: { name: 'PLANTED TOO' },
    })
    expect(await again.verify()).toMatchObject({ type: 'whole' })
  })

  test('with the wrong key rejects everything by code, and sets nothing aside', async () => {
    const { store, writes } = watched()
    const first = await page(store, { passphrase: 'right' }).open('mortgage')
    first.set('applicant', { name: 'Ada' })
    await first.saved('strict')
    const before = await everythingIn(store)
    const count = writes.length
    const wrong = page(store, { passphrase: 'wrong' }, { backend: memoryBackend() })
    expect(await codeOf(wrong.open('mortgage'))).toBe('key-wrong')
    expect(await codeOf(wrong.start('mortgage'))).toBe('key-wrong')
    expect(await codeOf(wrong.resumable())).toBe('key-wrong')
    expect(await codeOf(wrong.rotate(host(1)))).toBe('key-wrong')
    expect(await codeOf(wrong.close())).toBe('resolved')
    expect(writes.length).toBe(count)
    expect(await everythingIn(store)).toBe(before)
    const again = await page(store, { passphrase: 'right' }).open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada' } })
  })

  test('forgotten once sealed rejects everything by code, and changes nothing', async () => {
    const { store, writes } = watched()
    const first = await page(store, host(1)).open('mortgage')
    first.set('applicant', { name: 'Ada' })
    await first.saved('strict')
    const count = writes.length
    const without = page(store)
    expect(await codeOf(without.open('mortgage'))).toBe('encryption-needed')
    expect(await codeOf(without.resumable())).toBe('encryption-needed')
    expect(writes.length).toBe(count)
    expect((await page(store, host(1)).open('mortgage')).getSnapshot().answers).toEqual({
      applicant: { name: 'Ada' },
    })
  })

  test('switched on later finds every answer, draft and id there was, and leaves none of them in clear', async () => {
    const store = durableStore()
    const plain = page(store)
    const session = await plain.open('mortgage')
    session.set('applicant', { name: 'PLANTED', joint: false })
    await session.next()
    session.add('incomes', { source: 'PLANTED', amount: 1 })
    session.set('notes', { text: 'PLANTED' })
    await session.saved('device')
    const other = await plain.open('mortgage', { key: 'other' })
    other.set('applicant', { name: 'x' })
    await other.saved('strict')
    await plain.remove(other.id)
    expect(await everythingIn(store)).toContain('PLANTED')
    const before = session.getSnapshot()

    const sealed = page(store, host(1))
    const again = await sealed.open('mortgage')
    expect(await everythingIn(store)).not.toContain('PLANTED')
    expect(again.id).toBe(session.id)
    expect(again.getSnapshot().answers).toEqual(before.answers)
    expect(await again.verify()).toMatchObject({ type: 'whole' })
    expect((await sealed.open('mortgage', { key: 'other' })).id).not.toBe(other.id)
  })

  test('a page without it that is still open is told to reload, sets nothing aside, and loses nothing', async () => {
    const store = durableStore()
    const clock = createFakeClock()
    const plain = page(store, undefined, { clock })
    const old = await plain.open('mortgage')
    old.set('applicant', { name: 'Ada' })
    old.commit()
    await old.saved('device')
    const sealed = page(store, host(1), { clock })
    const session = await sealed.open('mortgage')
    session.set('notes', { sealed: 'draft' })
    await session.saved('device')
    await pass(clock, 100)
    session.set('applicant', { joint: false })
    await session.next()
    await pass(clock, 100)
    old.set('notes', { old: 'typed here' })
    old.commit()
    await pass(clock, 100)
    expect(old.status.getSnapshot().saved.atRisk).toMatchObject({ code: 'outdated' })
    expect(old.getSnapshot().answers.notes).toMatchObject({ old: 'typed here' })
    await plain.close().catch(() => {})
    expect(errors).toEqual([])
    expect((await store.read([{ store: 'quarantine', prefix: [] }]))[0]).toEqual([])

    const reloaded = page(store, host(1), { clock })
    const again = await reloaded.open('mortgage')
    expect(again.getSnapshot().answers).toEqual({
      applicant: { name: 'Ada', joint: false },
      notes: { sealed: 'draft', old: 'typed here' },
    })
    expect(await again.verify()).toMatchObject({ type: 'whole' })
    await pass(clock, 20_000)
    expect(await everythingIn(store)).not.toContain('typed here')
  })

  test('an entry damaged on disk costs its own changes, is set aside with its bytes and reported', async () => {
    const store = durableStore()
    const first = page(store, host(1))
    const session = await first.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    session.commit()
    await session.saved('strict')
    session.set('notes', { text: 'kept' })
    session.commit()
    await session.saved('strict')
    await first.close()
    const [rows] = await store.read([{ store: 'journal', prefix: [session.id, 0] }])
    const row = rows![0] as { v: 2; b: Uint8Array }
    const b = row.b.map((byte, i) => (i === 30 ? byte ^ 1 : byte))
    await store.write({
      durability: 'strict',
      put: [{ store: 'journal', key: [session.id, 0], value: { v: 2, b } }],
      remove: [{ store: 'checkpoints', prefix: [session.id] }],
    })
    const again = await page(store, host(1)).open('mortgage')
    expect(again.getSnapshot().answers).toMatchObject({ notes: { text: 'kept' } })
    await settle()
    expect(errors.splice(0)).toMatchObject([{ code: 'record-unreadable' }])
    const opened = await openEncryptedStore(store, host(1))
    const [aside] = await opened.read([{ store: 'quarantine', prefix: [session.id, 'entry/0'] }])
    expect(aside).toMatchObject([{ row: { sealed: btoa(String.fromCharCode(...b)) } }])
  })

  test('two tabs work on one session', async () => {
    const store = durableStore()
    const clock = createFakeClock()
    const [here, there] = await Promise.all(
      [page(store, host(1), { clock }), page(store, host(1), { clock })].map((tab) => tab.open('mortgage')),
    )
    here!.set('applicant', { name: 'Ada' })
    here!.commit()
    there!.set('notes', { text: 'there' })
    there!.commit()
    await Promise.all([here!.saved('device'), there!.saved('device')])
    // WebCrypto takes the time it takes, whatever the clock of the test says.
    await vi.waitFor(async () => {
      await clock.advance(100)
      for (const session of [here!, there!]) {
        expect(session.getSnapshot().answers).toEqual({
          applicant: { name: 'Ada' },
          notes: { text: 'there' },
        })
      }
    }, 5_000)
  }, 10_000)

  test('syncs, and another device without encryption gets the same session', async () => {
    const backend = memoryBackend()
    const clock = createFakeClock()
    const session = await page(durableStore(), host(1), { backend, clock, account: 'u1' }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    await clock.advance(2_000)
    expect(session.status.getSnapshot().saved.server).toBe('yes')
    const other = await page(durableStore(), undefined, { backend, clock, account: 'u1' }).open('mortgage')
    await clock.advance(2_000)
    expect(other.getSnapshot().answers).toEqual({ applicant: { name: 'Ada', joint: false } })
  })

  test('remove deletes the keys of the session with its rows', async () => {
    const store = durableStore()
    const waymark = page(store, host(1))
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    await session.saved('strict')
    expect((await store.read([{ store: 'keys', prefix: [session.id] }]))[0]).toHaveLength(1)
    await waymark.remove(session.id)
    expect((await store.read([{ store: 'keys', prefix: [session.id] }]))[0]).toEqual([])
  })
})

describe('a flow with sensitive fields', () => {
  const flow = defineFlow({ id: 'bank', title: 'Bank', steps: { a: { title: 'A', sensitive: ['iban'] } } })

  test('is opened only where what is stored is encrypted, and stores nothing else', async () => {
    const { store, writes } = watched()
    const open = (encryption?: Encryption) => page(store, encryption, { flows: [flow] as never })
    expect(await codeOf(open().open('bank' as never))).toBe('encryption-needed')
    expect(await codeOf(open().start('bank' as never))).toBe('encryption-needed')
    expect(writes).toEqual([])
    expect(await codeOf(open(host(1)).open('bank' as never))).toBe('resolved')
  })
})

describe('rotate', () => {
  test('puts everything under another key, while sessions are open', async () => {
    const store = durableStore()
    const waymark = page(store, { passphrase: 'old' })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    await session.saved('device')
    await waymark.rotate({ passphrase: 'new' })
    session.set('applicant', { joint: false })
    await session.saved('strict')
    expect(await codeOf(page(store, { passphrase: 'old' }).open('mortgage'))).toBe('key-wrong')
    const again = await page(store, { passphrase: 'new' }).open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada', joint: false } })
  })

  test('needs something that is encrypted', async () => {
    expect(await codeOf(page(durableStore()).rotate(host(1)))).toBe('encryption-needed')
  })
})
