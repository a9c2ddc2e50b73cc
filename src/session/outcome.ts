import type { StepIdOf } from '../flow/answers-of.ts'
import type { Flow } from '../flow/definition.ts'
import type { Issue } from '../flow/validate-step.ts'
import type { Saved } from './session-status.ts'

/** How a move ended. `saved` is how safe the session was when it did. */
export type MoveOutcome<F extends Flow = Flow> = { readonly step: StepIdOf<F>; readonly saved: Saved } & (
  | { readonly type: 'moved' }
  /** The step does not pass its schema; `issues` say where. */
  | { readonly type: 'invalid'; readonly issues: readonly Issue[] }
  /** Not allowed here: `step` is the one that needs attention first, or the one the session stays at. */
  | { readonly type: 'blocked' }
  /** Everything was sent for good: nothing can be changed any more. */
  | { readonly type: 'completed' }
)

export type SaveLevel = 'device' | 'strict' | 'server'

export type SavedOutcome =
  | { readonly type: 'saved' }
  | { readonly type: 'at-risk'; readonly code: string; readonly message: string }
  | { readonly type: 'no-backend' }
  | { readonly type: 'aborted' }
