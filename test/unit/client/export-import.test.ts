import { describe, expect, test, vi } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { WaymarkOptions } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Session } from '../../../src/session/session.ts'
import { toStorageError } from '../../../src/store/storage-error.ts'
import type { Store, Write } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { durableStore, type Mortgage, preparePages } from '../../support/pages.ts'
import { everythingIn } from '../../support/searching.ts'

const pages = preparePages()
const { errors } = pages
const encryption = { key: new Uint8Array(32).fill(1) }
const page = (more: Partial<WaymarkOptions<Mortgage>> = {}) => pages.page({ account: 'u1', ...more })

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => 'resolved',
    (thrown: unknown) => thrown,
  )
  return isWaymarkError(error) ? error.code : String(error)
}

/** A session walked through to the notes, over two pages. */
async function walked(store = durableStore()) {
  const first = page({ store })
  const begun = await first.open('mortgage', { key: 'case' })
  begun.set('applicant', { name: 'Ada 😀 \u0000', joint: false })
  await begun.next()
  await first.close()
  const waymark = page({ store })
  const session = await waymark.open('mortgage', { key: 'case' })
  session.add('incomes', { source: 'Work', amount: 10 })
  await session.next()
  return { store, waymark, session }
}

const told = (session: Session<Mortgage>) => {
  const { answers, finished, step, status } = session.getSnapshot()
  return { answers, finished, step, status }
}

