import type { AnswersIn, FieldNames, MergeOptions } from './answers-of.ts'
import { buildNodes } from './build-nodes.ts'
import { checkDefinition } from './check-definition.ts'
import type { CheckpointRule } from './definition.ts'
import { type Expiry, type Flow, leavesOf } from './definition.ts'
import type { StandardSchemaV1 } from './standard-schema.ts'
import { structuralHash } from './structural-hash.ts'

/** A step as written: `S` are the kinds of all steps of its flow, `T` its own. */
export type Step<S, T> = StepOptions<S> & { [K in keyof T & keyof StepKinds]: T[K] & StepKinds[K] } & {
  /** What stands where two tabs or devices changed one field; default `latest` for all. Not for sub-flows. */
  readonly merge?: MergeOptions<NoInfer<T>>
  /**
   * Fields that must not lie anywhere in clear, of each item where the step repeats. A flow with any is opened only where
   * `createWaymark` encrypts, and an export without a passphrase leaves them out. Not for sub-flows.
   */
  readonly sensitive?: FieldNames<NoInfer<T>>
}

export interface StepOptions<S> {
  readonly title: string
  readonly description?: string
  /**
   * Whether the step is on the path; default always. A pure function: it runs at any change, on answers that may be
   * partial. Reading a field nobody answered yet makes the step undecided.
   */
  readonly when?: (answers: AnswersIn<S>) => boolean
  /** Where to go from here, the first that holds; default the step listed next. */
  readonly next?: readonly NextOptions<S>[]
  /** May be passed over or skipped; default false. */
  readonly optional?: boolean
  /** Its share of the progress, a positive number; default 1. */
  readonly weight?: number
  /** A step worth a checkpoint where the flow takes them at milestones; default false. */
  readonly milestone?: boolean
}

export interface NextOptions<S> {
  readonly to: keyof S & string
  readonly when?: (answers: AnswersIn<S>) => boolean
}

/** At most one of these. A step with none takes any JSON object. */
export interface StepKinds {
  /** Any Standard Schema. Answers are its input, partial; only a finished step is validated. */
  readonly schema?: StandardSchemaV1
  /** The schema of one item: the step repeats, its answers are a list of objects with a `key` of their own. */
  readonly each?: StandardSchemaV1
  /** A flow in the place of a step. Its conditions see its own answers by its own keys. */
  readonly flow?: Flow
}

/**
 * Defines a journey: steps in listed order, typed from their schemas to their answers. The result is frozen and holds
 * no session. Throws `flow-invalid` where the definition cannot work; {@link lint} finds what merely looks wrong.
 *
 * @example
 * const flow = defineFlow({
 *   id: 'mortgage',
 *   title: 'Mortgage application',
 *   steps: {
 *     applicant: { title: 'About you', schema: z.object({ name: z.string(), joint: z.boolean() }) },
 *     partner: { title: 'Your partner', when: ({ applicant }) => applicant?.joint === true },
 *     review: { title: 'Check your answers' },
 *   },
 * })
 */
export function defineFlow<const Id extends string, S>(definition: {
  readonly id: Id
  /** A positive integer; default 1. */
  readonly version?: number
  readonly title: string
  /**
   * When a checkpoint is taken, from which a session is restored and which `toState()` lists: at every `change`, every
   * finished `step` (the default), or at steps marked as `milestone`. A sub-flow's own choice does not count.
   */
  readonly checkpoints?: CheckpointRule
  /**
   * Ends a session `afterMs` after its last change, in milliseconds, and warns `warnMs` before (default: a tenth of it, a
   * day at most). Nothing is deleted: see `waymark.tidy()`. Default: never.
   */
  readonly expiry?: { readonly afterMs: number; readonly warnMs?: number }
  readonly steps: { readonly [K in keyof S]: Step<NoInfer<S>, S[K]> }
}): Flow<Id, S> {
  checkDefinition(definition)
  const { id, version = 1, title, checkpoints = 'step', expiry } = definition
  const nodes = buildNodes(definition.steps)
  return Object.freeze({
    id,
    version,
    title,
    checkpoints,
    ...(expiry === undefined ? {} : { expiry: Object.freeze(withWarning(expiry)) }),
    ref: Object.freeze({ id, version, hash: structuralHash(id, nodes) }),
    leaves: new Map(nodes.flatMap(leavesOf).map((leaf) => [leaf.id, leaf])),
    '~nodes': nodes,
    '~paths': new WeakMap(),
    '~verdicts': new WeakMap(),
  })
}

const dayMs = 86_400_000

function withWarning({
  afterMs,
  warnMs = Math.min(afterMs / 10, dayMs),
}: {
  afterMs: number
  warnMs?: number
}): Expiry {
  return { afterMs, warnMs }
}
