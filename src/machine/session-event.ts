import type { Operation } from '../base/patch.ts'
import type { Change, SessionState, StepId } from '../record/state.ts'

/** What can happen to a session. One that is not allowed where the session is changes and emits nothing. */
export type SessionEvent =
  | { readonly type: 'set'; readonly step: StepId; readonly patch: readonly Operation[] }
  /** `isValid` is the verdict of whoever validated; without it the step's schema is asked, synchronously. */
  | { readonly type: 'next'; readonly isValid?: boolean }
  | { readonly type: 'back' }
  | { readonly type: 'skip' }
  | { readonly type: 'goTo'; readonly step: StepId }
  | { readonly type: 'pause' }
  | { readonly type: 'continue' }
  | { readonly type: 'abandon' }
  | { readonly type: 'expire' }
  | { readonly type: 'restart' }
  /** Takes back a finish; whoever sends it knows that no server accepted it. */
  | { readonly type: 'reopen' }
  /** Makes the state what it was, or is elsewhere, as one change of its own. */
  | { readonly type: 'revert'; readonly to: SessionState }
  /** Decides an open conflict; `restore` sets the value that lost, which an ended session does not take. */
  | { readonly type: 'resolve'; readonly id: string; readonly choice: 'keep' | 'restore' }
  /** Takes over a state merged elsewhere, at its own step or at `step`; emits nothing: its changes are recorded there. */
  | { readonly type: 'adopt'; readonly state: SessionState; readonly step?: StepId }

/** Emitted once per event that changed something: folding these changes gives the new state. */
export type SessionEmitted = { readonly type: 'changes'; readonly changes: readonly Change[] }
