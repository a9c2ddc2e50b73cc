/** What was set aside because it could not be read: for support, and for whoever mends it. Not in the first load. */
import type { Store } from '../store/store.ts'
import { ofSession, type QuarantineRow } from './rows.ts'

export interface Quarantined {
  /** Where it lay, such as `entry/3`. */
  readonly place: string
  readonly reason: string
  /** When it was found, in milliseconds since 1970. */
  readonly at: number
  /** The stored value as it was found; `null` where it is missing. */
  readonly row: unknown
}

export async function readQuarantine(
  store: Pick<Store, 'read'>,
  session: string,
): Promise<readonly Quarantined[]> {
  const [rows = []] = await store.read([ofSession('quarantine', session)])
  return (rows as QuarantineRow[]).map(({ place, reason, at, row }) => ({ place, reason, at, row }))
}
