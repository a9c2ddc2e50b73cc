/**
 * What a flow is once defined: a frozen tree of steps, and its leaf steps by id. Everything else in this room is a pure
 * function of a flow, the answers and, where it matters, which steps are finished.
 *
 * Invariants
 * - Answers are flat: one member per leaf step, under its id (`key`, or `parent.child` inside a sub-flow).
 * - Step ids never name a member of `Object.prototype`, so plain objects keyed by them are safe to read.
 * - A flow holds no session: two sessions, or a page and its server, may share one.
 * - Functions of users (conditions, schemas) are called here only, and never make a reader of a path throw.
 *
 *   defineFlow ─► tree ─► pathOf ─► needsAttention ─► reachableSteps, progressOf
 *                            └────► stepAfter, stepBefore, submission
 */
import { WaymarkError } from '../base/errors.ts'
import type { Answers, FlowRef, SessionState, StepAnswers, StepId } from '../record/state.ts'
import type { MergePolicies } from './merge-policy.ts'
import type { StandardSchemaV1 } from './standard-schema.ts'

/** `S` holds the kinds of the steps (`schema`, `each`, `flow`) for the types; at run time there is nothing of it. */
export interface Flow<Id extends string = string, S = unknown> {
  readonly id: Id
  readonly version: number
  readonly title: string
  /** What a session records of its flow: id, version and structural hash. */
  readonly ref: FlowRef
  readonly checkpoints: CheckpointRule
  readonly expiry?: Expiry
  /** The leaf steps by id, in listed order. */
  readonly leaves: ReadonlyMap<StepId, Leaf>
  readonly '~nodes': readonly StepNode[]
  readonly '~paths': WeakMap<Answers, WeakMap<Finished, Path>>
  /** What each condition last said, by the node or `next` that holds it. */
  readonly '~verdicts': WeakMap<object, LastVerdict>
  readonly '~steps'?: S
}

/**
 * When a session of the flow is checkpointed: after every change, at every finished step, or at the steps marked as
 * milestones; at its end always.
 */
export type CheckpointRule = 'change' | 'step' | 'milestone'

/** When a session ends by itself: so long after its last change, with a warning before. In milliseconds. */
export interface Expiry {
  readonly afterMs: number
  readonly warnMs: number
}

/** A step that holds answers. */
export interface Leaf {
  readonly id: StepId
  readonly title: string
  readonly description?: string
  readonly schema?: StandardSchemaV1
  /** The schema of one item, where the answers are a keyed list. */
  readonly each?: StandardSchemaV1
  readonly merge?: MergePolicies
  /** Names of fields that must not lie anywhere in clear. */
  readonly sensitive?: readonly string[]
  /** Its own, or of a sub-flow it is in. */
  readonly isOptional: boolean
  /** Its own, or of a sub-flow it is in. */
  readonly isMilestone: boolean
  /** Its own times those of the sub-flows it is in. */
  readonly weight: number
  /** Place among all leaves as listed, from 0. */
  readonly order: number
}

/** A step as a node of the tree: a leaf, or a sub-flow with children. */
export interface StepNode {
  readonly key: string
  readonly id: StepId
  readonly title: string
  readonly when?: Condition
  readonly next: readonly NextNode[]
  /** What leads the ids of the answers its conditions see: '' at the top, `parent.` inside a sub-flow. */
  readonly prefix: string
  readonly leaf?: Leaf
  readonly children?: readonly StepNode[]
}

export interface NextNode {
  /** Index among the siblings. */
  readonly to: number
  readonly when?: Condition
}

export type Condition = (answers: Answers) => unknown
/** The answers of any flow, typed by it or not: a snapshot's as well as a stored state's. */
export type AnyAnswers = { readonly [step: StepId]: unknown }
/** What of a session the functions of this room look at: a snapshot has it, a stored state too. */
export interface AnyState {
  readonly answers: AnyAnswers
  readonly finished: Finished
  readonly visited: SessionState['visited']
  readonly status: SessionState['status']
}
export type Verdict = 'yes' | 'no' | 'undecided'

/** A verdict and what it rests on. */
export interface LastVerdict {
  readonly verdict: Verdict
  readonly error: WaymarkError | undefined
  readonly reads: readonly {
    readonly step: StepId
    readonly answers: StepAnswers | undefined
    readonly isSettled: boolean
  }[]
}

export type Finished = SessionState['finished']

/** Which steps a person goes through, as far as the answers tell. */
export interface Path {
  /** Surely on the path, in order. */
  readonly steps: readonly StepId[]
  /** May come: a condition read a field nobody answered yet. They count towards the maximum only. */
  readonly undecided: readonly StepId[]
  /** Conditions that failed with all their data present (`flow-invalid`); their steps count as undecided. */
  readonly errors: readonly WaymarkError[]
}

/** The leaf step of that id. Throws `step-unknown`. */
export function leafOf(flow: Flow, step: StepId): Leaf {
  const leaf = flow.leaves.get(step)
  if (leaf !== undefined) return leaf
  throw new WaymarkError(
    'step-unknown',
    `Flow "${flow.id}" has no step "${step}". Use one of: ${[...flow.leaves.keys()].join(', ')}.`,
    { details: { flow: flow.id, step } },
  )
}

/** The steps with fields that must not lie anywhere in clear, and those fields. */
export function sensitiveFieldsOf(flow: Flow): ReadonlyMap<StepId, readonly string[]> {
  const leaves = [...flow.leaves.values()]
  return new Map(leaves.flatMap(({ id, sensitive }) => (sensitive?.length ? [[id, sensitive] as const] : [])))
}

/** The leaves under a node, in listed order. */
export function leavesOf(node: StepNode): readonly Leaf[] {
  return node.leaf !== undefined ? [node.leaf] : (node.children ?? []).flatMap(leavesOf)
}
