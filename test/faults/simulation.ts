/**
 * `npm run faults`: people with several tabs and devices go through a flow while everything fails that can, thousands of
 * times, and the library must keep what it promised; then bugs are put into the library, and each must be found.
 *
 *     npm run faults -- [--seed 1] [--seeds 10000] [--quick] [--json]
 *
 * The same seeds give the same runs. With `--seeds` only these are run, and no bugs are planted: the command that is
 * printed with a failed seed. `--quick` is a hundred seeds and all bugs, in under a minute where nothing else runs. It ends
 * with 1 where anything was violated or a planted bug was not found. `--json` prints one object on stdout, all numbers:
 * `{ seeds, operations, mix, fewestFaults, violations, planted: { total, caught }, seconds }`.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { SimulationFailure } from '../../src/testing/simulate.ts'
import { bundle } from './bundle.ts'
import { caseFailures, caseNets, findPlant, plants } from './planted/find-plants.ts'
import { runSeeds, type SeedsReport } from './run-seeds.ts'

const usualSeeds = 10_000
const quickSeeds = 100
const mostFailures = 5

/** What the command line asks for, reported there; the exit code tells whether it is clean. */
export async function simulation(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const seed = Number(values.seed ?? 1)
  const seeds = Number(values.seeds ?? (values.quick ? quickSeeds : usualSeeds))
  if (!Number.isInteger(seed) || !Number.isInteger(seeds) || seeds < 1) {
    console.error('faults: --seed and --seeds are whole numbers')
    process.exitCode = 2
    return
  }
  const say = values.json ? console.error : console.log
  const startedAt = performance.now()
  say(`faults: ${seeds} seeds from ${seed}`)
  const script = await bundle('test/faults/seeds-worker.ts')
  const report = await runSeeds({
    ...{ script, seed, seeds, mostFailures, isShrunk: true },
    onProgress(done) {
      if (done % 1_000 === 0) say(`${done} seeds, ${secondsSince(startedAt)} s`)
    },
  })
  for (const failure of report.failures) tell(failure, say)
  say(`${wordsOf(report)} in ${secondsSince(startedAt)} s`)
  const isWhole = values.seeds === undefined
  // What finds bugs must find none in the library as it is.
  const broken = isWhole ? (await Promise.all(caseNets.map((net) => caseFailures(net)))).flat() : []
  for (const words of broken) say(words)
  const planted = isWhole ? await findPlants(say) : { total: 0, caught: 0 }
  const violations = report.failures.length + broken.length
  if (values.json) {
    const { seeds: run, operations, mix, fewestFaults } = report
    const seconds = secondsSince(startedAt)
    console.log(JSON.stringify({ seeds: run, operations, mix, fewestFaults, violations, planted, seconds }))
  }
  process.exitCode = violations === 0 && planted.caught === planted.total ? 0 : 1
}

function wordsOf({ seeds, operations, mix, fewestFaults, failures }: SeedsReport): string {
  const groups = Object.entries(mix).map(([group, count]) => `${count} ${group}`)
  return `${seeds} seeds: ${operations} operations (${groups.join(', ')}), at least ${fewestFaults} faults a seed, ${failures.length} violations`
}

function tell({ seed, violations, story }: SimulationFailure, say: (line: string) => void): void {
  say(`\nseed ${seed}`)
  for (const violation of violations) say(`  ${violation}`)
  for (const line of story) say(`    ${line}`)
  say(`  again: npm run faults -- --seed ${seed} --seeds 1\n`)
}

async function findPlants(say: (line: string) => void): Promise<{ total: number; caught: number }> {
  const left = [...plants]
  let caught = 0
  const search = async () => {
    for (let plant = left.shift(); plant !== undefined; plant = left.shift()) {
      if ((await findPlant(plant, 1)) !== undefined) caught += 1
      else say(`not found: a library that ${plant.name}`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, search))
  say(`${caught} of ${plants.length} planted bugs found`)
  return { total: plants.length, caught }
}

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 1_000)
}
