import type { Clock } from '../base/clock.ts'
import { settle } from './settle.ts'

/** A clock a test moves by hand; timers fire in due order as it moves. */
export interface FakeClock extends Clock {
  /** Moves time on, firing what falls due; settles promises between timers. */
  advance(ms: number): Promise<void>
  /** Moves the clock without firing timers, as a jump of the system's clock does. */
  jump(ms: number): void
}

/** A clock that stands still, on a Monday morning unless told otherwise, in milliseconds since 1970. */
export function createFakeClock(startMs = Date.UTC(2026, 0, 5, 9)): FakeClock {
  let now = startMs
  let timers: { dueAt: number; run: () => void }[] = []
  return {
    now: () => now,
    after(delayMs, run) {
      const timer = { dueAt: now + delayMs, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    async advance(ms) {
      const until = now + ms
      for (;;) {
        await settle()
        const next = timers.filter((timer) => timer.dueAt <= until).sort((a, b) => a.dueAt - b.dueAt)[0]
        if (next === undefined) break
        timers = timers.filter((timer) => timer !== next)
        now = Math.max(now, next.dueAt)
        next.run()
      }
      now = until
      await settle()
    },
    jump(ms) {
      now += ms
    },
  }
}
