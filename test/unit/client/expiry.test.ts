import { beforeAll, describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { createWaymark, type WaymarkOptions } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore } from '../../support/pages.ts'

// Sync is loaded behind the first paint; with its module in the cache a few promise turns are enough.
beforeAll(() => import('../../../src/sync/sync.ts'))

const hour = 3_600_000
const flow = defineFlow({
  id: 'claim',
  title: 'Claim',
  expiry: { afterMs: 24 * hour, warnMs: 2 * hour },
  steps: { one: { title: 'One' }, two: { title: 'Two' } },
})

function rig(options: Partial<WaymarkOptions<typeof flow>> = {}) {
  const clock = createFakeClock()
  const store = durableStore()
  const page = () =>
    createWaymark({ flows: [flow], store, clock, namespace: `e-${Math.random()}`, ...options })
  return { clock, store, page }
}

describe('a session that expires', () => {
  test('warns before, ends after so long without a change, and keeps what was entered', async () => {
    const { clock, page } = rig()
    const waymark = page()
    const session = await waymark.open('claim')
    const warned: number[] = []
    session.on('expiring', ({ at }) => warned.push(at))
    session.set('one', { a: 1 })
    const typedAt = clock.now()
    await clock.advance(21 * hour)
    expect(warned).toEqual([])
    expect(await waymark.resumable()).toMatchObject([{ expiresAt: expect.any(Number) }])
    const [listed] = await waymark.resumable()
    expect(Math.abs(listed!.expiresAt! - (typedAt + 24 * hour))).toBeLessThan(60_000)
    await clock.advance(2 * hour)
    expect(warned).toEqual([typedAt + 24 * hour])
    expect(session.getSnapshot()).toMatchObject({ status: 'running', expiresAt: typedAt + 24 * hour })
    await clock.advance(2 * hour)
    expect(session.getSnapshot()).toMatchObject({ status: 'expired', answers: { one: { a: 1 } } })
    expect(await waymark.resumable()).toEqual([])
    await waymark.close()
  })

  test('any change, and extend(), put it off', async () => {
    const { clock, page } = rig()
    const waymark = page()
    const session = await waymark.open('claim')
    session.set('one', { a: 1 })
    await clock.advance(23 * hour)
    session.set('one', { a: 2 })
    await clock.advance(23 * hour)
    expect(session.getSnapshot().status).toBe('running')
    await session.extend()
    const { expiresAt } = session.getSnapshot()
    expect(expiresAt).toBe(clock.now() + 24 * hour)
    await clock.advance(23 * hour)
    expect(session.getSnapshot().status).toBe('running')
    await clock.advance(2 * hour)
    expect(session.getSnapshot().status).toBe('expired')
    await waymark.close()
  })

  test('what another tab does puts it off too', async () => {
    const { clock, page } = rig({ namespace: `e-${Math.random()}` })
    const [a, b] = [page(), page()]
    const here = await a.open('claim')
    here.set('one', { a: 1 })
    const there = await b.open('claim')
    await clock.advance(23 * hour)
    there.set('one', { a: 2 })
    there.commit()
    await clock.advance(2 * hour)
    expect(here.getSnapshot().status).toBe('running')
    expect(there.getSnapshot().status).toBe('running')
    await Promise.all([a.close(), b.close()])
  })

  test('that nobody had open is over when it is looked for, and open() begins another', async () => {
    const { clock, page } = rig()
    const first = page()
    const before = await first.open('claim')
    before.set('one', { a: 1 })
    await first.close()
    await clock.advance(25 * hour)
    const later = page()
    expect(await later.resumable()).toEqual([])
    const fresh = await later.open('claim')
    expect(fresh.id).not.toBe(before.id)
    expect(fresh.getSnapshot().answers).toEqual({})
    const old = await later.resume(before.id)
    expect(old.getSnapshot()).toMatchObject({ status: 'expired', answers: { one: { a: 1 } } })
    await later.close()
  })

  test('an untouched one never expires, and one without expiry says nothing', async () => {
    const { clock, page } = rig()
    const waymark = page()
    const session = await waymark.open('claim')
    await clock.advance(48 * hour)
    expect(session.getSnapshot()).toMatchObject({ status: 'pending' })
    expect(session.getSnapshot().expiresAt).toBeUndefined()
    await waymark.close()
  })

  test('a definition that warns too late is refused', () => {
    const define = (expiry: object) => () =>
      defineFlow({ id: 'f', title: 'F', steps: { a: { title: 'A' } }, expiry } as never)
    for (const expiry of [{ afterMs: 0 }, { afterMs: 10, warnMs: 10 }, { warnMs: 1 }, { afterMs: 'x' }]) {
      expect(define(expiry)).toThrow(expect.toSatisfy((error) => isWaymarkError(error, 'flow-invalid')))
    }
  })
})

