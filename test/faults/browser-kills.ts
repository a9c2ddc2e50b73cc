/**
 * `npm run faults -- --browsers`: ends whole browsers with SIGKILL while a page types, and counts what a person would have lost.
 *
 *     npm run faults -- --browsers [--kills 20] [--engine chromium] [--quick] [--seed 1] [--json]
 *
 * `--kills` is per engine. One launch both verifies the round before it and writes the next; a last launch verifies the
 * last kill. Engines run side by side, each with a profile and an origin of its own. It ends with 1 unless every
 * engine was killed as often as asked and nothing was lost, doubled or otherwise wrong. `--json` prints one object on
 * stdout, `{ kills, acknowledged, lost, doubled, violations, engines: { chromium: { kills, … }, … } }`, all numbers.
 *
 * The page (`typing-page.ts`) is opened as `/?round=R&from=N`, and posts JSON to `/report`, each with its `round`:
 *
 *     { round, type: 'restored', typed, finished, problems }   first, once, before it types:
 *         typed      the number in the field that was being typed in; 0 when there is none
 *         finished   every number in the list of finished ones, in stored order, doubled ones included
 *         problems   what the page's own checks of the store found wrong, in words
 *     { round, type: 'saved', n }      n is in the field, and the words on the page now say it is saved
 *     { round, type: 'finished', n }   n is in the list, and the words on the page now say it is saved
 *     { round, type: 'failed', message }   anything that should not have happened
 *
 * Every number is typed once and they only grow: N+1, N+2, … and never stop. The page decides how often it finishes
 * one (which may clear the field).
 */
import { parseArgs } from 'node:util'
import { createProfile, type Engine, engines, launchEngine, removeProfile } from '../support/engines.ts'
import { type PageServer, servePage } from '../support/page-server.ts'

export interface Tally {
  kills: number
  /** Numbers the page showed as saved. */
  acknowledged: number
  /** Of these, how many were not there after the kill. */
  lost: number
  /** How many finished numbers were there more than once. */
  doubled: number
  /** Everything else that is wrong, in words. */
  violations: string[]
}

export interface KillsReport extends Tally {
  engines: Partial<Record<Engine, Tally>>
}

export interface KillsOptions {
  engines: readonly Engine[]
  /** Per engine. */
  kills: number
  seed: number
  /** The page, as a path from the root of the repository. Default `test/faults/typing-page.ts`. */
  page?: string
  onRound?: (line: string) => void
}

type Report =
  | { round: number; type: 'restored'; typed: number; finished: number[]; problems: string[] }
  | { round: number; type: 'saved' | 'finished'; n: number }
  | { round: number; type: 'failed'; message: string }
type Restored = Extract<Report, { type: 'restored' }>

const minAcknowledged = 20
const numbersPerRound = 1_000_000
const longestExtraMs = 400
const patienceMs = 60_000

export async function runKills(options: KillsOptions): Promise<KillsReport> {
  const tallies = await Promise.all(options.engines.map((engine) => killOften(engine, options)))
  const sum = (key: 'kills' | 'acknowledged' | 'lost' | 'doubled') =>
    tallies.reduce((total, tally) => total + tally[key], 0)
  return {
    kills: sum('kills'),
    acknowledged: sum('acknowledged'),
    lost: sum('lost'),
    doubled: sum('doubled'),
    violations: tallies.flatMap((tally, i) =>
      tally.violations.map((violation) => `${options.engines[i]}: ${violation}`),
    ),
    engines: Object.fromEntries(tallies.map((tally, i) => [options.engines[i], tally])),
  }
}

/** Whether every engine was killed as often as asked and nothing went wrong. */
export function isClean(report: KillsReport, options: KillsOptions): boolean {
  const wrong = report.lost + report.doubled + report.violations.length
  return wrong === 0 && report.kills > 0 && report.kills === options.kills * options.engines.length
}

async function killOften(engine: Engine, options: KillsOptions): Promise<Tally> {
  const tally: Tally = { kills: 0, acknowledged: 0, lost: 0, doubled: 0, violations: [] }
  const random = createRandom(options.seed + engines.indexOf(engine))
  const server = await servePage<Report>(options.page ?? 'test/faults/typing-page.ts')
  const profileDir = createProfile(engine)
  // What the page said, over all rounds: how far the field was typed, and which numbers were finished.
  const shown = { typed: new Set<number>(), finished: new Set<number>() }
  let doubledBefore = 0
  try {
    for (let round = 1; round <= options.kills + 1; round++) {
      const from = round * numbersPerRound
      const browser = await launchEngine(engine, {
        profileDir,
        url: `${server.url}?round=${round}&from=${from}`,
      })
      try {
        const restored = (await server.waitFor(
          (report) => report.round === round && (report.type === 'restored' || report.type === 'failed'),
          patienceMs,
        )) as Restored | Extract<Report, { type: 'failed' }>
        if (restored.type === 'failed') throw new Error(restored.message)
        const found = judge(restored, shown, from)
        tally.lost += found.lost
        tally.doubled += found.doubled - doubledBefore
        doubledBefore = found.doubled
        tally.violations.push(...found.violations.map((violation) => `round ${round}: ${violation}`))
        if (round > options.kills) break
        await acknowledgements(server, round, minAcknowledged)
        await new Promise((resolve) => setTimeout(resolve, random() * longestExtraMs))
      } finally {
        await browser.kill()
      }
      tally.kills++
      // Reports still on their way when the browser died count too: the page had shown them.
      await new Promise((resolve) => setTimeout(resolve, 20))
      const before = tally.acknowledged
      for (const report of server.reports.filter((report) => report.round === round)) {
        if (report.type === 'failed') tally.violations.push(`round ${round}: ${report.message}`)
        if (report.type !== 'saved' && report.type !== 'finished') continue
        tally.acknowledged++
        ;(report.type === 'saved' ? shown.typed : shown.finished).add(report.n)
      }
      options.onRound?.(`${engine} kill ${tally.kills}: ${tally.acknowledged - before} acknowledged`)
    }
  } catch (error) {
    tally.violations.push(`after kill ${tally.kills}: ${error instanceof Error ? error.message : error}`)
  } finally {
    await server.close()
    removeProfile(profileDir)
  }
  return tally
}

