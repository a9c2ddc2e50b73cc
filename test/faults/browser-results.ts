/**
 * `results.json`: every run of `npm run faults -- --browsers`, as an appended list. Totals are derived, never stored. A
 * run is written after every kill, as a new file that is renamed over the old one, so what it has is kept however it ends.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Variant, variants, versionOf } from '../support/engines.ts'
import type { FaultName, FaultOutcome } from './browser-named-faults.ts'
import { isRight, type Tally } from './browser-rounds.ts'

/** When, with what, and of which code. */
export interface Measured {
  variant: Variant
  /** When it began, ISO 8601; with the variant and the fault it names a run. */
  date: string
  engine: string
  system: string
  /** The last commit of the code measured. */
  commit: string
  /** Whether nothing in `src` or the page differed from that commit. */
  isCommitted: boolean
}

export interface KillRun extends Measured, Tally {
  seed: number
}

export interface FaultRun extends Measured, FaultOutcome {
  fault: FaultName
}

export interface Results {
  kills: KillRun[]
  faults: FaultRun[]
}

export type Total = Record<
  'kills' | 'acknowledged' | 'lost' | 'doubled' | 'violations' | 'slowStarts',
  number
>

export const resultsFile = fileURLToPath(new URL('results.json', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

export async function measure(variant: Variant): Promise<Measured> {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  return {
    variant,
    date: new Date().toISOString(),
    engine: await versionOf(variant),
    system: `${platform()} ${arch()}, Node ${process.versions.node}`,
    commit: git('rev-parse', '--short=7', 'HEAD'),
    isCommitted: git('status', '--porcelain', '--', 'src', 'test/faults/typing-page.ts') === '',
  }
}

/** An empty list where there is no file yet. */
export function readResults(file = resultsFile): Results {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Results
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kills: [], faults: [] }
    throw error
  }
}

/** Appends the run, or puts it in the place of what was written of it before. */
export function recordRun(run: KillRun | FaultRun, file = resultsFile): void {
  const { kills, faults } = readResults(file)
  const results: Results =
    'fault' in run ? { kills, faults: put(faults, run) } : { kills: put(kills, run), faults }
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, `${JSON.stringify(results, null, 2)}\n`)
  renameSync(beside, file)
}

/** Over all runs, whatever code they measured. */
export function totalOf({ kills }: Results, variant: Variant): Total {
  const runs = kills.filter((run) => run.variant === variant)
  const sum = (count: (run: KillRun) => number) => runs.reduce((total, run) => total + count(run), 0)
  return {
    kills: sum((run) => run.kills),
    acknowledged: sum((run) => run.acknowledged),
    lost: sum((run) => run.lost),
    doubled: sum((run) => run.doubled),
    violations: sum((run) => run.violations.length),
    slowStarts: sum((run) => run.slowStarts.length),
  }
}

const variantNames: Record<Variant, string> = {
  chromium: 'Chromium',
  'chromium-sqlite': 'Chromium with SQLite under IndexedDB',
  firefox: 'Firefox',
  webkit: 'WebKit',
}

/** What README says of the kills, word for word: the totals, and each run in which anything was wrong. */
export function killsInWords(results: Results): string {
  const totals = variants.map((variant) => totalOf(results, variant))
  const sum = (key: keyof Total) => totals.reduce((all, total) => all + total[key], 0)
  const number = (count: number) => count.toLocaleString('en')
  const last = results.kills.map(({ date }) => date.slice(0, 10)).sort()
  const each = variants.map((variant, i) => `${variantNames[variant]} ${number(totals[i]!.kills)}`)
  const wrong = results.kills.filter((run) => !isRight(run))
  return [
    `${number(sum('kills'))} kills until ${last.at(-1)} (${each.join(', ')}): ${number(sum('acknowledged'))} acknowledged, ${number(sum('lost'))} lost, ${number(sum('doubled'))} doubled, ${number(sum('slowStarts'))} slow starts`,
    ...wrong.map(({ variant, commit, kills, lost, doubled }) => {
      const what =
        lost + doubled > 0
          ? `lost ${number(lost)} and doubled ${number(doubled)}`
          : 'gave no more reports, with nothing lost,'
      return `at ${commit}, ${variantNames[variant]} ${what} after ${kills} kills`
    }),
  ].join('; ')
}

function put<Run extends KillRun | FaultRun>(runs: readonly Run[], run: Run): Run[] {
  const id = (one: KillRun | FaultRun) => `${one.date} ${one.variant} ${'fault' in one ? one.fault : ''}`
  return runs.some((one) => id(one) === id(run))
    ? runs.map((one) => (id(one) === id(run) ? run : one))
    : [...runs, run]
}
