import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createHybridClock, msFromStamp, systemClock } from '../../../src/base/clock.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

describe('createHybridClock', () => {
  test('only ever rises, whatever the clock does and whatever it hears, and every stamp is a safe integer', () => {
    const event = fc.oneof(
      fc.constant({ type: 'next' as const }),
      fc.record({
        type: fc.constant('jump' as const),
        ms: fc.double({ min: -1e16, max: 1e16, noNaN: true }),
      }),
      fc.record({
        type: fc.constant('hear' as const),
        at: fc.oneof(
          fc.maxSafeInteger(),
          fc.double(),
          fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.NaN, 2 ** 60),
        ),
      }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const clock = createFakeClock()
        const hybrid = createHybridClock(clock)
        let last = 0
        for (const one of events) {
          if (one.type === 'jump') clock.jump(one.ms)
          else if (one.type === 'hear') hybrid.hear(one.at)
          const at = hybrid.next()
          expect(at).toBeGreaterThan(last)
          expect(Number.isSafeInteger(at)).toBe(true)
          last = at
        }
      }),
      { numRuns: 500 },
    )
  })

  test('follows the clock in microseconds and counts within a millisecond', () => {
    const clock = createFakeClock(1_000)
    const hybrid = createHybridClock(clock)
    expect([hybrid.next(), hybrid.next()]).toEqual([1_000_000, 1_000_001])
    clock.jump(5)
    expect(hybrid.next()).toBe(1_005_000)
    expect(msFromStamp(1_005_999)).toBe(1_005)
  })

  test('goes on after the largest stamp it heard', () => {
    const hybrid = createHybridClock(createFakeClock(1_000))
    hybrid.hear(5_000_000)
    hybrid.hear(4_000_000)
    expect(hybrid.next()).toBe(5_000_001)
  })

  test('does not heed a stamp that would use up its range', () => {
    const hybrid = createHybridClock(createFakeClock(1_000))
    hybrid.hear(Number.MAX_SAFE_INTEGER)
    expect(hybrid.next()).toBe(1_000_000)
  })
})

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const day = 86_400_000

  test('fires once, after the delay', () => {
    const run = vi.fn()
    systemClock.after(100, run)
    vi.advanceTimersByTime(99)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_000)
    expect(run).toHaveBeenCalledTimes(1)
  })

  test('waits longer than setTimeout can', () => {
    const run = vi.fn()
    systemClock.after(60 * day, run)
    vi.advanceTimersByTime(60 * day - 1)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledTimes(1)
  })

  test('cancels a long wait in any of its pieces', () => {
    const run = vi.fn()
    const cancel = systemClock.after(60 * day, run)
    vi.advanceTimersByTime(30 * day)
    cancel()
    vi.advanceTimersByTime(90 * day)
    expect(run).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('tells the time', () => {
    vi.setSystemTime(12_345)
    expect(systemClock.now()).toBe(12_345)
  })
})
