import { expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device } from '../sync/device.ts'

test('progress is never ahead of the status for whoever listens to the status', async () => {
  const clock = createFakeClock()
  const backend = memoryBackend()
  const [one, other] = [device({ clock, backend }).waymark, device({ clock, backend }).waymark]
  const session = await one.open('mortgage')
  const heard: (readonly [number, string])[] = []
  session.status.subscribe(() => {
    heard.push([session.getSnapshot().progress.fraction, session.status.getSnapshot().saved.server])
  })
  // Typed where nothing is known of the end: it comes late, and is merged here after the end was received.
  other.sync.stop()
  const late = await other.open('mortgage')
  late.set('notes', { late: true })
  late.commit()
  session.set('applicant', { name: 'Ada', joint: false })
  for (const step of ['applicant', 'incomes'] as const) {
    expect(session.getSnapshot().step).toBe(step)
    await session.next()
  }
  await session.skip()
  await session.next()
  await clock.advance(5_000)
  other.sync.start()
  await clock.advance(5_000)
  await one.sync.now()
  await clock.advance(60_000)
  expect(heard.filter(([fraction, server]) => fraction === 1 && server !== 'yes')).toEqual([])
  expect(heard.at(-1)).toEqual([1, 'yes'])
})
