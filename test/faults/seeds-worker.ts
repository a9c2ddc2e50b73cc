/** Runs the seeds it is asked for in a thread of its own. It is bundled with the library: `bundle.ts`. */
import { parentPort } from 'node:worker_threads'
import { type SimulationReport, simulate } from '../../src/testing/simulate.ts'

export interface SeedsAsked {
  readonly seed: number
  readonly seeds: number
  readonly isShrunk: boolean
}

export interface SeedsDone extends SimulationReport {
  /** The fewest faults that struck in a seed that did not fail. */
  readonly fewestFaults: number
}

parentPort?.on('message', async (asked: SeedsAsked) => {
  let fewestFaults = Number.POSITIVE_INFINITY
  const report = await simulate({
    ...asked,
    failures: 1,
    onSeed(_seed, { faults }) {
      fewestFaults = Math.min(fewestFaults, faults)
    },
  })
  const isWhole = report.failures.length === 0
  parentPort?.postMessage({ ...report, fewestFaults: isWhole ? fewestFaults : Number.POSITIVE_INFINITY })
})
