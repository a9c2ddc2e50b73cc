import { type Clock, msFromStamp } from '../base/clock.ts'
import type { Expiry } from '../flow/definition.ts'

/**
 * Ends a session its flow's time after the last change, whoever made it, and warns before. It ends only once nothing
 * newer was found where others store: an idle tab or device does not end what goes on elsewhere.
 */
export interface ExpiryWatch {
  /** Milliseconds since 1970; `undefined` where it does not expire, or nothing was entered yet. */
  readonly expiresAt: number | undefined
  /** Something was entered, here or elsewhere: looks again. */
  look(): void
  close(): void
}

const askAgainMs = 60_000

export function watchExpiry(of: {
  readonly expiry: Expiry | undefined
  readonly clock: Clock
  /** Hybrid stamp of the last change, 0 for none. */
  readonly lastAt: () => number
  readonly isOver: () => boolean
  readonly onWarning: (expiresAt: number) => void
  /** Reads what others did; false where they cannot be asked now. */
  readonly askOthers: () => Promise<boolean>
  readonly onExpired: () => void
}): ExpiryWatch {
  const { expiry, clock, lastAt, isOver, onWarning, askOthers, onExpired } = of
  let warnedOf: number | undefined
  let isAsking = false
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
      void end()
      return
    }
    const warnAt = at - expiry.warnMs
    if (now >= warnAt && warnedOf !== at) {
      warnedOf = at
      onWarning(at)
    }
    cancel = clock.after((now < warnAt ? warnAt : at) - now, look)
  }

  async function end(): Promise<void> {
    if (isAsking) return
    isAsking = true
    const isSure = await askOthers().catch(() => false)
    isAsking = false
    const at = expiresAt()
    if (at === undefined || clock.now() < at) look()
    else if (isSure) onExpired()
    else cancel = clock.after(askAgainMs, look)
  }

  return {
    get expiresAt() {
      return expiresAt()
    },
    look,
    close: () => cancel(),
  }
}
