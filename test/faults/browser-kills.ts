/**
 * `npm run faults -- --browsers`: what a person would lose, and see, when real browsers fail. Whole browsers are ended
 * with SIGKILL while a page types (`browser-rounds.ts`), and each named fault happens once (`browser-named-faults.ts`).
 *
 *     npm run faults -- --browsers [--kills 20 | --until 500] [--only kills|faults] [--engine chromium-sqlite]
 *                                  [--quick] [--seed 1] [--json]
 *
 * `--kills` is so many more of each, `--until` as many as are missing for that total over all runs. Engines run one
 * after another. Every run is kept in `results.json`, after every kill, so it may be cut off at any moment and asked for
 * again. It ends with 1 unless each was killed as often as asked and nothing was lost, doubled or otherwise wrong.
 * `--json` prints one object on stdout, all numbers: `{ kills, acknowledged, lost, doubled, violations, slowStarts,
 * faults, engines: { chromium: { kills, … }, … }, totals: { chromium: { kills, … }, … } }`.
 */
import { parseArgs } from 'node:util'
import { type Variant, variants } from '../support/engines.ts'
import { namedFaults, runFault } from './browser-named-faults.ts'
import { measure, readResults, recordRun, type Total, totalOf } from './browser-results.ts'
import { isRight, killOften, type Tally } from './browser-rounds.ts'

interface Wanted {
  variants: readonly Variant[]
  /** How many kills of this one. */
  kills: (variant: Variant) => number
  seed: number
  hasFaults: boolean
  say: (line: string) => void
}

interface Outcome {
  killed: Map<Variant, Tally>
  faults: number
  violations: string[]
  isClean: boolean
}

/** What the command line asks for, reported there; the exit code tells whether it is clean. */
export async function browserKills(args: readonly string[]): Promise<void> {
  const wanted = parse(args)
  if (wanted === undefined) {
    console.error(
      `faults: --engine is one of ${variants.join(', ')}; --only is kills or faults; --kills, --until and --seed are whole numbers`,
    )
    process.exitCode = 2
    return
  }
  // Leaving through the front door ends the browsers too.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const isJson = args.includes('--json')
  const outcome = await run(isJson ? { ...wanted, say: () => {} } : wanted)
  // The one object of --json counts; the words are for whoever reads stderr.
  for (const violation of outcome.violations) (isJson ? console.error : console.log)(violation)
  const engines = Object.fromEntries([...outcome.killed].map(([variant, tally]) => [variant, count(tally)]))
  const results = readResults()
  const totals = Object.fromEntries(variants.map((variant) => [variant, totalOf(results, variant)]))
  const all = add(Object.values(engines))
  if (isJson) {
    const violations = outcome.violations.length
    console.log(JSON.stringify({ ...all, violations, faults: outcome.faults, engines, totals }))
  } else {
    console.log(
      `this run: ${inWords({ ...all, violations: outcome.violations.length })}, ${outcome.faults} faults`,
    )
    for (const variant of variants) console.log(`all runs, ${variant}: ${inWords(totalOf(results, variant))}`)
  }
  process.exitCode = outcome.isClean ? 0 : 1
}

async function run({ variants, kills, seed, hasFaults, say }: Wanted): Promise<Outcome> {
  const outcome: Outcome = { killed: new Map(), faults: 0, violations: [], isClean: true }
  const note = (about: string, tally: Pick<Tally, 'lost' | 'doubled' | 'violations'>) => {
    outcome.violations.push(...tally.violations.map((violation) => `${about}: ${violation}`))
    if (!isRight(tally)) outcome.isClean = false
  }
  for (const variant of variants) {
    for (const fault of hasFaults ? namedFaults : []) {
      if (!fault.variants.includes(variant)) continue
      const measured = await measure(variant)
      const found = await runFault(fault, variant)
      recordRun({ fault: fault.name, ...measured, ...found })
      outcome.faults += 1
      say(
        `${variant} ${fault.name}: ${found.acknowledged} acknowledged, ${found.lost} lost; ${found.saw.join('; ')}`,
      )
      note(`${variant} ${fault.name}`, found)
    }
    const left = kills(variant)
    if (left === 0) continue
    say(`${variant}: ${left} kills, seed ${seed}`)
    const measured = await measure(variant)
    const tally = await killOften({
      variant,
      kills: left,
      seed,
      onChange: (sofar, line) => {
        say(line)
        recordRun({ ...measured, seed, ...sofar })
      },
    })
    outcome.killed.set(variant, tally)
    note(variant, tally)
    if (tally.kills !== left) outcome.isClean = false
  }
  return outcome
}

function parse(args: readonly string[]): Wanted | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      browsers: { type: 'boolean', default: false },
      kills: { type: 'string' },
      until: { type: 'string' },
      only: { type: 'string' },
      engine: { type: 'string', multiple: true },
      seed: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const wanted = (values.engine ?? variants) as readonly Variant[]
  const more = Number(values.kills ?? (values.quick ? 4 : 20))
  const until = values.until === undefined ? undefined : Number(values.until)
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const isCount = (number: number) => Number.isInteger(number) && number >= 1
  if (wanted.some((variant) => !variants.includes(variant))) return undefined
  if (!isCount(more) || !isCount(until ?? 1) || !Number.isInteger(seed)) return undefined
  if (values.only !== undefined && values.only !== 'kills' && values.only !== 'faults') return undefined
  const missing = (total: number, variant: Variant) =>
    Math.max(0, total - totalOf(readResults(), variant).kills)
  const kills = (variant: Variant) => (until === undefined ? more : missing(until, variant))
  return {
    variants: wanted,
    kills: values.only === 'faults' ? () => 0 : kills,
    seed,
    hasFaults: values.only !== 'kills',
    say: console.log,
  }
}

function count(tally: Tally): Total {
  return { ...tally, violations: tally.violations.length, slowStarts: tally.slowStarts.length }
}

function add(totals: readonly Total[]): Total {
  const none: Total = { kills: 0, acknowledged: 0, lost: 0, doubled: 0, violations: 0, slowStarts: 0 }
  return totals.reduce(
    (sum, total) =>
      Object.fromEntries(
        Object.entries(sum).map(([key, value]) => [key, value + total[key as keyof Total]]),
      ) as Total,
    none,
  )
}

function inWords(total: Total): string {
  const { kills, acknowledged, lost, doubled, violations, slowStarts } = total
  return `${kills} kills: ${acknowledged} acknowledged, ${lost} lost, ${doubled} doubled, ${violations} violations, ${slowStarts} slow starts`
}
