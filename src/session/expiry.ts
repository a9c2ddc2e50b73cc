import { type Clock, msFromStamp } from '../base/clock.ts'
import type { Expiry } from '../flow/definition.ts'

/** Ends a session its flow's time after the last change, whoever made it, and warns before. */
export interface ExpiryWatch {
  /** Milliseconds since 1970; `undefined` where it does not expire, or nothing was entered yet. */
  readonly expiresAt: number | undefined
  /** Something was entered, here or elsewhere: looks again. */
  look(): void
  close(): void
}

export function watchExpiry(of: {
  readonly expiry: Expiry | undefined
  readonly clock: Clock
  /** Hybrid stamp of the last change, 0 for none. */
  readonly lastAt: () => number
  readonly isOver: () => boolean
  readonly onWarning: (expiresAt: number) => void
  readonly onExpired: () => void
}): ExpiryWatch {
  const { expiry, clock, lastAt, isOver, onWarning, onExpired } = of
  let warnedOf: number | undefined
  let cancel = () => {}

  function expiresAt(): number | undefined {
    const last = lastAt()
    return expiry === undefined || last === 0 || isOver() ? undefined : msFromStamp(last) + expiry.afterMs
  }

  function look(): void {
    cancel()
    const at = expiresAt()
    if (at === undefined || expiry === undefined) return
    const now = clock.now()
    if (now >= at) {
      onExpired()
      return
    }
    const warnAt = at - expiry.warnMs
    if (now >= warnAt && warnedOf !== at) {
      warnedOf = at
      onWarning(at)
    }
    cancel = clock.after((now < warnAt ? warnAt : at) - now, look)
  }

  return {
    get expiresAt() {
      return expiresAt()
    },
    look,
    close: () => cancel(),
  }
}
