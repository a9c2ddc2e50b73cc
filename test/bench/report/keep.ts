/**
 * Writes what a run measured to where it stays: results.json, the plots, and the tables in README. From results.json
 * the rest can be made again: `npx tsx test/bench/report/keep.ts`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { engines, requireEngine } from '../../support/browsers.ts'
import { webkitEnvironment } from '../../support/webdriver.ts'
import { peerVersions } from '../run/install-peers.ts'
import { judge } from './budgets.ts'
import { drawPlots } from './plots.ts'
import { intoReadme, readmeTables } from './readme-tables.ts'
import { plotsFolder, type Results, readResults, resultsFile } from './results.ts'
import type { Row } from './rows.ts'

const readmeFile = fileURLToPath(new URL('../../../README.md', import.meta.url))

/** What failed is kept too: its figures are missing, and README says so. */
export async function keepRun(rows: readonly Row[], failures: readonly string[]): Promise<void> {
  const versions: [string, string][] = []
  for (const engine of engines) versions.push([engine, await versionOf(engine)])
  const losses = readResults()?.losses
  keep({
    date: today(),
    machine: { cores: availableParallelism(), node: process.versions.node },
    engines: Object.fromEntries(versions),
    peers: peerVersions(),
    // The first line says which, the others are where in the code.
    failures: failures.map((failure) => failure.split('\n')[0] ?? ''),
    rows,
    budgets: judge([...rows, ...(losses?.rows ?? [])]),
    ...(losses === undefined ? {} : { losses }),
  })
}

export function keepLosses(rows: readonly Row[]): void {
  const results = readResults()
  if (results === undefined) throw new Error('There are no results to add to. Type: npm run bench -- --keep')
  keep({ ...results, budgets: judge([...results.rows, ...rows]), losses: { date: today(), rows } })
}

function keep(results: Results): void {
  writeFileSync(resultsFile, toText(results))
  draw(results)
}

/** Every row on a line of its own: the next run can be compared by eye. */
function toText({ rows, budgets, losses, ...head }: Results): string {
  const lines = (items: readonly object[]) => `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`
  const parts = [
    JSON.stringify(head, undefined, 2).slice(0, -2),
    `"rows": ${lines(rows)}`,
    `"budgets": ${lines(budgets)}`,
    ...(losses ? [`"losses": {"date": ${JSON.stringify(losses.date)}, "rows": ${lines(losses.rows)}}`] : []),
  ]
  return `${parts.join(',\n')}\n}\n`
}

function draw(results: Results): void {
  mkdirSync(plotsFolder, { recursive: true })
  for (const [name, svg] of Object.entries(drawPlots(results)))
    writeFileSync(`${plotsFolder}${name}.svg`, svg)
  writeFileSync(readmeFile, intoReadme(readFileSync(readmeFile, 'utf8'), readmeTables(results)))
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

/** The number alone: browsers add where they were packaged. */
async function versionOf(engine: (typeof engines)[number]): Promise<string> {
  const env = engine === 'webkit' ? await webkitEnvironment() : process.env
  const { stdout } = spawnSync(requireEngine(engine).executable, ['--version'], { encoding: 'utf8', env })
  return /\d+(?:\.\d+)+\w*/.exec(stdout)?.[0] ?? 'unknown'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const results = readResults()
  if (results === undefined) throw new Error('There are no results to draw. Type: npm run bench -- --keep')
  draw(results)
}
