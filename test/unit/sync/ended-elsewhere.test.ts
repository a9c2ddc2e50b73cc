import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device } from './device.ts'

async function twoDevices() {
  const clock = createFakeClock()
  const backend = memoryBackend()
  const [pageA, pageB] = [device({ clock, backend }).waymark, device({ clock, backend }).waymark]
  const a = await pageA.open('mortgage')
  a.set('applicant', { name: 'Ada', joint: false })
  a.commit()
  await clock.advance(5_000)
  const b = await pageB.open('mortgage')
  await clock.advance(5_000)
  const finish = async (session: typeof a) => {
    for (let i = 0; i < 4; i++) await session.next()
    expect(session.getSnapshot().status).toBe('done')
  }
  return { clock, backend, pageA, pageB, a, b, finish }
}

describe('a session that ended on another device', () => {
  test('leaves nothing parked of what was entered meanwhile, and offers it on every device as a fork', async () => {
    const { clock, backend, pageA, pageB, a, b, finish } = await twoDevices()
    pageB.sync.stop()
    b.set('notes', { t: 'mine' })
    b.commit()
    await b.saved('device')
    await finish(a)
    await clock.advance(5_000)
    const steps = backend.snapshot('u1', a.id)?.steps
    pageB.sync.start()
    await clock.advance(60_000)
    expect(b.getSnapshot().status).toBe('done')
    expect(b.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    expect(backend.snapshot('u1', a.id)?.steps).toMatchObject({ ...steps })
    void pageA.open('mortgage')
    await clock.advance(5_000)
    for (const session of [a, b]) {
      expect(session.getSnapshot().answers).toEqual({ applicant: { name: 'Ada', joint: false } })
      expect(session.fork?.answers).toEqual({ ...session.getSnapshot().answers, notes: { t: 'mine' } })
      expect(session.conflicts).toMatchObject([{ step: 'notes', value: { t: 'mine' }, isLate: true }])
      expect(session.status.getSnapshot().conflicts).toBe(1)
    }
  })

  test('lets a fork be begun as a session of its own, and dismissed on every device', async () => {
    const { clock, pageA, pageB, a, b, finish } = await twoDevices()
    pageB.sync.stop()
    b.set('notes', { t: 'mine' })
    b.add('incomes', { source: 'Work', amount: 1 })
    await b.saved('device')
    await finish(a)
    await clock.advance(5_000)
    pageB.sync.start()
    await clock.advance(60_000)
    const { fork } = b
    expect(fork?.at).toBe(Math.max(...(fork?.conflicts.map(({ at }) => at) ?? [])))
    expect(() => b.resolve(fork!.conflicts[0]!.id, 'restore')).toThrow(
      expect.objectContaining({ code: 'session-ended' }),
    )
    const again = await pageB.start('mortgage', { answers: fork!.answers })
    expect(again.getSnapshot()).toMatchObject({ status: 'running', answers: fork!.answers })
    expect(again.id).not.toBe(b.id)
    for (const { id } of fork!.conflicts) b.resolve(id, 'keep')
    expect([b.conflicts, b.fork]).toEqual([[], undefined])
    await clock.advance(5_000)
    void pageA.open('mortgage')
    await clock.advance(5_000)
    expect([a.conflicts, a.fork]).toEqual([[], undefined])
    expect(a.getSnapshot().status).toBe('done')
  })

  test('ends as the server was told first, also where it was ended otherwise offline', async () => {
    const { clock, backend, pageA, a, b, finish } = await twoDevices()
    pageA.sync.stop()
    a.set('notes', { t: 'mine' })
    await finish(a)
    await b.abandon()
    await clock.advance(5_000)
    pageA.sync.start()
    await clock.advance(60_000)
    expect(a.getSnapshot().status).toBe('abandoned')
    expect(a.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    expect(a.conflicts).toMatchObject([{ step: 'notes', value: { t: 'mine' } }])
    expect(backend.snapshot('u1', a.id)?.meta.status).toBe('abandoned')
  })

  test('is the same on both, however small the parts are that its end is sent in', async () => {
    const clock = createFakeClock()
    const server = memoryBackend()
    let refusals = 12
    const narrow: Backend = {
      async exchange(items, options) {
        const isLong = items.some((item) => item.type === 'push' && item.entries.length > 1)
        if (!isLong || refusals === 0) return server.exchange(items, options)
        refusals -= 1
        return { type: 'refused', reason: 'HTTP 413', status: 413 }
      },
    }
    const here = device({ clock, backend: narrow, isSyncing: false }).waymark
    const there = device({ clock, backend: server }).waymark
    const [a, b] = [await here.open('mortgage'), await there.open('mortgage')]
    b.set('applicant', { name: 'Ada', joint: false })
    await b.next()
    b.set('incomes', [{ key: 'k', source: 'Work', amount: 1 }])
    await b.next()
    await clock.advance(10_000)
    a.set('applicant', { name: 'Bea' })
    await a.abandon()
    here.sync.start()
    await clock.advance(60_000)
    // What was parked as too large is sent again, now that it is not.
    refusals = 0
    await here.sync.now()
    await clock.advance(60_000)
    await there.sync.now()
    await clock.advance(60_000)
    const shown = ({ getSnapshot }: typeof a) => {
      const { status, answers, finished } = getSnapshot()
      return { status, answers, finished }
    }
    expect(shown(b)).toEqual(shown(a))
  })
})
