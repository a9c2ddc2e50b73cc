import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

describe('createWaymark', () => {
  test('walks the whole journey and ends complete', async () => {
    const waymark = page()
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada', joint: true })
    expect(await session.next()).toMatchObject({
      type: 'moved',
      step: 'partner',
      saved: { device: 'strict' },
    })
    expect(await session.next()).toMatchObject({
      type: 'invalid',
      step: 'partner',
      issues: [{ path: '/name' }],
    })
    session.set('partner', { name: 'Charles' })
    expect(session.getSnapshot().issues).toEqual([])
    expect(await session.next()).toMatchObject({ type: 'moved', step: 'incomes' })
    const key = session.add('incomes', { source: 'Work', amount: 10 })
    session.change('incomes', key, { amount: 12 })
    expect(await session.next()).toMatchObject({ step: 'notes' })
    expect(await session.skip()).toMatchObject({ type: 'moved', step: 'review' })
    expect(session.getSnapshot().progress.fraction).toBeLessThan(1)
    expect(await session.next()).toMatchObject({
      type: 'completed',
      saved: { device: 'strict', server: 'none' },
    })
    expect(session.getSnapshot()).toMatchObject({
      status: 'done',
      answers: { incomes: [{ key, source: 'Work', amount: 12 }] },
      submitted: ['applicant', 'partner', 'incomes', 'notes', 'review'],
    })
    expect(await waymark.resumable()).toEqual([])
  })

  test('opens the same session for the same key on another page, with the typing in it', async () => {
    const store = durableStore()
    const first = page({ store })
    const a = await first.open('mortgage', { key: 'x' })
    a.set('applicant', { name: 'Ad' })
    await settle()
    const second = page({ store })
    const b = await second.open('mortgage', { key: 'x' })
    expect(b.id).toBe(a.id)
    expect(b.getSnapshot().answers.applicant).toEqual({ name: 'Ad' })
    expect(await second.resumable()).toMatchObject([
      { id: a.id, step: { id: 'applicant', title: 'About you' } },
    ])
  })

  test('stores nothing before the first change', async () => {
    const store = durableStore()
    const waymark = page({ store })
    await waymark.open('mortgage')
    await settle()
    expect(await waymark.resumable()).toEqual([])
    expect(await store.read([{ store: 'journal', prefix: [] }])).toEqual([[]])
  })

  test('shows typing of one tab in the other and keeps each on its own step', async () => {
    const store = durableStore()
    const clock = createFakeClock()
    const a = await page({ store, clock }).open('mortgage')
    a.set('applicant', { name: 'Ada', joint: false })
    await a.next()
    const b = await page({ store, clock }).open('mortgage')
    expect(b.getSnapshot().step).toBe('incomes')
    await b.back()
    expect(b.getSnapshot().step).toBe('applicant')
    a.add('incomes', { source: 'Work', amount: 1 })
    await clock.advance(50)
    expect(b.getSnapshot()).toMatchObject({ step: 'applicant', answers: { incomes: [{ source: 'Work' }] } })
    b.set('applicant', { name: 'Ada L' })
    a.set('notes', { text: 'both type' })
    await clock.advance(50)
    expect(a.getSnapshot().answers).toMatchObject({
      applicant: { name: 'Ada L' },
      notes: { text: 'both type' },
    })
    expect(a.getSnapshot().step).toBe('incomes')
    expect(b.getSnapshot().answers).toEqual(a.getSnapshot().answers)
  })

  test('syncs, says so, and another device goes on from there', async () => {
    const backend = memoryBackend()
    const clock = createFakeClock()
    const a = await page({ account: 'u1', backend, clock }).open('mortgage')
    a.set('applicant', { name: 'Ada', joint: false })
    await a.next()
    expect(a.status.getSnapshot().saved.server).toBe('pending')
    await clock.advance(2_000)
    expect(a.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, sync: { state: 'idle' } })

    const other = page({ account: 'u1', backend, clock, namespace: 'phone' })
    const b = await other.open('mortgage')
    await clock.advance(2_000)
    expect(b.id).toBe(a.id)
    expect(b.getSnapshot()).toMatchObject({
      step: 'incomes',
      answers: { applicant: { name: 'Ada', joint: false } },
    })
    expect(b.status.getSnapshot().saved.server).toBe('yes')
    b.add('incomes', { source: 'Work', amount: 1 })
    a.set('applicant', { name: 'Ada Lovelace' })
    await clock.advance(20_000)
    await a.saved('server')
    await b.saved('server')
    await clock.advance(5_000)
    await a.saved('server')
    const both = { applicant: { name: 'Ada Lovelace', joint: false }, incomes: [{ source: 'Work' }] }
    expect(backend.snapshot('u1', a.id)).toBeDefined()
    await other.sync.now()
    expect(b.getSnapshot().answers).toMatchObject(both)
    expect(a.getSnapshot().answers).toMatchObject(both)
    expect(backend.exchanges).toBeLessThan(30)
  })

  test('two devices that changed the same field keep the later and offer the other', async () => {
    const backend = memoryBackend()
    const clock = createFakeClock()
    const laptop = page({ account: 'u1', backend, clock })
    const a = await laptop.open('mortgage')
    a.set('notes', { text: 'start' })
    a.commit()
    await clock.advance(2_000)
    const phone = page({ account: 'u1', backend, clock, namespace: 'phone' })
    const b = await phone.open('mortgage')
    await clock.advance(2_000)
    backend.goOffline()
    a.set('notes', { text: 'laptop' })
    a.commit()
    await clock.advance(1_000)
    b.set('notes', { text: 'phone' })
    b.commit()
    await clock.advance(1_000)
    backend.goOnline()
    for (let i = 0; i < 4; i++) {
      await laptop.sync.now()
      await clock.advance(2_000)
      await phone.sync.now()
      await clock.advance(2_000)
    }
    expect(a.getSnapshot().answers.notes).toEqual({ text: 'phone' })
    expect(b.getSnapshot().answers.notes).toEqual({ text: 'phone' })
    expect(a.conflicts).toMatchObject([{ step: 'notes', field: 'text', value: 'laptop', kept: 'phone' }])
    expect(b.conflicts).toEqual(a.conflicts)
    expect(a.status.getSnapshot().saved.server).toBe('yes')
    expect(b.status.getSnapshot().saved.server).toBe('yes')
    const quiet = backend.exchanges
    await clock.advance(120_000)
    expect(backend.exchanges).toBe(quiet)
  })

  test('an entry made while a pull is under way is sent all the same', async () => {
    const clock = createFakeClock()
    const backend = memoryBackend({ latencyMs: 500, clock })
    const a = await page({ account: 'u1', backend, clock }).open('mortgage')
    a.set('notes', { text: 'from a' })
    a.commit()
    await clock.advance(5_000)
    const b = await page({ account: 'u1', backend, clock, namespace: 'phone' }).open('mortgage')
    await clock.advance(1_000)
    const before = backend.exchanges
    b.set('applicant', { name: 'Ada', joint: false })
    b.commit()
    await clock.advance(20_000)
    expect(backend.exchanges).toBeGreaterThan(before)
    expect(b.getSnapshot().answers).toEqual({
      notes: { text: 'from a' },
      applicant: { name: 'Ada', joint: false },
    })
    expect(Object.keys(backend.snapshot('u1', b.id)?.steps ?? {})).toEqual(['notes', 'applicant'])
    expect(b.status.getSnapshot().saved.server).toBe('yes')
  })

  test('tells its history, goes back to any version, and proves what it stored', async () => {
    const store = durableStore()
    const clock = createFakeClock()
    const waymark = page({ store, clock })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    session.set('notes', { text: 'later' })
    session.commit()
    await session.saved('strict')
    await clock.advance(1_000)
    const history = await session.history()
    expect(history.map((entry) => entry.position)).toEqual([0, 1, 2])
    expect(history[1]?.changes?.map((change) => change.type)).toEqual(['set', 'finished', 'moved'])
    expect((await session.at(1)).answers).toEqual({ applicant: { name: 'Ada', joint: false } })
    expect((await session.at(-1)).answers).toEqual({})
    expect(await session.verify()).toEqual({ type: 'whole', entries: 3 })
    expect(await session.toState()).toMatchObject({
      id: session.id,
      version: 3,
      currentStep: 'incomes',
      status: 'running',
      checkpoints: [{ step: 'incomes', hash: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    })
    const [rows] = await store.read([{ store: 'journal', prefix: [session.id, 1] }])
    const row = rows?.[0] as { p: string }
    await store.write({
      durability: 'strict',
      put: [{ store: 'journal', key: [session.id, 1], value: { ...row, p: row.p.replace('Ada', 'Eve') } }],
    })
    expect(await session.verify()).toMatchObject({ type: 'broken', damage: [{ place: 'entry/1' }, {}] })
  })

  test('continues the session last saved, whatever its key, when asked to', async () => {
    const clock = createFakeClock()
    const waymark = page({ clock })
    const a = await waymark.open('mortgage', { key: 'one' })
    a.set('notes', { text: 'a' })
    await clock.advance(6_000)
    const b = await waymark.open('mortgage', { key: 'two' })
    b.set('notes', { text: 'b' })
    await clock.advance(6_000)
    expect((await waymark.open('mortgage', { resume: 'latest' })).id).toBe(b.id)
    await b.abandon()
    expect((await waymark.open('mortgage', { resume: 'latest' })).id).toBe(a.id)
  })

  test('keeps accounts apart', async () => {
    const store = durableStore()
    const backend = memoryBackend()
    const clock = createFakeClock()
    const waymark = page({ store, account: 'u1', backend, clock })
    const a = await waymark.open('mortgage')
    a.set('applicant', { name: 'Ada', joint: false })
    await a.next()
    await clock.advance(2_000)
    await waymark.setAccount('u2')
    expect(await waymark.resumable()).toEqual([])
    await expect(waymark.resume(a.id)).rejects.toSatisfy((error) => isWaymarkError(error, 'session-unknown'))
    const b = await waymark.open('mortgage')
    expect(b.id).not.toBe(a.id)
    expect(b.getSnapshot().answers).toEqual({})
    await clock.advance(2_000)
    expect(backend.sessions('u2')).toEqual([])
    expect(backend.sessions('u1')).toHaveLength(1)
  })

  test('holds back while offline, then sends everything once', async () => {
    const backend = memoryBackend()
    const clock = createFakeClock()
    const session = await page({ account: 'u1', backend, clock }).open('mortgage')
    backend.goOffline()
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    await clock.advance(5_000)
    expect(session.status.getSnapshot().saved).toEqual({ device: 'strict', server: 'pending' })
    expect(session.status.getSnapshot().sync?.failures).toBeGreaterThan(0)
    backend.goOnline()
    await clock.advance(61_000)
    expect(session.status.getSnapshot().saved.server).toBe('yes')
  })

  test('an answer larger than a change may be is refused with a code and nothing changes', async () => {
    const session = await page().open('mortgage')
    expect(() => session.set('notes', { text: 'x'.repeat(2_000_000) })).toThrowError(/over the limit/)
    expect(session.getSnapshot().answers).toEqual({})
  })

  test('refuses unknown flows and steps by code', async () => {
    const waymark = page()
    await expect(waymark.open('nothing' as never)).rejects.toSatisfy((e) => isWaymarkError(e, 'flow-unknown'))
    const session = await waymark.open('mortgage')
    expect(() => session.set('nowhere' as never, {} as never)).toThrowError(/nowhere/)
    await session.close()
    expect(() => session.set('notes', { a: 1 })).toThrowError(/closed/)
  })

  test('says at risk where nothing outlives the page', async () => {
    const session = await page({ store: createMemoryStore() }).open('mortgage')
    session.set('notes', { text: 'x' })
    await settle()
    expect(session.status.getSnapshot().saved).toMatchObject({
      device: 'no',
      atRisk: { code: 'storage-unavailable' },
    })
    expect(await session.saved('device')).toMatchObject({ type: 'at-risk' })
  })
})
