import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { openInFreshFrame } from '../../../src/store/fresh-frame.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()
beforeAll(() => import('../../../src/sync/sync.ts'))
afterEach(() => vi.unstubAllGlobals())
const hour = 3_600_000
const flow = defineFlow({
  id: 'claim',
  title: 'Claim',
  expiry: { afterMs: 24 * hour, warnMs: 2 * hour },
  steps: { one: { title: 'One' }, two: { title: 'Two' } },
})

function judging() {
  const inner = memoryBackend()
  const backend: Backend = {
    async exchange(items, options) {
      const bad = items.find((item) => item.type === 'push' && JSON.stringify(item.changed).includes('Eve'))
      if (bad === undefined) return inner.exchange(items, options)
      return {
        type: 'answered',
        serverNow: undefined,
        outcomes: [{ type: 'rejected', session: bad.session, reason: 'answers-invalid', issues: [] }],
      } as never
    },
  }
  return { backend, inner }
}

describe('discard()', () => {
  test('does not take what is typed after it was asked for', async () => {
    const clock = createFakeClock()
    const { backend } = judging()
    const session = await page({ clock, backend, account: 'u1', store: durableStore() }).open('mortgage')
    session.set('applicant', { name: 'Ada' })
    session.commit()
    await clock.advance(5_000)
    session.set('applicant', { name: 'Eve' })
    session.commit()
    await clock.advance(5_000)
    expect(session.parked).toBeDefined()
    const discarded = session.discard()
    session.set('notes', { text: 'typed after' })
    await clock.advance(5_000)
    await discarded
    expect(session.getSnapshot().answers).toEqual({
      applicant: { name: 'Ada' },
      notes: { text: 'typed after' },
    })
  })
})

describe('extend()', () => {
  test('does not say saved where it put nothing off', async () => {
    const clock = createFakeClock()
    const waymark = createWaymark({ flows: [flow], clock, store: durableStore(), namespace: 'ext' })
    const session = await waymark.open('claim')
    session.set('one', { a: 1 })
    await clock.advance(25 * hour)
    expect(session.getSnapshot().status).toBe('expired')
    let outcome: unknown
    try {
      outcome = (await session.extend()).type
    } catch (error) {
      outcome = (error as { code: string }).code
    }
    await waymark.close()
    expect(outcome).toBe('session-ended')
  })
})

describe('a fresh frame', () => {
  test('of one database does not take that of another away', async () => {
    const frames: { isThere: boolean }[] = []
    vi.stubGlobal('document', {
      createElement: () => {
        const frame = {
          isThere: true,
          remove() {
            frame.isThere = false
          },
          contentWindow: {
            indexedDB: {
              open() {
                const request = { result: {}, onsuccess: () => {} }
                queueMicrotask(() => request.onsuccess())
                return request
              },
            },
          },
        }
        frames.push(frame)
        return frame
      },
      documentElement: { append() {} },
    })
    const events = { onUpgrade() {}, onBlocking() {}, onLost() {} }
    await openInFreshFrame('a', events)
    await openInFreshFrame('b', events)
    expect(frames.map(({ isThere }) => isThere)).toEqual([true, true])
  })
})
