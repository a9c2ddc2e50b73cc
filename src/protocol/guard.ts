import type { Status } from '../record/state.ts'

const byName: Readonly<Record<Status, true>> = {
  pending: true,
  running: true,
  waiting: true,
  paused: true,
  done: true,
  failed: true,
  abandoned: true,
  expired: true,
}

/** Tells one of the statuses this version knows. */
export function isStatus(value: unknown): value is Status {
  return typeof value === 'string' && Object.hasOwn(byName, value)
}
