import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device, synced } from './device.ts'

async function afterLostReply() {
  const clock = createFakeClock()
  const backend = memoryBackend()
  const session = await device({ clock, backend }).waymark.open('mortgage')
  session.set('notes', { t: 'a' })
  session.commit()
  await clock.advance(5_000)
  expect(session.status.getSnapshot().saved).toEqual(synced)
  backend.loseReplies(1)
  session.set('notes', { t: 'b' })
  session.commit()
  await clock.advance(900)
  return { clock, backend, session }
}

describe('a lost reply', () => {
  test('does not undo a change back to the first value', async () => {
    const { clock, session } = await afterLostReply()
    session.set('notes', { t: 'a' })
    session.commit()
    await clock.advance(30_000)
    expect(session.getSnapshot().answers.notes).toEqual({ t: 'a' })
    expect(session.status.getSnapshot().saved).toEqual(synced)
  })

  test('makes no conflict of a person with herself', async () => {
    const { clock, backend, session } = await afterLostReply()
    session.set('notes', { t: 'c' })
    session.commit()
    await clock.advance(30_000)
    expect(session.getSnapshot().answers.notes).toEqual({ t: 'c' })
    expect(session.conflicts).toEqual([])
    expect(backend.snapshot('u1', session.id)?.steps).toMatchObject({ notes: '{"t":"c"}' })
  })

  test('leaves a change of another device in place, and the own one beside it', async () => {
    const { clock, backend, session } = await afterLostReply()
    const other = await device({ clock, backend }).waymark.open('mortgage')
    await clock.advance(5_000)
    other.set('notes', { t: 'theirs' })
    other.commit()
    await clock.advance(5_000)
    session.set('applicant', { name: 'Ada' })
    session.commit()
    await clock.advance(30_000)
    expect(session.getSnapshot().answers).toEqual({ notes: { t: 'theirs' }, applicant: { name: 'Ada' } })
    expect(session.conflicts).toEqual([])
    expect(session.status.getSnapshot().saved).toEqual(synced)
  })
})