describe('tidy()', () => {
  async function three(options: Partial<WaymarkOptions<typeof flow>> = {}) {
    const made = rig(options)
    const waymark = made.page()
    const open = async (key: string) => {
      const session = await waymark.open('claim', { key })
      session.set('one', { key })
      session.commit()
      await session.saved('device')
      return session
    }
    const [running, done, abandoned] = [await open('running'), await open('done'), await open('abandoned')]
    await done.next()
    await done.next()
    await made.clock.advance(1_000)
    await abandoned.abandon()
    const ids = { running: running.id, done: done.id, abandoned: abandoned.id }
    for (const session of [done, abandoned]) await session.close()
    await made.clock.advance(10_000)
    return { ...made, waymark, ids }
  }

  test('removes what is over and received, says what and why not, and leaves the rest', async () => {
    const backend = memoryBackend()
    const { waymark, ids, clock } = await three({ backend, account: 'u1' })
    const early = await waymark.tidy({ olderThanMs: hour })
    expect(early).toMatchObject({
      removed: [],
      kept: expect.arrayContaining([{ id: ids.done, reason: 'recent' }]),
    })
    await clock.advance(2 * hour)
    const report = await waymark.tidy({ olderThanMs: hour })
    expect(report.removed.map(({ id }) => id).sort()).toEqual([ids.done, ids.abandoned].sort())
    expect(report.kept).toEqual([{ id: ids.running, reason: 'running' }])
    expect(report.removed.every(({ length }) => length > 0)).toBe(true)
    expect(report.lengthAfter).toBeLessThan(report.lengthBefore)
    expect((await waymark.resumable()).map(({ id }) => id)).toEqual([ids.running])
    await waymark.close()
  })

  test('removes nothing the server has not received, unless told to', async () => {
    const backend = memoryBackend()
    backend.goOffline()
    const { waymark, ids, clock } = await three({ backend, account: 'u1' })
    await clock.advance(2 * hour)
    const kept = await waymark.tidy({ olderThanMs: hour })
    expect(kept.removed).toEqual([])
    expect(kept.kept).toContainEqual({ id: ids.done, reason: 'unsent' })
    const told = await waymark.tidy({ olderThanMs: hour, withUnsent: [ids.done] })
    expect(told.removed.map(({ id }) => id)).toEqual([ids.done])
    expect(told.kept).toContainEqual({ id: ids.abandoned, reason: 'unsent' })
    await waymark.close()
  })

  test('keeps what was changed elsewhere after the end, until somebody has decided', async () => {
    const backend = memoryBackend()
    const { waymark, ids, clock } = await three({ backend, account: 'u1' })
    const other = createWaymark({
      ...{ flows: [flow], clock, backend, account: 'u1', namespace: `e-${Math.random()}` },
      store: durableStore(),
      isSyncing: false,
    })
    const elsewhere = await other.open('claim', { key: 'done' })
    elsewhere.set('two', { late: true })
    elsewhere.commit()
    await elsewhere.saved('device')
    other.sync.start()
    await clock.advance(60_000)
    await waymark.sync.now()
    const mine = await waymark.resume(ids.done)
    await clock.advance(60_000)
    expect(mine.fork?.answers).toMatchObject({ two: { late: true } })
    await mine.close()
    await clock.advance(2 * hour)
    const report = await waymark.tidy({ olderThanMs: hour })
    expect(report.kept).toContainEqual({ id: ids.done, reason: 'undecided' })
    await Promise.all([waymark.close(), other.close()])
  })

  test('within a budget it removes the oldest first, and no more than it must', async () => {
    const backend = memoryBackend()
    const { waymark, ids, clock } = await three({ backend, account: 'u1' })
    await clock.advance(2 * hour)
    const all = await waymark.tidy({ olderThanMs: hour, maxLength: Number.POSITIVE_INFINITY })
    expect(all.removed).toEqual([])
    const one = await waymark.tidy({ olderThanMs: hour, maxLength: all.lengthBefore - 1 })
    expect(one.removed.map(({ id }) => id)).toEqual([ids.done])
    expect(one.kept).toContainEqual({ id: ids.abandoned, reason: 'within-budget' })
    await waymark.close()
  })
})
