import type { Clock } from '../base/clock.ts'
import type { Flow } from '../flow/definition.ts'
import type { Backend } from '../protocol/backend.ts'
import { audit } from './audit.ts'
import { perform } from './perform.ts'
import { type OperationGroup, type PlanOptions, planWorld } from './plan.ts'
import type { TypingOf } from './typist.ts'
import { createWorld, type World } from './world.ts'

/** How one seed went. */
export interface SeedRun {
  readonly seed: number
  readonly violations: readonly string[]
  readonly mix: Readonly<Record<OperationGroup, number>>
  /** Everything that happened, as one number. */
  readonly trace: number
  /** What happened, in words, by operation. */
  readonly operations: readonly { readonly id: number; readonly words: string }[]
}

export interface SeedOptions extends PlanOptions {
  readonly flow: Flow
  readonly newerFlow: Flow | undefined
  readonly typing: TypingOf
  readonly backend: ((context: { readonly clock: Clock }) => Backend) | undefined
}

/** Runs one seed: all of its operations, or those in `only`. */
export async function runSeed(options: SeedOptions, only?: ReadonlySet<number>): Promise<SeedRun> {
  const { seed } = options
  const plan = planWorld(options)
  const world = createWorld({ ...options, plan })
  const operations: { id: number; words: string }[] = []
  for (const operation of [...plan.operations, ...plan.spareTrouble]) {
    const isWanted = operation.id < plan.operations.length || world.mix.faults < plan.leastFaults
    if (only === undefined ? !isWanted : !only.has(operation.id)) continue
    const words = perform(world, operation)
    operations.push({ id: operation.id, words: words ?? 'nothing but time' })
    await pass(world, operation.id)
    if (world.witness.violations.length > 0) break
  }
  if (world.witness.violations.length === 0) await audit(world)
  const { violations } = world.witness
  return { seed, violations, mix: world.mix, trace: world.trace, operations }
}

/** Time passes after an operation: none at all, a few events, or up to minutes. */
async function pass(world: World, id: number): Promise<void> {
  const { scheduler } = world
  const dice = world.dice(7, id)
  const kind = dice.next()
  if (kind < 0.2) return
  if (kind < 0.5) {
    const count = 1 + dice.below(8)
    for (let i = 0; i < count; i++) await scheduler.step(scheduler.now + 1_000)
    return
  }
  const [from, to] =
    kind < 0.75 ? [0.1, 20] : kind < 0.9 ? [20, 1_000] : kind < 0.97 ? [1_000, 8_000] : [8_000, 90_000]
  await scheduler.advance(dice.between(from!, to!))
}
