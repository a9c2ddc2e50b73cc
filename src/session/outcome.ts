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
  /** Finished. With a backend it is sent now: `saved.server` says whether it arrived, `parked` if it was refused. */
  | { readonly type: 'completed' }
)

export type SaveLevel = 'device' | 'strict' | 'server'

export type SavedOutcome =
  | { readonly type: 'saved' }
  /** It stays on this device for now: parked by the server, signed out, refused, or syncing is stopped. */
  | { readonly type: 'not-sent'; readonly reason: string }
  | { readonly type: 'at-risk'; readonly code: string; readonly message: string }
  | { readonly type: 'no-backend' }
  | { readonly type: 'aborted' }
