/** One session's journal, as sessions and sync use it. `open-journal.ts` makes it and keeps its promises. */
import type { WaymarkError } from '../base/errors.ts'
import type { Change, SessionState } from '../record/state.ts'
import type { Durability } from '../store/store.ts'
import type { Theirs } from './batch.ts'
import type { SetChange } from './draft.ts'
import type { Damage } from './restore.ts'

export type JournalEvent =
  /** Other tabs or devices changed the state. */
  | { readonly type: 'foreign'; readonly state: SessionState }
  /** Positions begin anew: what was known of how far the server has them is of another journal. */
  | { readonly type: 'seeded' }
  /** `marks` moved: acknowledged, failed, or well again. */
  | { readonly type: 'marks' }
  /** Something other tabs want to read was stored. */
  | { readonly type: 'stored'; readonly isEntry: boolean }
  | { readonly type: 'damaged'; readonly damage: readonly Damage[] }
  /** A checkpoint or a quarantine row could not be written: no answer is at stake. */
  | { readonly type: 'error'; readonly error: unknown }

/** How far what was entered is safe, in change numbers: 1, 2, 3, ... in the order they were made here. */
export interface SaveMarks {
  readonly made: number
  readonly acknowledged: number
  /** Acknowledged by a strict commit, or followed by one; -1 before this page's first. */
  readonly strict: number
  readonly failure: WaymarkError | undefined
  readonly isOutdated: boolean
}

export interface Journal {
  readonly session: string
  /** Key of the last entry stored, -1 before the first. */
  readonly position: number
  /** Largest hybrid stamp of what is stored or entered, drafts of others too; 0 where there is nothing. */
  readonly at: number
  readonly state: SessionState
  /** What is stored as entries, without drafts and what is local. */
  readonly storedState: SessionState | undefined
  readonly marks: SaveMarks
  /** What was found unreadable and set aside, as yet. */
  readonly damage: readonly Damage[]
  /** True where everything of this page is an entry. */
  readonly isSettled: boolean
  /** True where other writers' typing is shown that is no entry yet. */
  readonly hasForeignDrafts: boolean
  /** Typing: kept as a draft until it becomes an entry. */
  draft(change: SetChange): void
  /** Changes that are an entry at once, together with the draft before them. */
  append(changes: readonly Change[], durability: Durability): void
  /** Turns the draft into an entry. */
  commitDraft(): void
  /** Makes what is acknowledged durable against power loss. */
  harden(): void
  /** Reads what other tabs stored. Never rejects: a failing store shows in `marks`. */
  catchUp(): Promise<void>
  /** Commits the draft and waits until nothing is local; false where the store fails. */
  settled(): Promise<boolean>
  /**
   * Merges a state from elsewhere into what is stored, in one transaction with `rows`. False where another tab was
   * first or the store fails: read again and start over.
   */
  merge(theirs: Theirs): Promise<boolean>
  /** Best effort before the page goes: writes the typing without waiting for the write under way. */
  flush(): void
  /** Stores what is local, unless `isDiscarding`, then stops. Idempotent. */
  close(options?: { readonly isDiscarding?: boolean }): Promise<void>
}