describe('a file of sessions', () => {
  for (const passphrase of [undefined, 'long and winding']) {
    test(`brings a session to another device whole, ${passphrase ? 'sealed' : 'plain'}`, async () => {
      const { waymark, session } = await walked()
      const given = passphrase === undefined ? {} : { passphrase }
      const file = await waymark.export(given)
      expect((await file.text()).includes('Ada')).toBe(passphrase === undefined)
      const other = page()
      expect(await other.import(file, given)).toEqual([{ session: session.id, type: 'imported' }])
      expect(await other.resumable()).toMatchObject([{ id: session.id, key: 'case', step: { id: 'notes' } }])
      const again = await other.open('mortgage', { key: 'case' })
      expect(again.id).toBe(session.id)
      expect(told(again)).toEqual(told(session))
      expect((await again.history()).map(({ hash }) => hash)).toEqual(
        (await session.history()).map(({ hash }) => hash),
      )
      expect(await again.verify()).toMatchObject({ type: 'whole' })
      again.set('notes', { text: 'goes on' })
      expect((await again.next()).type).toBe('moved')
    })
  }

  test('that is sealed opens with its passphrase only', async () => {
    const { waymark } = await walked()
    const file = await waymark.export({ passphrase: 'right' })
    const store = durableStore()
    const other = page({ store })
    expect(await codeOf(other.import(file))).toBe('key-wrong')
    expect(await codeOf(other.import(file, { passphrase: 'wrong' }))).toBe('key-wrong')
    expect(await everythingIn(store)).toBe('')
    expect(await other.import(file, { passphrase: 'right' })).toMatchObject([{ type: 'imported' }])
  })

  test('of one session holds that one, of all holds those of this account', async () => {
    const { store, waymark, session } = await walked()
    await (await waymark.open('mortgage', { key: 'untouched' })).close()
    const second = await waymark.open('mortgage', { key: 'second' })
    second.set('applicant', { name: 'Second' })
    await waymark.setAccount('u2')
    const others = await waymark.open('mortgage')
    others.set('applicant', { name: 'Other' })
    await others.saved('device')
    await waymark.setAccount('u1')
    const read = await page().import(await waymark.export())
    expect(read.map((outcome) => outcome.session).sort()).toEqual([session.id, second.id].sort())
    const again = await page({ store }).open('mortgage', { key: 'second' })
    expect(await page().import(await again.export())).toEqual([{ session: second.id, type: 'imported' }])
  })

  test('holds what was typed a moment ago, and what a page that was killed had typed', async () => {
    const { store, session } = await walked()
    session.set('notes', { killed: 'typed there' })
    await session.saved('device')
    const waymark = page({ store })
    const here = await waymark.open('mortgage', { key: 'case' })
    here.set('notes', { moment: 'typed here' })
    const other = page()
    await other.import(await waymark.export())
    const again = await other.open('mortgage', { key: 'case' })
    expect(again.getSnapshot().answers.notes).toEqual({ killed: 'typed there', moment: 'typed here' })
    expect(await again.verify()).toMatchObject({ type: 'whole' })
  })

  test('holds what could not be stored', async () => {
    const memory = durableStore()
    let isFull = false
    const write = async (one: Write) => {
      if (isFull) throw toStorageError(new DOMException('x', 'QuotaExceededError'), 'use')
      return memory.write(one)
    }
    const waymark = page({ store: { ...memory, write } })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    await session.saved('device')
    isFull = true
    session.set('applicant', { joint: true })
    session.set('notes', { text: 'nowhere yet' })
    const unbegun = await waymark.open('mortgage', { key: 'begun on a full disk' })
    unbegun.set('applicant', { name: 'Eve' })
    await settle()
    const file = await waymark.export()
    isFull = false
    const other = page()
    expect(await other.import(file)).toMatchObject([{ type: 'imported' }])
    expect(await other.import(await unbegun.export())).toMatchObject([{ type: 'imported' }])
    const [again, begun] = [await other.open('mortgage'), await other.open('mortgage', { key: unbegun.key })]
    expect(again.getSnapshot().answers).toEqual({
      applicant: { name: 'Ada', joint: true },
      notes: { text: 'nowhere yet' },
    })
    expect(begun.getSnapshot().answers).toEqual({ applicant: { name: 'Eve' } })
    // On the device itself it says it all again, over the same entries.
    const here = page({ store: memory })
    expect(await here.import(file)).toMatchObject([{ type: 'imported' }])
    expect((await here.open('mortgage')).getSnapshot().answers).toEqual(again.getSnapshot().answers)
  })

  test('holds what a damaged entry said where a checkpoint remembers it, and its bytes', async () => {
    const { store, session } = await walked()
    const clock = createFakeClock()
    const first = page({ store, clock })
    const open = await first.open('mortgage', { key: 'case' })
    open.set('notes', { text: 'x' })
    await open.next()
    await clock.advance(500)
    await first.close()
    const [rows] = await store.read([{ store: 'journal', prefix: [session.id, 0] }])
    const damaged = { ...(rows![0] as object), p: '[]' }
    await store.write({
      durability: 'strict',
      put: [{ store: 'journal', key: [session.id, 0], value: damaged }],
    })
    const waymark = page({ store })
    await (await waymark.open('mortgage', { key: 'case' })).verify()
    const there = durableStore()
    const other = page({ store: there })
    expect(await other.import(await waymark.export())).toMatchObject([{ type: 'imported' }])
    const again = await other.open('mortgage', { key: 'case' })
    expect(again.getSnapshot().answers.applicant).toEqual({ name: 'Ada 😀 \u0000', joint: false })
    const [aside] = await there.read([{ store: 'quarantine', prefix: [session.id, 'entry/0'] }])
    expect(aside).toMatchObject([{ row: damaged }])
    await settle()
    errors.length = 0
  })
})

