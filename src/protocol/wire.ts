/**
 * What client and server say to each other, whatever carries it.
 *
 * A push carries the entries the server has not acknowledged and the steps they touched, as canonical text. In one
 * transaction the server skips entries it holds (the same hash; another hash is `writer-forked`), compares `base` with
 * its rev, appends, folds `changed` into its snapshot and answers with the new rev. A lost reply is harmless: the same
 * push again finds its entries held and answers with the rev they were accepted under. What others did since is learned
 * by the next exchange, which that rev makes `stale`; told the rev of now, the client would push over it. A number
 * missing in a writer's chain is no fault: that entry was damaged before it could be sent.
 *
 * Invariants
 * - `rev` is opaque and the server's; a client only stores it and hands it back.
 * - Payloads travel as the text that was hashed: canonical JSON, so no NUL and no lone surrogate is ever on the wire.
 * - One outcome per item, in order; an item's fate never depends on another item.
 */
import type { EntryRecord } from '../record/entry.ts'
import type { Finish, FlowRef, Status, StepId } from '../record/state.ts'

export const protocolVersion = 1

/** A session's state without its answers. */
export interface WireMeta {
  readonly flow: FlowRef
  /** The caller's own name for this run. */
  readonly key: string
  readonly status: Status
  readonly step: StepId
  readonly finished: { readonly [step: StepId]: Finish }
  readonly visited: { readonly [step: StepId]: true }
  readonly submitted?: readonly StepId[]
}

/**
 * Steps with their answers as canonical JSON text; `null` where a step's answers were removed. What lost a conflict and is
 * still offered travels as one more, `/conflicts`, which an ended session takes too.
 */
export type WireSteps = { readonly [step: StepId]: string | null }

export type PushEntry = Pick<EntryRecord, 'c' | 'p' | 's'>

export interface PushItem {
  readonly type: 'push'
  readonly session: string
  /** The rev this client last saw; `null` for a session it has never synced. */
  readonly base: string | null
  readonly entries: readonly PushEntry[]
  readonly changed: WireSteps
  readonly meta: WireMeta
}

export interface PullItem {
  readonly type: 'pull'
  readonly session: string
  /** Only steps changed after this rev are sent; `null` asks for all. */
  readonly since: string | null
}

export type SyncItem = PushItem | PullItem

export interface SyncRequest {
  readonly protocol: typeof protocolVersion
  /** The account the client believes it is; the server refuses the request where it is not. */
  readonly account: string
  readonly items: readonly SyncItem[]
}

/** The server's state of a session, whole or what changed after `since`. */
export interface WireSnapshot {
  readonly rev: string
  /** True where `steps` holds every step, not only what changed. */
  readonly isWhole: boolean
  readonly meta: WireMeta
  readonly steps: WireSteps
  /** Last entry per writer that the server holds. */
  readonly heads: { readonly [writer: string]: { readonly n: number; readonly hash: string } }
  /** Largest hybrid stamp among its entries. */
  readonly at: number
  /** Stamp and writer of the entry that last changed each step sent. */
  readonly stamps: { readonly [step: StepId]: { readonly at: number; readonly writer: string } }
}

export interface FieldIssue {
  readonly step: StepId
  /** JSON Pointer within the step's answers. */
  readonly path: string
  /** Written by the flow's schema or the server's rule; never repeats the answer. */
  readonly message: string
}

export type SyncOutcome =
  /** `validated` is false where the server knows no such flow and checked bounds only. */
  | { readonly type: 'accepted'; readonly session: string; readonly rev: string; readonly validated: boolean }
  /** Someone else was first: what they did is enclosed. Merge, then push again. */
  | { readonly type: 'stale'; readonly session: string; readonly snapshot: WireSnapshot }
  /** The server does not hold this session although `base` names a rev: send everything again with `base: null`. */
  | { readonly type: 'unknown'; readonly session: string }
  | { readonly type: 'snapshot'; readonly session: string; readonly snapshot: WireSnapshot }
  | { readonly type: 'unchanged'; readonly session: string; readonly rev: string }
  | {
      readonly type: 'rejected'
      readonly session: string
      readonly reason: string
      readonly issues: readonly FieldIssue[]
    }
  | { readonly type: 'too-large'; readonly session: string; readonly limitBytes: number }
  | { readonly type: 'denied'; readonly session: string; readonly reason: string }

export interface SyncResponse {
  readonly protocol: typeof protocolVersion
  readonly items: readonly SyncOutcome[]
  /** Milliseconds since 1970 by the server's clock. */
  readonly now: number
}
