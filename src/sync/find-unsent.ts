import type { Parked } from '../protocol/sync-status.ts'
import type { Key, Range, Store } from '../store/store.ts'
import { parkedRange, readParkedRow } from './parked-row.ts'

/** A session of this account that earlier pages left with something to send, or with the server's refusal. */
export interface LeftBehind {
  readonly session: string
  readonly parked: Parked | undefined
}

const rangesOf = (session: string): Range[] => [
  { store: 'journal', prefix: [session], isReverse: true, limit: 1, isKeys: true },
  { store: 'sync', prefix: [session, 'row'] },
  parkedRange(session),
  { store: 'drafts', prefix: [session], limit: 1 },
]

/** Looks at the ends of the journals only: the cost does not grow with what is in them. */
export async function findUnsent(
  store: Pick<Store, 'read'>,
  account: string,
): Promise<readonly LeftBehind[]> {
  const [keys = []] = await store.read([{ store: 'heads', prefix: [account], isKeys: true }])
  // By key: a head this version cannot read hides nothing.
  const sessions = (keys as string[][]).flatMap(([, id, fate]) =>
    id === undefined || fate !== undefined ? [] : id,
  )
  const rows = await store.read(sessions.flatMap(rangesOf))
  return sessions.flatMap((session, i) => {
    const [last, base, parkedRow, draft] = rows.slice(i * 4, i * 4 + 4).map((found) => found[0]) as [
      Key?,
      { i?: number; account?: string }?,
      unknown?,
      unknown?,
    ]
    const parked = readParkedRow(parkedRow, account)
    const acknowledged = base?.account === account ? (base.i ?? -1) : -1
    const isUnsent = ((last?.[1] as number | undefined) ?? -1) > acknowledged || draft !== undefined
    return parked !== undefined || isUnsent ? [{ session, parked }] : []
  })
}
