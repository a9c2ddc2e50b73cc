/** A session as an app holds it: the whole of what can be done with one. `create-session.ts` makes it. */
import type { AnswersOf, StepIdOf, StepInput } from '../flow/answers-of.ts'
import type { Flow } from '../flow/definition.ts'
import type { LedgerEntry } from '../journal/ledger.ts'
import type { Quarantined } from '../journal/quarantine.ts'
import type { Damage } from '../journal/restore.ts'
import type { SessionActor } from '../machine/session-actor.ts'
import type { Parked } from '../protocol/sync-status.ts'
import type { StepId } from '../record/state.ts'
import type { Conflict, Fork } from './conflicts.ts'
import type { MoveOutcome, SavedOutcome, SaveLevel } from './outcome.ts'
import type { SessionSnapshot, StateEnvelope } from './session-snapshot.ts'
import type { SessionStatus } from './session-status.ts'

export type SessionEventOf = {
  /** Continued from what an earlier page stored, up to this journal position. */
  resumed: { readonly position: number }
  conflict: { readonly conflicts: readonly Conflict[] }
  /** It ends by itself then, in milliseconds since 1970, unless something is entered or `extend()` is called. */
  expiring: { readonly at: number }
  /** The server refused what is here; see `parked`. */
  parked: { readonly reason: string }
  /** Something stored could not be read and was set aside. */
  quarantined: { readonly places: readonly string[] }
  /** The step changed, here or because a change elsewhere took it off the path. */
  moved: { readonly step: StepId }
  /** Over for this page: closed by all who opened it, removed, or the account changed. */
  closed: Readonly<Record<never, never>>
}

/** Whether everything stored of a session verifies; `damage` names what does not. */
export type Verification =
  | { readonly type: 'whole'; readonly entries: number }
  | { readonly type: 'broken'; readonly damage: readonly Damage[] }

type EachItem<F extends Flow, Id extends StepIdOf<F>> =
  StepInput<F, Id> extends readonly (infer Item)[] ? Omit<Item, 'key'> : never

export interface Session<F extends Flow = Flow> {
  readonly id: string
  readonly flow: F
  /** The caller's own name for this run. */
  readonly key: string
  getSnapshot(): SessionSnapshot<F>
  /** Called when the snapshot changed; the returned function unsubscribes. */
  subscribe(listener: () => void): () => void
  readonly status: {
    getSnapshot(): SessionStatus
    subscribe(listener: () => void): () => void
  }
  /** The running XState actor: whatever it is sent is journalled, but for `adopt`, which is the journal's own. */
  readonly actor: SessionActor

  /**
   * Sets some fields of a step, each as a whole, or the whole list of a repeatable one; fields not named stay. Takes effect in memory at once and is handed to
   * storage in the same task. Invalid answers are kept like any other. Throws `step-unknown`, `answer-not-json`,
   * `answer-too-large`, `session-ended` and, once the session is closed, `closed`; then nothing changed.
   */
  set<Id extends StepIdOf<F>>(step: Id, fields: StepInput<F, Id>): void
  /** Adds an item to a repeatable step and returns its key. */
  add<Id extends StepIdOf<F>>(step: Id, item: EachItem<F, Id>): string
  /** Sets some fields of one item of a repeatable step. Throws `item-unknown` where it is gone, as by another tab. */
  change<Id extends StepIdOf<F>>(step: Id, key: string, fields: Partial<EachItem<F, Id>>): void
  /** Removes one item of a repeatable step. */
  drop(step: StepIdOf<F>, key: string): void
  /** Turns typing into an entry now, as when focus leaves a field. Otherwise that happens after 5 s of rest. */
  commit(): void

  /**
   * Validates the step and goes on; at the last step, finishes for good: it resolves once that is stored here, and
   * `saved('server')` tells when it was received. Rejects with `schema-failed` where a schema throws.
   */
  next(): Promise<MoveOutcome<F>>
  /** To the nearest earlier step on the path that was visited. */
  back(): Promise<MoveOutcome<F>>
  /** To a step visited before, or the first that needs attention; else `blocked`. Rejects with `step-unknown`. */
  goTo(step: StepIdOf<F>): Promise<MoveOutcome<F>>
  /** Passes over an optional step. */
  skip(): Promise<MoveOutcome<F>>
  /** Puts the flow's expiry off, as any change does; resolves as `saved('device')` does. */
  extend(): Promise<SavedOutcome>
  /** No moves until `continue()`; answers are still taken. */
  pause(): Promise<MoveOutcome<F>>
  continue(): Promise<MoveOutcome<F>>
  /** Clears every answer and begins again; the journal keeps what was. */
  restart(): Promise<MoveOutcome<F>>
  /** Ends the session for good, unsent. */
  abandon(): Promise<MoveOutcome<F>>
  /** Takes back a finish that the server refused, so that what `parked` names can be changed; else `blocked`. */
  reopen(): Promise<MoveOutcome<F>>

  /**
   * Waits until everything entered so far is as safe as asked, or says why not. Never throws. At risk, a session that is
   * closed and an aborted `signal` end it; `server` says `no-backend` at once without one, and `not-sent` where waiting
   * would not help. Only while offline it waits, until `signal` says otherwise.
   */
  saved(level: SaveLevel, options?: { readonly signal?: AbortSignal }): Promise<SavedOutcome>
  /** Values that lost a conflict, offered in every tab and on every device until one resolves them. */
  readonly conflicts: readonly Conflict[]
  /** What was entered elsewhere after the session had ended; nothing of it is applied. `start` takes its answers. */
  readonly fork: Fork<AnswersOf<F>> | undefined
  /**
   * `keep` keeps what is there, `restore` sets the value that lost, by the item's key; an item that was removed since
   * comes back with that value alone. Either way the conflict is settled. Throws `session-ended` for `restore` once the session has ended, and `closed`.
   */
  resolve(id: string, choice: 'keep' | 'restore'): void
  /** Called at each such event; the returned function stops it. */
  on<T extends keyof SessionEventOf>(type: T, listener: (event: SessionEventOf[T]) => void): () => void
  /** What the server refused of this session, and why. It stays here, editable; the next change sends it again. */
  readonly parked: Parked | undefined
  /** Sends it again as it is now; resolves as `saved('server')` does. */
  retry(options?: { readonly signal?: AbortSignal }): Promise<SavedOutcome>
  /**
   * Gives up what was refused, and whatever was entered since: the answers are what the server last acknowledged, which
   * is sent with the next exchange. What was given up stays in the history. Does nothing where nothing is parked.
   * Resolves as `saved('device')` does.
   */
  discard(): Promise<SavedOutcome>
  /** What could not be read on this device and was set aside, with its bytes. */
  quarantined(): Promise<readonly Quarantined[]>
  /** Every entry of the journal on this device, in order, with its changes. Reads all of it. */
  history(): Promise<readonly LedgerEntry[]>
  /** The session as it was after the entry at a journal position: −1 is before the first, past the last is the last. */
  at(position: number): Promise<SessionSnapshot<F>>
  /** Verifies every hash and link of the journal on this device. */
  verify(): Promise<Verification>
  /** The plain state envelope. */
  toState(): Promise<StateEnvelope>
  /** The session as a file for `waymark.import`: sealed under a passphrase, or plain without sensitive answers. */
  export(options?: { readonly passphrase?: string }): Promise<Blob>
  /**
   * Stores what is local and lets go. Whoever opened the session closes it once; the last one ends it. Rejects, with
   * the session still open, where something entered cannot be stored.
   */
  close(): Promise<void>
}
