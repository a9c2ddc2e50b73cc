/** What the parts of a step's page have in common. */
import type { Issue, SessionSnapshot } from 'waymark'
import type { Housing } from '../flow.ts'
import type { Field } from './field.ts'

export type Snapshot = SessionSnapshot<Housing>

/** The part of a step's page between its heading and its buttons. */
export interface StepBody {
  readonly roots: readonly HTMLElement[]
  show(snapshot: Snapshot): void
  /** Which item an issue is about, where a step has several; else empty. */
  readonly whereOf?: (issue: Issue) => string
  /** The field an issue is about. */
  fieldOf(issue: Issue): Field | undefined
  readonly fields: () => Iterable<Field>
}
