/** Time as the library sees it; tests and the simulator move it by hand. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Calls `run` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, run: () => void): () => void
}

const longestTimeoutMs = 2 ** 31 - 1

/** The machine's own clock. Waits beyond `setTimeout`'s 24.8 days are cut into pieces, where it would fire at once. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    let timer: ReturnType<typeof setTimeout>
    const wait = (leftMs: number) => {
      timer =
        leftMs > longestTimeoutMs
          ? setTimeout(() => wait(leftMs - longestTimeoutMs), longestTimeoutMs)
          : setTimeout(run, leftMs)
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}

/**
 * A hybrid logical clock (Kulkarni et al., 2014) in one safe integer: microseconds since 1970 whose last three digits
 * count events within a millisecond. Later calls and later-heard stamps always give larger numbers.
 */
export interface HybridClock {
  next(): number
  /** Takes note of a stamp made elsewhere, unless it lies beyond the year 2255. */
  hear(at: number): void
}

/** The year 2255: a clock or a stamp beyond it is wrong, and would leave no safe integers to count on with. */
const furthestStamp = 9e15

export function createHybridClock(clock: Clock): HybridClock {
  let last = 0
  return {
    next: () => (last = Math.max(Math.min(Math.floor(clock.now()) * 1000, furthestStamp), last + 1)),
    hear: (at) => {
      if (at > last && at <= furthestStamp) last = Math.floor(at)
    },
  }
}

/** The wall-clock part of a hybrid stamp, in milliseconds. */
export function msFromStamp(at: number): number {
  return Math.floor(at / 1000)
}