describe('import', () => {
  test('a second time finds everything here, and writes nothing', async () => {
    const { waymark, store } = await walked()
    const file = await waymark.export()
    const before = await everythingIn(store)
    expect(await waymark.import(file)).toMatchObject([{ type: 'already-here' }])
    expect(await everythingIn(store)).toBe(before)
  })

  test('never puts an older copy over a newer session', async () => {
    const { waymark, session, store } = await walked()
    const file = await waymark.export()
    session.set('notes', { text: 'newer' })
    await session.next()
    const before = await everythingIn(store)
    expect(await waymark.import(file)).toMatchObject([{ type: 'newer-here' }])
    expect(await everythingIn(store)).toBe(before)
  })

  test('leaves a session alone that went on here and there', async () => {
    const { waymark, session } = await walked()
    const store = durableStore()
    const other = page({ store })
    await other.import(await waymark.export())
    const there = await other.open('mortgage', { key: 'case' })
    there.set('notes', { text: 'there' })
    await there.next()
    session.set('notes', { text: 'here' })
    await session.next()
    const before = await everythingIn(store)
    expect(await other.import(await waymark.export())).toMatchObject([{ type: 'diverged' }])
    expect(await everythingIn(store)).toBe(before)
  })

  test('brings a session that is behind here up to date, also where it is open', async () => {
    const { waymark, session } = await walked()
    const clock = createFakeClock()
    const store = durableStore()
    // Tabs of another browser: they hear of nothing that is stored in the first.
    const there = { store, clock, namespace: 'another-browser' }
    const [other, tab] = [page(there), page(there)]
    await other.import(await waymark.export())
    const [open, beside] = await Promise.all([other, tab].map((one) => one.open('mortgage', { key: 'case' })))
    session.set('notes', { text: 'later' })
    await session.next()
    expect(await other.import(await waymark.export())).toMatchObject([{ type: 'imported' }])
    await clock.advance(100)
    for (const one of [open!, beside!])
      expect(one.getSnapshot().answers).toEqual(session.getSnapshot().answers)
    expect(await open!.verify()).toMatchObject({ type: 'whole' })
  })

  test('brings back a session that was removed here', async () => {
    const { waymark, session } = await walked()
    const file = await waymark.export()
    const before = told(session)
    await waymark.remove(session.id)
    expect(await waymark.resumable()).toEqual([])
    expect(await waymark.import(file)).toMatchObject([{ type: 'imported' }])
    expect(told((await waymark.resume(session.id)) as never)).toEqual(before)
  })

  test('by two tabs at once happens once', async () => {
    const { waymark } = await walked()
    const file = await waymark.export()
    const store = durableStore()
    const outcomes = await Promise.all([page({ store }), page({ store })].map((tab) => tab.import(file)))
    expect(
      outcomes
        .flat()
        .map(({ type }) => type)
        .sort(),
    ).toEqual(['already-here', 'imported'])
    expect(await (await page({ store }).open('mortgage', { key: 'case' })).verify()).toMatchObject({
      type: 'whole',
    })
  })

  test('takes sessions of another account only where asked to, and never one that is here under it', async () => {
    const { waymark, session, store } = await walked()
    const file = await waymark.export()
    const other = page({ account: 'u2' })
    expect(await other.import(file)).toMatchObject([{ type: 'other-account' }])
    expect(await other.resumable()).toEqual([])
    expect(await other.import(file, { isTakingOver: true })).toMatchObject([{ type: 'imported' }])
    expect(await other.resumable()).toMatchObject([{ id: session.id }])
    expect(await page({ account: 'u2' }).import(await other.export())).toMatchObject([{ type: 'imported' }])
    await other.setAccount('u1')
    expect(await other.resumable()).toEqual([])
    const beside = page({ store, account: 'u2' })
    expect(await beside.import(file, { isTakingOver: true })).toMatchObject([{ type: 'other-account' }])
  })

  test('stores sealed what is to be encrypted', async () => {
    const { waymark, session } = await walked()
    const store = durableStore()
    const other = page({ store, encryption })
    await other.import(await waymark.export())
    expect(await everythingIn(store)).not.toContain('Ada')
    expect(told(await other.open('mortgage', { key: 'case' }))).toEqual(told(session))
  })

  test('of a session the server has sends nothing twice', async () => {
    const [backend, clock] = [memoryBackend(), createFakeClock()]
    const first = page({ backend, clock })
    const session = await first.open('mortgage')
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    await clock.advance(3_000)
    const other = page({ backend, clock })
    await other.import(await first.export())
    const there = await other.open('mortgage')
    there.set('notes', { text: 'there' })
    there.commit()
    await clock.advance(5_000)
    expect(there.status.getSnapshot().saved.server).toBe('yes')
    await first.sync.now()
    await clock.advance(5_000)
    expect(session.getSnapshot().answers).toEqual({
      applicant: { name: 'Ada', joint: false },
      notes: { text: 'there' },
    })
    expect(session.status.getSnapshot().conflicts).toBe(0)
  })

  test('and export say so where their code does not load', async () => {
    vi.doMock('../../../src/client/portability.ts', () => {
      throw new TypeError('Failed to fetch dynamically imported module')
    })
    try {
      expect(await codeOf(page().export())).toBe('chunk-unavailable')
      expect(await codeOf(page().import('{}'))).toBe('chunk-unavailable')
    } finally {
      vi.doUnmock('../../../src/client/portability.ts')
    }
  })
})

