const minuteMs = 60_000

/** `3 minutes ago`, in the page's language. */
export function relativeTime(at: number, now: number): string {
  const minutes = Math.round((at - now) / minuteMs)
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  if (Math.abs(minutes) < 1) return 'less than a minute ago'
  if (Math.abs(minutes) < 60) return format.format(minutes, 'minute')
  if (Math.abs(minutes) < 24 * 60) return format.format(Math.round(minutes / 60), 'hour')
  return format.format(Math.round(minutes / 60 / 24), 'day')
}

/** `Friday 20 November at 14:05`. */
export function absoluteTime(at: number): string {
  const day = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' }).format(at)
  return `${day} at ${clockTime(at)}`
}

export function clockTime(at: number): string {
  return new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(at)
}
