import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { clearableStore } from '../../support/clearable-store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { preparePages } from '../../support/pages.ts'

const { page, errors } = preparePages()

describe('site data cleared while syncing is stopped', () => {
  test('what is typed then is not said to be on the server, however long it lasts', async () => {
    const clock = createFakeClock()
    const store = clearableStore()
    const backend = memoryBackend()
    const waymark = page({ store, clock, backend, account: 'u1' })
    const session = await waymark.open('mortgage')
    for (const name of ['A', 'Ad', 'Ada', 'Ada L', 'Ada Lo']) {
      session.set('applicant', { name })
      session.commit()
      await clock.advance(5_000)
    }
    waymark.sync.stop()
    store.clear()
    session.set('notes', { text: 'typed since' })
    session.commit()
    await clock.advance(3_600_000)
    errors.length = 0
    expect(JSON.stringify(backend.snapshot('u1', session.id))).not.toContain('typed since')
    expect(session.status.getSnapshot().saved.server).toBe('pending')
    const outcome = session.saved('server')
    await clock.advance(10)
    expect((await outcome).type).toBe('not-sent')
  })
})
