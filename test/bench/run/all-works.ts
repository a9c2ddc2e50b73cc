import type { Engine } from '../../support/engines.ts'
import type { Result } from '../page/result.ts'
import { type Row, toRow } from '../report/rows.ts'
import { subjectNotes } from '../report/subject-notes.ts'
import { runInBrowser } from './in-browser.ts'
import { installPeers } from './install-peers.ts'
import { measureMemory } from './memory.ts'
import { measureServer } from './server.ts'
import { measureSizeRows } from './sizes.ts'

export const works = [
  ...(['change', 'save', 'main-thread', 'checkpoint', 'burst', 'typing', 'open', 'list'] as const),
  ...(['offline', 'growth', 'writers', 'memory', 'server', 'size'] as const),
] as const
type Work = (typeof works)[number]

/** Bundling takes longer than all a quick run may. */
export const quickWorks = works.filter((work) => work !== 'size')

/** Those that need no browser, and run once. */
const inNode: readonly string[] = ['server', 'size']

export interface RunOutcome {
  readonly rows: Row[]
  /** In words; a run without any is whole. */
  readonly failures: string[]
}

export async function runBench(options: {
  readonly engines: readonly Engine[]
  readonly works: readonly string[]
  readonly isQuick: boolean
  readonly onProgress: (line: string) => void
}): Promise<RunOutcome> {
  installPeers()
  const { isQuick, onProgress } = options
  const rows: Row[] = []
  const failures: string[] = []
  const run = async (engine: Engine | 'node', work: Work) => {
    const start = Date.now()
    const once = () => measure(engine, work, isQuick).catch((error: unknown) => String(error))
    let outcome = await once()
    if (typeof outcome === 'string') {
      // A browser now and then does not come up; what is wrong with the work itself fails again.
      onProgress(`${engine} ${work}: failed, tried once more: ${outcome.split('\n')[0]}`)
      outcome = await once()
    }
    const isFailed = typeof outcome === 'string'
    if (typeof outcome === 'string') failures.push(`${engine} ${work}: ${outcome}`)
    else rows.push(...outcome.map((result) => toRow(engine, result)))
    const took = Math.round((Date.now() - start) / 1_000)
    onProgress(`${engine} ${work}: ${isFailed ? 'failed' : 'measured'}, ${took} s`)
  }
  for (const work of options.works.filter((one) => inNode.includes(one))) await run('node', work as Work)
  for (const engine of options.engines) {
    for (const work of options.works.filter((one) => !inNode.includes(one))) await run(engine, work as Work)
  }
  return { rows, failures }
}

/** What was measured, or why not. */
async function measure(engine: Engine | 'node', work: Work, isQuick: boolean): Promise<Result[] | string> {
  if (work === 'size') return measureSizeRows()
  if (work === 'server' || engine === 'node') return measureServer(isQuick)
  if (work === 'memory') return measureMemory(engine, Object.keys(subjectNotes), isQuick)
  const report = await runInBrowser(engine, work, isQuick)
  if (report.type === 'failed') return report.message
  return report.isIsolated ? [...report.results] : "the page's clock is coarse"
}
