/**
 * How safe a session is, said without flattery.
 *
 * Invariants
 * - `device` is `yes` only when every change made is acknowledged by the store, `strict` only when a strict commit
 *   covers them all; `no` for a store that dies with the page.
 * - `server` is `yes` only when the server acknowledged every entry and nothing is local.
 * - `atRisk` stands while anything made is neither stored nor about to be without trouble.
 */
import type { ErrorCode } from '../base/errors.ts'
import type { Journal } from '../journal/journal.ts'
import type { Parked, ServerMarks, SyncStatus } from '../protocol/sync-status.ts'
import type { SessionState } from '../record/state.ts'

export interface SessionStatus {
  readonly saved: Saved
  /** What syncing is doing; `undefined` without a backend. */
  readonly sync: SyncStatus | undefined
  /** How many conflicts are open. */
  readonly conflicts: number
  readonly parked: Parked | undefined
}

export interface Saved {
  readonly device: 'no' | 'yes' | 'strict'
  readonly server: 'none' | 'pending' | 'yes'
  readonly atRisk?: AtRisk
}

/** Why what was entered may be lost with this page, in words that say what to do. */
export interface AtRisk {
  readonly code: ErrorCode
  readonly message: string
}

/** What a session needs of syncing; `undefined` members of nothing: without a backend there is no port at all. */
export interface SyncPort {
  readonly status: SyncStatus
  marks(): ServerMarks
  /** Asks for what other devices did; false where the server cannot be asked now. */
  pull(): Promise<boolean>
  /** Exchanges now. */
  push(): Promise<SyncStatus>
  /** What the server last acknowledged; `undefined` where that is nothing. */
  acknowledged(): Promise<SessionState | undefined>
  /** What was refused is given up: it is parked no more, and what stands now is sent. */
  unpark(): Promise<void>
}

export function savedOf(
  journal: Pick<Journal, 'marks' | 'position' | 'isSettled' | 'hasForeignDrafts'>,
  sync: SyncPort | undefined,
  storeProblem: AtRisk | undefined,
): Saved {
  const { made, acknowledged, strict, failure, isOutdated } = journal.marks
  const atRisk: AtRisk | undefined =
    storeProblem ??
    (failure === undefined ? undefined : { code: failure.code, message: failure.message }) ??
    (isOutdated ? outdated : undefined)
  const isStored = acknowledged === made && storeProblem === undefined
  const isOnServer =
    acknowledged === made &&
    journal.isSettled &&
    !journal.hasForeignDrafts &&
    (sync?.marks().position ?? -2) >= journal.position
  return {
    device: !isStored ? 'no' : strict === made && made > 0 ? 'strict' : 'yes',
    server: sync === undefined ? 'none' : isOnServer ? 'yes' : 'pending',
    ...(atRisk === undefined ? {} : { atRisk }),
  }
}

const outdated: AtRisk = {
  code: 'outdated',
  message:
    'A newer version of this page wrote to the session. Reload to go on; what you type is kept as a draft.',
}

export function isSameStatus(a: SessionStatus, b: SessionStatus): boolean {
  return (
    a.saved.device === b.saved.device &&
    a.saved.server === b.saved.server &&
    a.saved.atRisk?.message === b.saved.atRisk?.message &&
    a.sync?.state === b.sync?.state &&
    a.sync?.nextTryAt === b.sync?.nextTryAt &&
    a.sync?.failures === b.sync?.failures &&
    a.sync?.reason === b.sync?.reason &&
    a.conflicts === b.conflicts &&
    a.parked?.at === b.parked?.at
  )
}
