import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { createAuthor } from '../../../src/testing/author.ts'

const options = () => ({ account: 'ada', signal: new AbortController().signal })

describe('memoryBackend', () => {
  test('is unreachable offline and keeps nothing meanwhile', async () => {
    const backend = memoryBackend()
    const push = createAuthor('s1', 'wa').set(null, 'x', {})
    backend.goOffline()
    expect(await backend.exchange([push], options())).toEqual({ type: 'unreachable', reason: 'offline' })
    expect([backend.sessions('ada'), backend.exchanges]).toEqual([[], 0])
    backend.goOnline()
    expect((await backend.exchange([push], options())).type).toBe('answered')
    expect([backend.sessions('ada'), backend.sessions('eve'), backend.exchanges]).toEqual([['s1'], [], 1])
    expect(backend.snapshot('ada', 's1')).toMatchObject({ isWhole: true, steps: { x: '{}' } })
    expect(backend.snapshot('eve', 's1')).toBeUndefined()
  })

  test('takes effect where the reply is lost', async () => {
    const backend = memoryBackend()
    const push = createAuthor('s1', 'wa').set(null, 'x', {})
    backend.loseReplies()
    expect(await backend.exchange([push], options())).toEqual({ type: 'unreachable', reason: 'reply lost' })
    const rev = backend.snapshot('ada', 's1')!.rev
    expect(await backend.exchange([push], options())).toMatchObject({ outcomes: [{ type: 'accepted', rev }] })
  })

  test('waits as long as it is told, by the clock it is given, and ends on abort', async () => {
    const waits: { delayMs: number; run: () => void; isCancelled: boolean }[] = []
    const clock: Clock = {
      now: () => 42,
      after(delayMs, run) {
        const wait = { delayMs, run, isCancelled: false }
        waits.push(wait)
        return () => {
          wait.isCancelled = true
        }
      },
    }
    const backend = memoryBackend({ latencyMs: 250, clock })
    const answered = backend.exchange([], options())
    waits[0]!.run()
    expect(await answered).toEqual({ type: 'answered', outcomes: [], serverNow: 42 })
    const controller = new AbortController()
    const aborted = backend.exchange([], { account: 'ada', signal: controller.signal })
    controller.abort()
    expect(await aborted).toEqual({ type: 'unreachable', reason: 'aborted' })
    expect(waits.map(({ delayMs, isCancelled }) => [delayMs, isCancelled])).toEqual([
      [250, false],
      [250, true],
    ])
  })
})
