import type { FieldIssue } from './wire.ts'

export type SyncState =
  | 'stopped'
  | 'idle'
  | 'exchanging'
  | 'backingOff'
  | 'circuitOpen'
  | 'offline'
  | 'signedOut'
  | 'blocked'

export interface SyncStatus {
  readonly state: SyncState
  /** Milliseconds since 1970 of the next try, where one is waited for. */
  readonly nextTryAt: number | undefined
  /** Exchanges in a row that reached nobody. */
  readonly failures: number
  /** Why it is not syncing; never an answer. */
  readonly reason: string
}

/**
 * What the server said of a session that was set aside: its changes stay here, editable, and are sent again with the
 * next change, or on `sync.now()`.
 */
export interface Parked {
  readonly session: string
  readonly reason: string
  readonly issues: readonly FieldIssue[]
  /** Milliseconds since 1970. */
  readonly at: number
  /** What was refused ends here in the journal; later entries are not judged yet. */
  readonly position: number
}

/** How much of a session the server has. */
export interface ServerMarks {
  /** Every entry up to this position is on the server, -1 for none. */
  readonly position: number
  readonly rev: string | null
  readonly parked: Parked | undefined
}

export const noServerMarks: ServerMarks = Object.freeze({ position: -1, rev: null, parked: undefined })
