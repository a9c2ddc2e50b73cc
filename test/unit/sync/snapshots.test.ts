import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Theirs } from '../../../src/journal/batch.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import type { WireSnapshot } from '../../../src/protocol/wire.ts'
import { createBaseRows } from '../../../src/sync/base-row.ts'
import { mergeSnapshot, prepare } from '../../../src/sync/outbox.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { openTestJournal, set } from '../../support/journal-rig.ts'
import { device, disk } from './device.ts'

describe('a snapshot', () => {
  test('with a step named __proto__ gives the rest of it', async () => {
    const clock = createFakeClock()
    const inner = memoryBackend()
    const a = await device({ clock, backend: inner }).waymark.open('mortgage')
    a.set('notes', { t: 'a' })
    a.commit()
    await clock.advance(5_000)
    const backend: Backend = {
      async exchange(...call) {
        const answer = await inner.exchange(...call)
        if (answer.type !== 'answered') return answer
        const outcomes = answer.outcomes.map((outcome) => {
          if (outcome.type !== 'snapshot') return outcome
          const steps = Object.fromEntries([
            ...Object.entries(outcome.snapshot.steps),
            ['__proto__', '{"polluted":1}'],
          ])
          return { ...outcome, snapshot: { ...outcome.snapshot, steps } }
        })
        return { ...answer, outcomes }
      },
    }
    const { waymark, errors } = device({ clock, backend })
    const b = await waymark.open('mortgage')
    await clock.advance(5_000)
    const { answers } = b.getSnapshot()
    expect(answers).toEqual({ notes: { t: 'a' } })
    expect((answers as { polluted?: unknown }).polluted).toBeUndefined()
    expect(errors).toEqual([])
  })

  test('counts a stamp of a far future as five minutes ahead of the server, on both sides', async () => {
    const now = Date.UTC(2026, 0, 5, 9)
    const latest = (now + 300_000) * 1000
    const far = latest * 2
    const store = disk()
    const { journal, writer } = await openTestJournal({ store, clock: createFakeClock(far / 1000) })
    journal.append([set('notes', { t: 'mine' })], 'relaxed')
    await journal.settled()
    const bases = createBaseRows(store, 'u1')
    const sent = await prepare({ store, journal, key: 'k', bases, isPullWanted: false })
    let theirs: Theirs | undefined
    const merge = async (given: Theirs) => {
      theirs = given
      return true
    }
    const { flow, status, step, finished, visited } = journal.state
    const snapshot: WireSnapshot = {
      rev: '1-x',
      isWhole: true,
      meta: { flow, key: 'k', status, step, finished, visited },
      steps: { notes: '{"t":"theirs"}', applicant: '{}' },
      heads: {},
      at: far,
      stamps: { notes: { at: far, writer: 'w' }, applicant: { at: 5, writer: 'w' } },
    }
    const given = {
      store,
      journal: { ...journal, session: journal.session, merge },
      bases,
      sent: sent!,
      snapshot,
    }
    expect(await mergeSnapshot({ ...given, now })).toBe('merged')
    expect(theirs?.stampOf('notes', '/t')).toEqual({ at: latest, writer: 'w' })
    expect(theirs?.stampOf('applicant', '')).toEqual({ at: 5, writer: 'w' })
    expect(theirs?.ourStampOf('notes', '/t')).toEqual({ at: latest, writer })
    await mergeSnapshot(given)
    expect(theirs?.stampOf('notes', '/t').at).toBe(far)
  })
})