/** Compares what was restored with everything the page had shown as saved until the kill. */
export function judge(
  restored: Pick<Restored, 'typed' | 'finished' | 'problems'>,
  shown: { typed: Set<number>; finished: Set<number> },
  from: number,
): { lost: number; doubled: number; violations: string[] } {
  const { typed, finished, problems } = restored
  const kept = new Set(finished)
  const furthest = Math.max(typed, 0, ...kept)
  const lostTyping = [...shown.typed].filter((n) => n > furthest)
  const lostFinished = [...shown.finished].filter((n) => !kept.has(n))
  const violations = [...problems]
  const neverTyped = [typed, ...kept].filter((n) => !Number.isInteger(n) || n < 0 || n > from)
  if (neverTyped.length > 0) violations.push(`restored what was never typed: ${neverTyped.join(', ')}`)
  if (finished.some((n, i) => i > 0 && n < finished[i - 1]!)) violations.push('finished numbers out of order')
  if (lostTyping.length + lostFinished.length > 0) {
    const shownUpTo = Math.max(...shown.typed, ...shown.finished)
    violations.push(
      `shown up to ${shownUpTo}, found typed ${typed} and ${kept.size} finished up to ${Math.max(0, ...kept)}`,
    )
  }
  // Counted once: what is lost stays lost, and must not be counted again after the next kill.
  for (const n of lostTyping) shown.typed.delete(n)
  for (const n of lostFinished) shown.finished.delete(n)
  return { lost: lostTyping.length + lostFinished.length, doubled: finished.length - kept.size, violations }
}

async function acknowledgements(server: PageServer<Report>, round: number, count: number): Promise<void> {
  let seen = 0
  const last = await server.waitFor((report) => {
    if (report.round !== round) return false
    if (report.type === 'saved' || report.type === 'finished') seen++
    return seen >= count || report.type === 'failed'
  }, patienceMs)
  if (last.type === 'failed') throw new Error(last.message)
}

function countViolations({ engines, ...total }: KillsReport): object {
  const count = (tally: Tally) => ({ ...tally, violations: tally.violations.length })
  const byEngine = Object.entries(engines).map(([engine, tally]) => [engine, count(tally)])
  return { ...count(total), engines: Object.fromEntries(byEngine) }
}

/** Mulberry32: small, seeded, good enough to pick moments. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What the command line asks for, reported there; the exit code tells whether it is clean. */
export async function browserKills(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      browsers: { type: 'boolean', default: false },
      kills: { type: 'string' },
      engine: { type: 'string', multiple: true },
      seed: { type: 'string' },
      page: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const wanted = (values.engine ?? engines) as readonly Engine[]
  const unknown = wanted.filter((engine) => !engines.includes(engine))
  const kills = Number(values.kills ?? (values.quick ? 4 : 20))
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  if (unknown.length > 0 || !Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
    console.error(`faults: --engine is one of ${engines.join(', ')}; --kills and --seed are whole numbers`)
    process.exitCode = 2
    return
  }
  // Leaving through the front door ends the browsers too.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const say = values.json ? () => {} : (line: string) => console.log(line)
  say(`faults: ${kills} kills per engine, seed ${seed}`)
  const options: KillsOptions = {
    engines: wanted,
    kills,
    seed,
    onRound: say,
    ...(values.page === undefined ? {} : { page: values.page }),
  }
  const report = await runKills(options)
  // The one object of --json counts; the words are for whoever reads stderr.
  for (const violation of report.violations) (values.json ? console.error : console.log)(violation)
  if (values.json) console.log(JSON.stringify(countViolations(report)))
  else {
    const { acknowledged, lost, doubled, violations } = report
    say(
      `${report.kills} kills: ${acknowledged} acknowledged, ${lost} lost, ${doubled} doubled, ${violations.length} violations`,
    )
  }
  process.exitCode = isClean(report, options) ? 0 : 1
}