describe('sensitive answers', () => {
  const bank = defineFlow({
    id: 'bank',
    title: 'Bank',
    steps: {
      you: { title: 'You' },
      account: { title: 'Account', sensitive: ['iban'] },
      cards: { title: 'Cards', each: anything(), sensitive: ['pin'] },
      review: { title: 'Review' },
    },
  })
  function anything() {
    return { '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }) } }
  }
  const open = (store: Store = durableStore()) =>
    page({ store, encryption, flows: [bank] as never }) as never as ReturnType<typeof pages.page>
  const sessionOf = async (waymark: ReturnType<typeof open>) =>
    (await waymark.open('bank' as never)) as never as Session<typeof bank>

  async function filled() {
    const waymark = open()
    const session = await sessionOf(waymark)
    session.set('you', { name: 'Ada' })
    await session.next()
    session.set('account', { iban: 'PLANTED', holder: 'Ada' } as never)
    await session.next()
    session.add('cards', { name: 'Blue', pin: 'PLANTED' } as never)
    await session.next()
    return { waymark, session }
  }

  test('are left out of a plain export, everywhere; everything else is in it and verifies', async () => {
    const { waymark, session } = await filled()
    session.set('account', { iban: 'PLANTED AGAIN' } as never)
    const file = await waymark.export()
    expect(await file.text()).not.toContain('PLANTED')
    const other = open()
    expect(await other.import(file)).toMatchObject([{ type: 'imported' }])
    const again = await sessionOf(other)
    expect(again.getSnapshot().answers).toEqual({
      you: { name: 'Ada' },
      account: { holder: 'Ada' },
      cards: [{ key: expect.any(String), name: 'Blue' }],
    })
    // What it asks for again is not finished.
    expect(again.getSnapshot().finished).toEqual({ you: 'valid' })
    expect(await again.verify()).toMatchObject({ type: 'whole' })
  })

  test('are in one under a passphrase', async () => {
    const { waymark, session } = await filled()
    const other = open()
    await other.import(await waymark.export({ passphrase: 'p' }), { passphrase: 'p' })
    expect((await sessionOf(other)).getSnapshot().answers).toEqual(session.getSnapshot().answers)
  })

  test('are not taken away by a copy without them', async () => {
    const { waymark, session } = await filled()
    const file = await waymark.export()
    expect(await waymark.import(file)).toMatchObject([{ type: 'already-here' }])
    expect(session.getSnapshot().answers.account).toEqual({ iban: 'PLANTED', holder: 'Ada' })
    const store = durableStore()
    const behind = open(store)
    await behind.import(await waymark.export({ passphrase: 'p' }), { passphrase: 'p' })
    session.set('you', { name: 'Ada L' })
    session.commit()
    const before = await everythingIn(store)
    expect(await behind.import(await waymark.export())).toMatchObject([{ type: 'diverged' }])
    expect(await everythingIn(store)).toBe(before)
  })

  test('are not brought where nothing is encrypted', async () => {
    const { waymark } = await filled()
    const store = durableStore()
    const plain = page({ store, flows: [bank] as never })
    const file = await waymark.export({ passphrase: 'p' })
    expect(await plain.import(file, { passphrase: 'p' })).toMatchObject([
      { type: 'refused', reason: 'encryption-needed' },
    ])
    expect(await everythingIn(store)).toBe('')
  })

  test('cannot be told apart without the flow: then a passphrase is needed', async () => {
    const { store } = await walked()
    const without = page({ store, flows: [bank] as never })
    expect(await codeOf(without.export())).toBe('flow-unknown')
    const sealed = await without.export({ passphrase: 'p' })
    expect(await page().import(sealed, { passphrase: 'p' })).toMatchObject([{ type: 'imported' }])
  })
})
