import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page, errors } = preparePages()

/** A server that refuses whatever names anyone Eve. */
function judging() {
  const inner = memoryBackend()
  const backend: Backend = {
    async exchange(items, options) {
      const bad = items.findIndex(
        (item) => item.type === 'push' && JSON.stringify(item.changed).includes('Eve'),
      )
      const rest = items.filter((_, i) => i !== bad)
      const outcome = await inner.exchange(rest, options)
      if (bad < 0 || outcome.type !== 'answered') return outcome
      const outcomes = [...outcome.outcomes]
      outcomes.splice(bad, 0, {
        type: 'rejected',
        session: items[bad]!.session,
        reason: 'answers-invalid',
        issues: [{ step: 'applicant', path: '/name', message: 'Not allowed.' }],
      })
      return { ...outcome, outcomes }
    },
  }
  return { backend, inner }
}

async function refusedSession() {
  const clock = createFakeClock()
  const { backend, inner } = judging()
  const store = durableStore()
  const waymark = page({ store, clock, backend, account: 'u1' })
  const session = await waymark.open('mortgage')
  session.set('applicant', { name: 'Ada', joint: true })
  await session.next()
  await clock.advance(5_000)
  session.set('applicant', { name: 'Eve' })
  session.set('partner', { name: 'Charles' })
  session.commit()
  await clock.advance(5_000)
  expect(session.parked).toMatchObject({ reason: 'answers-invalid', issues: [{ path: '/name' }] })
  return { clock, inner, store, waymark, session }
}

describe('what the server refused', () => {
  test('is sent again by retry(), which tells how it ended', async () => {
    const { clock, session } = await refusedSession()
    const again = session.retry()
    await clock.advance(5_000)
    expect(await again).toEqual({ type: 'not-sent', reason: 'answers-invalid' })
    session.set('applicant', { name: 'Augusta' })
    const mended = session.retry()
    await clock.advance(5_000)
    expect(await mended).toEqual({ type: 'saved' })
    expect(session.parked).toBeUndefined()
  })

  test('is given up by discard(): the answers are what the server has, what was refused stays in the history', async () => {
    const { clock, inner, session } = await refusedSession()
    session.set('notes', { text: 'typed since' })
    const discarded = session.discard()
    await clock.advance(5_000)
    expect(await discarded).toEqual({ type: 'saved' })
    const all = { applicant: { name: 'Ada', joint: true } }
    expect(session.getSnapshot()).toMatchObject({
      answers: all,
      step: 'partner',
      finished: { applicant: 'valid' },
    })
    expect(session.getSnapshot().answers).toEqual(all)
    expect(session.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    expect(JSON.stringify(await session.history())).toContain('Eve')
    expect(inner.snapshot('u1', session.id)?.steps).toMatchObject({
      applicant: '{"joint":true,"name":"Ada"}',
    })
    expect(await session.verify()).toMatchObject({ type: 'whole' })
  })

  test('is refused no more once it was given up, also offline, in every tab', async () => {
    const { clock, store, inner, session } = await refusedSession()
    inner.goOffline()
    const discarded = session.discard()
    await clock.advance(100)
    expect(await discarded).toEqual({ type: 'saved' })
    expect(session.status.getSnapshot()).toMatchObject({ saved: { server: 'pending' }, parked: undefined })
    const other = await page({ store, clock, backend: inner, account: 'u1' }).open('mortgage')
    await clock.advance(100)
    expect(other.parked).toBeUndefined()
    inner.goOnline()
    await clock.advance(120_000)
    expect(session.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
  })

  test('is still refused, and can still be given up, after a reload; other sessions went on', async () => {
    const { clock, store, waymark, inner, session } = await refusedSession()
    const other = await waymark.open('mortgage', { key: 'other' })
    other.set('notes', { text: 'fine' })
    other.commit()
    await clock.advance(5_000)
    expect(other.status.getSnapshot().saved.server).toBe('yes')
    await waymark.close()
    const later = page({ store, clock, backend: inner, account: 'u1', isSyncing: false })
    const again = await later.open('mortgage')
    await clock.advance(100)
    expect(again.parked).toMatchObject({ reason: 'answers-invalid' })
    later.sync.start()
    const discarded = again.discard()
    await clock.advance(5_000)
    expect(await discarded).toEqual({ type: 'saved' })
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'Ada', joint: true } })
    expect(again.id).toBe(session.id)
  })

  test('nothing is discarded where nothing was refused', async () => {
    const clock = createFakeClock()
    const session = await page({ clock, backend: memoryBackend(), account: 'u1' }).open('mortgage')
    session.set('notes', { text: 'kept' })
    const outcome = session.discard()
    await clock.advance(5_000)
    expect(await outcome).toEqual({ type: 'saved' })
    expect(session.getSnapshot().answers).toEqual({ notes: { text: 'kept' } })
  })
})

describe('what could not be read', () => {
  test('is listed with its bytes, where it lay and why', async () => {
    const store = durableStore()
    const clock = createFakeClock()
    const first = await page({ store, clock }).open('mortgage')
    first.set('notes', { text: 'secret' })
    first.commit()
    await first.saved('device')
    await first.close()
    const [rows = []] = await store.read([{ store: 'journal', prefix: [first.id, 0] }])
    const spoilt = { ...(rows[0] as { p: string }), p: '[cut' }
    await store.write({
      durability: 'relaxed',
      put: [{ store: 'journal', key: [first.id, 0], value: spoilt }],
    })
    const again = await page({ store, clock }).open('mortgage')
    await clock.advance(100)
    expect(await again.quarantined()).toEqual([
      { place: 'entry/0', reason: expect.any(String), at: expect.any(Number), row: spoilt },
    ])
    expect(errors.splice(0).every((error) => isWaymarkError(error, 'record-unreadable'))).toBe(true)
  })
})
