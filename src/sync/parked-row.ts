import type { Parked } from '../protocol/sync-status.ts'
import type { Range, Row } from '../store/store.ts'

/** The row of a session whose changes the server refused. */
export function toParkedRow(account: string, parked: Parked): Row {
  return { store: 'parked', key: [parked.session], value: { v: 1, account, ...parked } }
}

export function parkedRange(session: string): Range {
  return { store: 'parked', prefix: [session] }
}

/** A row of this account; another's is none of its business. */
export function readParkedRow(value: unknown, account: string): Parked | undefined {
  const row = value as (Parked & { readonly v?: unknown; readonly account?: unknown }) | null | undefined
  if (row?.v !== 1 || row.account !== account) return undefined
  const { session, reason, issues, at, position } = row
  return { session, reason, issues, at, position }
}
