/**
 * The simulator: people with several tabs and devices go through a flow while everything fails that can, and what they
 * were told is held against what is there in the end.
 *
 *   seed ─► plan (plan.ts) ─► operations on a world (world.ts, perform.ts) ─► all trouble ends, all is compared (audit.ts)
 *                                    │
 *                                 witness (witness.ts): what was typed and told, and what may legally not be there
 *
 * Invariants
 * - It drives the library itself, through the ports it has: store, backend, clock, random, tabs, locks, page life.
 * - The same seed and options give the same run, to the last event.
 * - Nothing of a failure is hidden: it comes with the shortest story found in which the same rule is broken.
 */
import type { Clock } from '../base/clock.ts'
import type { StepIdOf, StepInput } from '../flow/answers-of.ts'
import { type Flow, leafOf } from '../flow/definition.ts'
import type { Backend } from '../protocol/backend.ts'
import { mix } from './dice.ts'
import type { OperationGroup } from './plan.ts'
import { runSeed, type SeedOptions } from './run-seed.ts'
import { newerSampleFlow, sampleFlow, sampleTyping } from './sample-flow.ts'
import { shrink } from './shrink.ts'
import type { TypingOf, Typist } from './typist.ts'

export interface SimulateOptions<F extends Flow = Flow> {
  /** What people go through. Default: a small flow with a branch, a list, an optional step and a required field. */
  readonly flow?: F
  /** A newer version of it: in some seeds it is deployed while people are at it. Default: none, but for the default flow. */
  readonly newerFlow?: F
  /** What is typed into each step: fields, or one item of a repeatable step. A step left out gets a text as `answer`. */
  readonly type?: { readonly [Id in StepIdOf<F>]?: (typist: Typist) => Typed<F, Id> }
  /**
   * Makes the backend of one seed, with a server that holds nothing yet; `false` for none. It must answer without waiting
   * for the given clock. Default: the rules of the real server, in memory.
   */
  readonly backend?: false | ((context: { readonly clock: Clock }) => Backend)
  /** The first seed. Default 1. */
  readonly seed?: number
  /** How many seeds. Default 100. */
  readonly seeds?: number
  /** Operations in each. Default 125. */
  readonly operations?: number
  /** Most devices. Default 3. */
  readonly devices?: number
  /** Most pages open at once on a device. Default 3. */
  readonly pages?: number
  /** False for days on which nothing fails. Default true. */
  readonly hasFaults?: boolean
  /** How many failed seeds end it. Default 1. */
  readonly failures?: number
  /** False to leave the story of a failed seed as long as it was. Default true. */
  readonly isShrunk?: boolean
  /** Called after each seed, with what happened in it. */
  readonly onSeed?: (seed: number, mix: SimulationReport['mix']) => void
}

/** Some of a step's fields, or of one item of a repeatable step. */
type Typed<F extends Flow, Id extends StepIdOf<F>> =
  StepInput<F, Id> extends readonly (infer Item)[] ? Partial<Omit<Item, 'key'>> : StepInput<F, Id>

export interface SimulationReport {
  readonly seeds: number
  /** Sum of `mix`. */
  readonly operations: number
  /** What people typed, other things they did, faults that struck, jumps of a clock, ends of pages and devices. */
  readonly mix: Readonly<Record<OperationGroup, number>>
  readonly failures: readonly SimulationFailure[]
  /** The same for the same options: everything that happened, as one number. */
  readonly fingerprint: number
}

export interface SimulationFailure {
  readonly seed: number
  /** What did not hold, each beginning with a word for the rule. */
  readonly violations: readonly string[]
  /** The shortest story found, in words. */
  readonly story: readonly string[]
}

/**
 * Runs seeds until one fails, or all have passed. Rejects only where an option cannot work.
 *
 * @example
 * const { failures } = await simulate({ flow, type: { you: (typist) => ({ name: typist.text() }) }, seeds: 50 })
 * expect(failures).toEqual([])
 */
export async function simulate<F extends Flow>(options: SimulateOptions<F> = {}): Promise<SimulationReport> {
  assertSteps(options)
  const { seed: first = 1, seeds = 100, failures: mostFailures = 1, isShrunk = true, onSeed } = options
  // Loaded behind the first paint elsewhere; here nothing may depend on how long that takes.
  await Promise.all([import('../sync/sync.ts'), import('../journal/ledger.ts')])
  const total = { writes: 0, moves: 0, faults: 0, jumps: 0, deaths: 0 }
  const failures: SimulationFailure[] = []
  let fingerprint = 0
  let run = 0
  for (let seed = first; seed < first + seeds && failures.length < mostFailures; seed++) {
    const seedOptions = optionsOf(options, seed)
    const outcome = await runSeed(seedOptions)
    run += 1
    fingerprint = mix(fingerprint ^ outcome.trace)
    for (const group of Object.keys(total) as OperationGroup[]) total[group] += outcome.mix[group]
    if (outcome.violations.length > 0) {
      const { violations, operations } = isShrunk ? await shrink(seedOptions, outcome) : outcome
      failures.push({ seed, violations, story: operations.map(({ id, words }) => `${id} ${words}`) })
    }
    onSeed?.(seed, outcome.mix)
  }
  const operations = Object.values(total).reduce((sum, count) => sum + count, 0)
  return { seeds: run, operations, mix: total, failures, fingerprint }
}

function assertSteps({ flow, type = {} }: Pick<SimulateOptions, 'flow' | 'type'>): void {
  for (const step of Object.keys(type)) if (flow !== undefined) leafOf(flow, step)
}

function optionsOf<F extends Flow>(options: SimulateOptions<F>, seed: number): SeedOptions {
  const { flow, backend } = options
  const newerFlow = options.newerFlow ?? (flow === undefined ? newerSampleFlow : undefined)
  const typing = options.type ?? (flow === undefined ? sampleTyping : {})
  return {
    seed,
    flow: flow ?? sampleFlow,
    newerFlow,
    typing: typing as TypingOf,
    backend: backend === false ? undefined : backend,
    operations: options.operations ?? 125,
    devices: options.devices ?? 3,
    pages: options.pages ?? 3,
    hasBackend: backend !== false,
    hasFaults: options.hasFaults ?? true,
    hasNewerFlow: newerFlow !== undefined,
    canRestore: backend === undefined,
  }
}
