import { describe, expect, test, vi } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { preparePages } from '../../support/pages.ts'

const { page } = preparePages()

/** A backend whose first exchange is answered when the test says so. */
function heldBackend(): Backend & { readonly isAsked: boolean; answer(): void } {
  const inner = memoryBackend()
  let isAsked = false
  let answer = () => {}
  const held = new Promise<void>((resolve) => (answer = resolve))
  return {
    get isAsked() {
      return isAsked
    },
    answer: () => answer(),
    async exchange(items, options) {
      isAsked = true
      await held
      return inner.exchange(items, options)
    },
  }
}

describe('holders of one session', () => {
  test('concurrent callers get one session, with the same actor', async () => {
    const waymark = page()
    const [a, b] = await Promise.all([waymark.open('mortgage'), waymark.open('mortgage')])
    expect(b).toBe(a)
    expect(b.actor).toBe(a.actor)
    a.set('applicant', { name: 'Ada' })
    await settle()
    expect(a.status.getSnapshot().saved.device).toBe('yes')
  })

  test('it stays open until the last of them closes it', async () => {
    const waymark = page()
    const [a, b] = await Promise.all([waymark.open('mortgage'), waymark.open('mortgage')])
    await a.close()
    b.set('applicant', { name: 'Ada' })
    expect(await b.saved('device')).toEqual({ type: 'saved' })
    await b.close()
    expect(() => b.set('applicant', { name: 'Ad' })).toThrowError(/closed/)
    const again = await waymark.open('mortgage')
    expect(again).not.toBe(b)
    expect(again.getSnapshot().answers.applicant).toEqual({ name: 'Ada' })
  })

  test('concurrent callers keep it open while syncing comes and goes', async () => {
    const clock = createFakeClock()
    const waymark = page({ backend: memoryBackend(), account: 'u1', clock })
    const [a] = await Promise.all([waymark.open('mortgage'), waymark.open('mortgage')])
    await waymark.sync.now() // loaded, and once through an exchange
    a.set('applicant', { name: 'Ada' })
    a.commit()
    await clock.advance(5_000)
    expect(a.status.getSnapshot().saved.server).toBe('yes')
    a.set('applicant', { name: 'Ada L' })
    await settle()
    expect(a.status.getSnapshot().saved.device).toBe('yes')
    a.commit()
    await clock.advance(5_000)
    expect(a.status.getSnapshot().saved).toEqual({ device: 'yes', server: 'yes' })
  })

  test('closed and opened again during an exchange, it still stores', async () => {
    const clock = createFakeClock()
    const backend = heldBackend()
    const waymark = page({ backend, account: 'u1', clock })
    const a = await waymark.open('mortgage')
    a.set('applicant', { name: 'Ada' })
    a.commit()
    void waymark.sync.now()
    await vi.waitFor(() => expect(backend.isAsked).toBe(true))
    await a.close()
    const b = await waymark.open('mortgage')
    b.set('applicant', { name: 'Ada L' })
    await settle()
    expect(b.status.getSnapshot().saved.device).toBe('yes')
    backend.answer()
    await clock.advance(20_000)
    expect(await waymark.sync.now()).toMatchObject({ failures: 0 })
    b.commit()
    await clock.advance(20_000)
    expect(b.status.getSnapshot().saved).toEqual({ device: 'yes', server: 'yes' })
  })

  test('one closing while another is being opened leaves the other working', async () => {
    for (let microtasks = 0; microtasks < 60; microtasks++) {
      const waymark = page({ namespace: `step-${microtasks}` })
      const a = await waymark.open('mortgage')
      const opening = waymark.open('mortgage')
      for (let i = 0; i < microtasks; i++) await undefined
      void a.close()
      const b = await opening
      b.set('applicant', { name: 'Ada' })
      await settle()
      expect(b.status.getSnapshot().saved.device, `after ${microtasks} microtasks`).toBe('yes')
    }
  })
})
