/** Puts one bug after another into the library and looks whether it is found. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { bundle, type Patch } from '../bundle.ts'
import { runSeeds } from '../run-seeds.ts'
import type { Plant } from './plant.ts'
import { plantsOfJournal } from './plants-of-journal.ts'
import { plantsOfMerge } from './plants-of-merge.ts'
import { plantsOfPages } from './plants-of-pages.ts'
import { plantsOfStorage } from './plants-of-storage.ts'
import { plantsOfSync } from './plants-of-sync.ts'

export const plants: readonly Plant[] = [
  ...plantsOfStorage,
  ...plantsOfJournal,
  ...plantsOfSync,
  ...plantsOfMerge,
  ...plantsOfPages,
]

/** Seeds looked at first; and where a change elsewhere made other runs of them, from 1 on. */
const firstSeeds = 2
const mostSeeds = 400
/** Failed seeds looked at, of which the first may be crashes. */
const mostFailures = 5

export interface Found {
  readonly name: string
  /** The seed that found it; `undefined` where a case did. */
  readonly seed: number | undefined
  /** What did not hold, in words. */
  readonly violation: string
}

/** The nets beside the simulator, and what runs their cases. */
export const caseNets = ['store', 'pages'] as const

/** The seeds that found it before; `undefined` where cases do. */
export function seedsOf({ net, seed = 1 }: Plant): { seed: number; seeds: number } | undefined {
  return net === 'simulator' ? { seed, seeds: firstSeeds } : undefined
}

/** What found the bug, `undefined` where nothing did. */
export async function findPlant(plant: Plant, workers?: number): Promise<Found | undefined> {
  const { name, net, also = [] } = plant
  if (net !== 'simulator') {
    const [violation] = await caseFailures(net, [plant, ...also])
    return violation === undefined ? undefined : { name, seed: undefined, violation }
  }
  const script = await bundle('test/faults/seeds-worker.ts', [plant, ...also])
  const sound = await bundle('test/faults/seeds-worker.ts')
  for (const range of [seedsOf(plant)!, { seed: 1, seeds: mostSeeds }]) {
    const options = { isShrunk: false, ...(workers === undefined ? {} : { workers }) }
    const { failures } = await runSeeds({ ...range, ...options, script, mostFailures })
    for (const { seed, violations } of failures) {
      const violation = violations.find((words) => !isCrash(words))
      if (violation === undefined) continue
      // A seed in which the library as it is fails too has found something else.
      const { failures: anyway } = await runSeeds({
        seed,
        seeds: 1,
        ...options,
        script: sound,
        mostFailures: 1,
      })
      if (anyway.length === 0) return { name, seed, violation }
    }
  }
  return undefined
}

/** What throws or hangs is found by anything: that shows nothing of the rules. */
function isCrash(violation: string): boolean {
  return violation.startsWith('threw') || violation.startsWith('hung')
}

/** The cases of a net that the library fails with these patches. */
export async function caseFailures(
  net: (typeof caseNets)[number],
  patches: readonly Patch[] = [],
): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'waymark-faults-'))
  const file = join(directory, 'cases.mjs')
  try {
    await writeFile(file, await bundle(`test/faults/planted/${net}-worker.ts`, patches))
    const worker = new Worker(file)
    try {
      return await new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    } finally {
      await worker.terminate()
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}
