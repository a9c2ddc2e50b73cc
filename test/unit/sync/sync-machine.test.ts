import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { initialTransition, type SnapshotFrom, transition } from 'xstate'
import { backOffMs, longestWaitMs, type SyncEvent, syncMachine } from '../../../src/sync/sync-machine.ts'

type Snapshot = SnapshotFrom<typeof syncMachine>

function run(...events: (SyncEvent | SyncEvent['type'])[]): Snapshot {
  const [first] = initialTransition(syncMachine) as [Snapshot, unknown]
  return events.reduce<Snapshot>((snapshot, event) => {
    const sent = typeof event === 'string' ? ({ type: event } as SyncEvent) : event
    const [next] = transition(syncMachine, snapshot, sent) as [Snapshot, unknown]
    return next
  }, first)
}

const unreachable = { type: 'unreachable', reason: 'no answer', fraction: 0.5 } as const

describe('syncMachine', () => {
  test('exchanges what was there before it started, one exchange at a time', () => {
    expect(run('start').value).toBe('idle')
    expect(run('work', 'start').value).toBe('exchanging')
    expect(run('start', 'work', 'work', 'answered').value).toBe('exchanging')
    expect(run('start', 'work', 'work', 'answered', 'answered').value).toBe('idle')
  })

  test('waits longer each time, opens a circuit after eight failures, and an answer forgets them', () => {
    const tries = (count: number) =>
      Array.from({ length: count }, () => [unreachable, 'timer'] as const).flat()
    expect(run('start', 'work', unreachable)).toMatchObject({ value: 'backingOff', context: { waitMs: 500 } })
    expect(run('start', 'work', ...tries(3), unreachable).context.waitMs).toBe(4_000)
    expect(run('start', 'work', ...tries(7), unreachable)).toMatchObject({
      value: 'circuitOpen',
      context: { failures: 8, waitMs: longestWaitMs },
    })
    expect(run('start', 'work', ...tries(3), 'answered').context.failures).toBe(0)
  })

  test('obeys Retry-After, and never waits longer than a minute of its own', () => {
    expect(run('start', 'work', { ...unreachable, retryAfterMs: 90_000 }).context.waitMs).toBe(90_000)
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, fraction) => {
        expect(backOffMs(failures, fraction)).toBeLessThanOrEqual(longestWaitMs)
      }),
    )
  })

  test('says offline where the platform said so and nobody answered, and tries at once when it is back', () => {
    expect(run('start', 'offline').value).toBe('idle')
    expect(run('start', 'offline', 'work', unreachable)).toMatchObject({
      value: 'offline',
      context: { waitMs: 60_000 },
    })
    expect(run('start', 'work', unreachable, 'offline').value).toBe('offline')
    expect(run('start', 'work', unreachable, 'offline', 'online').value).toBe('exchanging')
    expect(run('start', 'work', unreachable, 'offline', 'timer').value).toBe('exchanging')
    expect(run('start', 'offline', 'online', 'work', unreachable).value).toBe('backingOff')
  })

  test('waits for sign-in after 401 and for a person after a refusal', () => {
    expect(run('start', 'work', 'unauthorized', 'work', 'timer').value).toBe('signedOut')
    expect(run('start', 'work', 'unauthorized', 'signIn').value).toBe('exchanging')
    const refused = { type: 'refused', reason: 'HTTP 400' } as const
    expect(run('start', 'work', refused, 'work', 'online').value).toBe('blocked')
    expect(run('start', 'work', refused, 'now').value).toBe('exchanging')
  })

  test('stops from anywhere and keeps what is to be done', () => {
    expect(run('start', 'work', unreachable, 'stop', 'start').value).toBe('exchanging')
    expect(run('start', 'work', 'stop', 'now').value).toBe('stopped')
  })
})
