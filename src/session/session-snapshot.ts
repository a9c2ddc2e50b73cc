import type { AnswersOf, StepIdOf } from '../flow/answers-of.ts'
import type { Flow } from '../flow/definition.ts'
import { type Progress, progressOf } from '../flow/progress.ts'
import type { Issue } from '../flow/validate-step.ts'
import type { LedgerCheckpoint } from '../journal/ledger.ts'
import type { Finish, FlowRef, SessionState, Status, StepId } from '../record/state.ts'

/** What the person entered and where they are. Immutable; what did not change keeps its reference. */
export interface SessionSnapshot<F extends Flow = Flow> {
  readonly id: string
  readonly flow: FlowRef
  /** Journal key of the last entry stored when this was made, -1 before the first. */
  readonly position: number
  readonly status: Status
  /** This tab's step. */
  readonly step: StepIdOf<F>
  readonly answers: AnswersOf<F>
  /** What the last `next()` found wrong with the step, kept up to date while it is mended. */
  readonly issues: readonly Issue[]
  readonly progress: Progress
  /** When it ends by itself, in milliseconds since 1970, where its flow has an expiry. */
  readonly expiresAt?: number
  /** How each step was finished; a step whose answers changed since is not in it. */
  readonly finished: { readonly [step: StepId]: Finish }
  readonly visited: { readonly [step: StepId]: true }
  /** The steps that were sent, once `done`. */
  readonly submitted?: readonly StepIdOf<F>[]
}

/** The plain state envelope, for logs, support and other tools. */
export interface StateEnvelope {
  readonly id: string
  readonly version: number
  readonly currentStep: string
  readonly status: Status
  readonly payload: unknown
  /** `session.at(position)` shows what each one holds. */
  readonly checkpoints: readonly LedgerCheckpoint[]
  readonly error?: { readonly code: string; readonly message: string }
}

export function snapshotOf<F extends Flow>(
  flow: F,
  of: {
    readonly id: string
    readonly state: SessionState
    readonly step: StepId
    readonly position: number
    readonly issues: readonly Issue[]
  },
): SessionSnapshot<F> {
  const { id, state, step, position, issues } = of
  return Object.freeze({
    id,
    flow: state.flow,
    position,
    status: state.status,
    step: step as StepIdOf<F>,
    answers: state.answers as AnswersOf<F>,
    issues,
    finished: state.finished,
    visited: state.visited,
    progress: progressOf(flow, state, step),
    ...(state.submitted === undefined ? {} : { submitted: state.submitted as readonly StepIdOf<F>[] }),
  })
}
