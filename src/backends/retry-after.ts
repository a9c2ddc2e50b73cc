const longestMs = 24 * 60 * 60 * 1000

/**
 * Milliseconds a `Retry-After` header asks to wait: seconds, or a date, read against the server's own `Date` where it
 * sent one since the device's clock may be wrong. `undefined` where there is none to honour; at most a day.
 */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, longestMs)
  const until = Date.parse(value)
  if (Number.isNaN(until)) return undefined
  const serverNow = Date.parse(headers.get('date') ?? '')
  return Math.min(Math.max(until - (Number.isNaN(serverNow) ? now : serverNow), 0), longestMs)
}
