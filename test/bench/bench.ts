/**
 * `npm run bench`: what a change, an opening and a list cost, beside the bare database and beside peers, in three
 * engines on profiles on disk. Every ratio is of one loop in one page.
 *
 *     npm run bench -- [--quick] [--engine chromium] [--work change] [--json]
 *     npm run bench -- --losses [--kills 20]     acknowledged changes lost under SIGKILL, Chromium and Firefox
 *     npm run bench -- --keep                    the whole run, or with --losses that part of it, is written to
 *                                                results.json, to plots/ and into README
 *
 * `--json` prints one object, `{ rows, budgets }`; the words go to stderr. The peers are installed beside the benchmark
 * at its first run, pinned by their lock file, and never by `npm install`. It ends with 1 where a work failed; a budget
 * that is missed is told, and is no failure.
 *
 *     page/      what runs in the browser: the works, and Waymark as one of their subjects
 *     peers/     the other subjects, with a package.json of their own
 *     run/       starts the browsers, the server and the kills
 *     report/    rows, budgets, notes, plots and README's table
 *     weigh/     bundles and weighs, for `npm run size` (size.ts)
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Engine, engines } from '../support/engines.ts'
import { judge } from './report/budgets.ts'
import { keepLosses, keepRun } from './report/keep.ts'
import { printReport } from './report/print.ts'
import { readResults } from './report/results.ts'
import { runLosses } from './run/all-losses.ts'
import { quickWorks, runBench, works } from './run/all-works.ts'

const lossEngines = ['chromium', 'firefox'] as const

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      losses: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      kills: { type: 'string', default: '20' },
      engine: { type: 'string', multiple: true },
      work: { type: 'string', multiple: true },
    },
  })
  const { losses: isLosses, quick: isQuick, keep: isKept } = values
  const all: readonly string[] = isLosses ? lossEngines : engines
  const wanted = values.engine ?? all
  const chosen = values.work ?? (isQuick ? quickWorks : works)
  const kills = Number(values.kills)
  const isPart = values.engine !== undefined || values.work !== undefined || isQuick
  const complaint = wanted.some((one) => !all.includes(one))
    ? `--engine is one of ${all.join(', ')}`
    : chosen.some((one) => !(works as readonly string[]).includes(one))
      ? `--work is one of ${works.join(', ')}`
      : !(Number.isInteger(kills) && kills > 0)
        ? '--kills is a number'
        : isKept && isPart
          ? '--keep is for a whole run: without --quick, --engine and --work'
          : isKept && isLosses && readResults() === undefined
            ? '--losses --keep adds to a kept run. Type first: npm run bench -- --keep'
            : undefined
  if (complaint !== undefined) {
    console.error(`bench: ${complaint}`)
    process.exitCode = 2
    return
  }
  const options = {
    engines: wanted as readonly Engine[],
    onProgress: (line: string) => console.error(line),
  }
  const { rows, failures } = isLosses
    ? await runLosses({ ...options, kills })
    : await runBench({ ...options, works: chosen, isQuick })
  const budgets = judge(rows)
  if (values.json) console.log(JSON.stringify({ rows, budgets }))
  else printReport(rows, budgets)
  for (const failure of failures) console.error(failure)
  process.exitCode = failures.length > 0 ? 1 : 0
  if (!isKept) return
  if (isLosses) keepLosses(rows)
  else await keepRun(rows, failures)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
