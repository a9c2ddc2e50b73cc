/**
 * `npm run bench`: what a change, an opening and a list cost, beside the bare database and beside peers, in three
 * engines on profiles on disk. Every ratio is of one loop in one page.
 *
 *     npm run bench -- [--quick] [--engine chromium] [--work change] [--json]
 *
 * `--json` prints one object, `{ rows, budgets }`; the words go to stderr. The peers are installed beside the benchmark
 * at its first run, pinned by their lock file, and never by `npm install`. It ends with 1 where a work failed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createProfile, type Engine, engines, launchEngine, removeProfile } from '../support/engines.ts'
import { servePage } from '../support/page-server.ts'
import { type Budget, judge } from './budgets.ts'
import type { Report } from './page/run-work.ts'
import { type Row, toRow } from './rows.ts'

const works = ['change', 'save', 'burst', 'typing', 'open', 'list', 'offline', 'growth'] as const
const peers = fileURLToPath(new URL('peers', import.meta.url))
const patienceMs = 600_000

export async function runBench(options: {
  readonly engines: readonly Engine[]
  readonly works: readonly string[]
  readonly isQuick: boolean
  readonly onProgress: (line: string) => void
}): Promise<{ rows: Row[]; budgets: Budget[]; failures: string[] }> {
  installPeers()
  const { onProgress } = options
  const rows: Row[] = []
  const failures: string[] = []
  for (const engine of options.engines) {
    for (const work of options.works) {
      const start = Date.now()
      const report = await measure(engine, work, options.isQuick)
      if (report.type === 'failed') failures.push(`${engine} ${work}: ${report.message}`)
      else {
        if (!report.isIsolated) failures.push(`${engine} ${work}: the page's clock is coarse`)
        rows.push(...report.results.map((result) => toRow(engine, result)))
      }
      onProgress(`${engine} ${work}: ${report.type}, ${Math.round((Date.now() - start) / 1_000)} s`)
    }
  }
  return { rows, budgets: judge(rows), failures }
}

async function measure(engine: Engine, work: string, isQuick: boolean): Promise<Report> {
  const server = await servePage<Report>('test/bench/peers/bench-page.ts', {
    isIsolated: true,
  })
  const profileDir = createProfile(engine)
  const browser = await launchEngine(engine, {
    profileDir,
    url: `${server.url}?work=${work}${isQuick ? '&quick' : ''}`,
  })
  try {
    return await server.waitFor(() => true, patienceMs)
  } catch (error) {
    return { type: 'failed', work, message: String(error) }
  } finally {
    await browser.kill()
    await server.close()
    removeProfile(profileDir)
  }
}

function installPeers(): void {
  if (existsSync(`${peers}/node_modules/dexie`)) return
  console.error('bench: installing the peers it compares with')
  const { status } = spawnSync(
    'npm',
    ['ci', '--prefix', peers, '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  if (status !== 0) throw new Error(`The peers could not be installed. Type: npm ci --prefix ${peers}`)
}

function print(rows: readonly Row[], budgets: readonly Budget[]): void {
  const ms = (value: number | null) => (value === null ? '' : value.toFixed(2)).padStart(9)
  const times = (value: number | null) => (value === null ? '' : `${value.toFixed(2)} ×`).padStart(9)
  let heading = ''
  for (const row of rows) {
    const under = `${row.work}, ${row.size}, ${row.engine}`
    if (under !== heading) console.log(`\n${under.padEnd(46)}   p50 ms   p99 ms  × floor`)
    heading = under
    const counts = Object.entries(row.counts ?? {}).map(([what, count]) => `${what} ${count}`)
    const rest = [counts.join(', '), row.note ?? ''].filter((text) => text !== '').join('; ')
    console.log(
      `  ${row.subject.padEnd(44)} ${ms(row.p50Ms)}${ms(row.p99Ms)}${times(row.ratioToFloor)}  ${rest}`,
    )
  }
  console.log('\nbudgets, the worst engine')
  for (const { name, limit, measured, met } of budgets) {
    const verdict = met === null ? 'not run' : met ? 'met' : 'OVER'
    console.log(`  ${verdict.padEnd(8)} ${name}: ${measured?.toFixed(2) ?? '-'} of ${limit}`)
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      engine: { type: 'string', multiple: true },
      work: { type: 'string', multiple: true },
    },
  })
  const wanted = (values.engine ?? engines) as readonly Engine[]
  const chosen = values.work ?? works
  if (wanted.some((one) => !engines.includes(one)) || chosen.some((one) => !works.includes(one as never))) {
    console.error(`bench: --engine is one of ${engines.join(', ')}; --work one of ${works.join(', ')}`)
    process.exitCode = 2
    return
  }
  const { rows, budgets, failures } = await runBench({
    engines: wanted,
    works: chosen,
    isQuick: values.quick,
    onProgress: (line) => console.error(line),
  })
  if (values.json) console.log(JSON.stringify({ rows, budgets }))
  else print(rows, budgets)
  for (const failure of failures) console.error(failure)
  process.exitCode = failures.length > 0 ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
