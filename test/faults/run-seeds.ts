/** Spreads seeds over worker threads, each with a bundle of the simulator and the library. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { SimulationFailure, SimulationReport } from '../../src/testing/simulate.ts'
import type { SeedsAsked, SeedsDone } from './seeds-worker.ts'

export interface RunSeedsOptions {
  /** Text of a bundled `seeds-worker.ts`. */
  readonly script: string
  /** The first seed, and how many. */
  readonly seed: number
  readonly seeds: number
  /** Most threads. Default: one for each processor. */
  readonly workers?: number
  /** Whether stories of failed seeds are made short. */
  readonly isShrunk: boolean
  /** How many failed seeds end it. */
  readonly mostFailures: number
  readonly onProgress?: (seedsDone: number) => void
}

export interface SeedsReport {
  readonly seeds: number
  readonly operations: number
  readonly mix: SimulationReport['mix']
  /** The fewest faults that struck in a seed. */
  readonly fewestFaults: number
  readonly failures: readonly SimulationFailure[]
}

/** Seeds a worker is given at a time. */
const seedsAtATime = 20
/** A seed takes a tenth of a second; one whose story is made short, half a minute. */
const patienceMs = 240_000

/** What a thread dies of, or hangs at, is a failure of the seeds it had. */
export async function runSeeds(options: RunSeedsOptions): Promise<SeedsReport> {
  const { script, seed: first, seeds, workers = availableParallelism(), mostFailures, onProgress } = options
  const left: SeedsAsked[] = []
  for (let seed = first; seed < first + seeds; seed += seedsAtATime) {
    left.push({ seed, seeds: Math.min(seedsAtATime, first + seeds - seed), isShrunk: options.isShrunk })
  }
  const mix = { writes: 0, moves: 0, faults: 0, jumps: 0, deaths: 0 }
  const failures: SimulationFailure[] = []
  let run = 0
  let fewestFaults = Number.POSITIVE_INFINITY

  async function work(file: string): Promise<void> {
    let worker = new Worker(file)
    try {
      for (let asked = left.shift(); asked !== undefined; asked = left.shift()) {
        const done = await ask(worker, asked)
        run += done.seeds
        fewestFaults = Math.min(fewestFaults, done.fewestFaults)
        for (const group of Object.keys(mix) as (keyof typeof mix)[]) mix[group] += done.mix[group]
        failures.push(...done.failures)
        onProgress?.(run)
        if (done.isThreadOver) {
          await worker.terminate()
          worker = new Worker(file)
        }
        if (failures.length >= mostFailures) left.length = 0
        else if (done.seeds < asked.seeds) {
          left.unshift({ ...asked, seed: asked.seed + done.seeds, seeds: asked.seeds - done.seeds })
        }
      }
    } finally {
      await worker.terminate()
    }
  }

  // A file: the stack of every error would say all of a `data:` URL.
  const directory = await mkdtemp(join(tmpdir(), 'waymark-faults-'))
  try {
    const file = join(directory, 'seeds.mjs')
    await writeFile(file, script)
    await Promise.all(Array.from({ length: Math.min(workers, left.length) }, () => work(file)))
  } finally {
    await rm(directory, { recursive: true })
  }
  const operations = Object.values(mix).reduce((sum, count) => sum + count, 0)
  return { seeds: run, operations, mix, fewestFaults, failures: failures.sort((a, b) => a.seed - b.seed) }
}

type Answer = SeedsDone & { readonly isThreadOver?: true }

function ask(worker: Worker, asked: SeedsAsked): Promise<Answer> {
  const range = `seeds ${asked.seed} to ${asked.seed + asked.seeds - 1}`
  let settle = () => {}
  const answer = new Promise<Answer>((resolve) => {
    const fail = (violation: string) =>
      resolve({
        ...{ seeds: asked.seeds, operations: 0, fingerprint: 0, fewestFaults: Number.POSITIVE_INFINITY },
        isThreadOver: true,
        mix: { writes: 0, moves: 0, faults: 0, jumps: 0, deaths: 0 },
        failures: [{ seed: asked.seed, violations: [violation], story: [] }],
      })
    const onError = (error: Error) => fail(`threw: ${range} ended their thread: ${error.stack ?? error}`)
    const impatience = setTimeout(() => fail(`hung: ${range} did not end`), patienceMs)
    worker.once('message', resolve)
    worker.once('error', onError)
    settle = () => {
      clearTimeout(impatience)
      worker.off('message', resolve)
      worker.off('error', onError)
    }
  })
  worker.postMessage(asked)
  return answer.finally(settle)
}
