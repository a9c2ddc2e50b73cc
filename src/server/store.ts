/**
 * Where a server keeps sessions. A store is three steps over one session: `load` what a push needs, judge it in
 * memory, `write` the result where the rev is still the one loaded. No callback runs inside a transaction, so flow
 * validation may take its time without holding a lock, and a store that has no transactions but a compare-and-set fits.
 *
 * Invariants
 * - Sessions belong to an account; no method reaches across accounts except the delivery of submissions.
 * - `write` is all or nothing, and nothing where the current rev is not `expected`.
 * - `load` and `read` see one consistent state. Text comes back exactly as written.
 * - A store throws `storage-failed`, `isRetryable` where another attempt may succeed.
 */
import type { HeldForPush, PushNeeds, PushWrite, SessionKey } from '../protocol/held.ts'
import type { HeldSnapshot } from '../protocol/snapshot.ts'
import type { WireMeta } from '../protocol/wire.ts'
import type { FlowRef } from '../record/state.ts'

export interface ServerStore {
  load(key: SessionKey, needs: PushNeeds): Promise<HeldForPush | undefined>
  /**
   * Writes a push, and with it the submission it makes. False, and nothing is written, where the current rev is not
   * `expected`; `null` expects that there is no session.
   */
  write(key: SessionKey, write: SessionWrite): Promise<boolean>
  /** A session with the steps changed after `since`; all where that is `null` or not remembered. */
  read(key: SessionKey, since: string | null): Promise<HeldSnapshot | undefined>
  /** Summaries of an account's sessions by id, from the first after `after`. */
  list(account: string, page: ListPage): Promise<readonly SessionSummary[]>
  submission(key: SessionKey): Promise<Submission | undefined>
  /**
   * Deletes everything of a session, known or not, and remembers that it was erased: `write` gives false from then on.
   * A submission that nobody was handed yet stays until it is delivered, and goes then. Idempotent. `at`: milliseconds
   * since 1970.
   */
  erase(key: SessionKey, at: number): Promise<void>
  isErased(key: SessionKey): Promise<boolean>
  /** Submissions no one has confirmed yet, oldest first. */
  undelivered(limit: number): Promise<readonly (SessionKey & { readonly submission: Submission })[]>
  /** Confirms that a submission was handed on. */
  markDelivered(key: SessionKey, at: number): Promise<void>
}

export interface SessionWrite {
  readonly expected: string | null
  readonly push: PushWrite
  /** Milliseconds since 1970. */
  readonly savedAt: number
  readonly submission?: Submission
}

export interface ListPage {
  readonly limit: number
  /** The id after which the page begins; empty for the first page. */
  readonly after: string
}

export interface SessionSummary {
  readonly session: string
  readonly rev: string
  readonly meta: WireMeta
  readonly savedAt: number
}

/** What was submitted, taken once when the session became `done`. */
export interface Submission {
  readonly flow: FlowRef
  /** Canonical JSON of the submitted steps' answers, by step. */
  readonly answers: string
  /** False where the server knew no such flow and checked bounds only. */
  readonly validated: boolean
  /** Milliseconds since 1970, by the server's clock. */
  readonly at: number
  readonly isDelivered: boolean
}
