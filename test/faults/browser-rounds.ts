/**
 * Kills one browser again and again on one profile: each launch verifies what the launch before it had shown as saved,
 * then types until it is killed itself. A kill counts once it was verified, so a run may be cut off at any moment.
 *
 * The page (`typing-page.ts`) is opened as `/?round=R&from=N`, and posts JSON to `/report`, each with its `round`:
 *
 *     { round, type: 'restored', typed, finished, problems }   once, before it types:
 *         typed      the number in the field that was being typed in; 0 when there is none
 *         finished   every number in the list of finished ones, in stored order, doubled ones included
 *         problems   what the page's own checks of the store found wrong, in words
 *     { round, type: 'saved', n }      n is in the field, and the words on the page now say it is saved
 *     { round, type: 'finished', n }   n is in the list, and the words on the page now say it is saved
 *     { round, type: 'words', words }  the words on the page, when they are or were no everyday ones
 *     { round, type: 'stuck', stage, words, visibility }   every 15 s until it has reported what was restored
 *     { round, type: 'failed', message }   anything that should not have happened
 *
 * Every number is typed once and they only grow: N+1, N+2, … and never stop. The page decides how often it finishes
 * one (which may clear the field).
 */
import {
  chromiumBackendIn,
  createProfile,
  launchEngine,
  type RunningEngine,
  removeProfile,
  type Variant,
  variants,
} from '../support/engines.ts'
import { type PageServer, servePage } from '../support/page-server.ts'

export interface Tally {
  /** Those verified by the launch after them. */
  kills: number
  /** Numbers the page showed as saved before these kills. */
  acknowledged: number
  /** Of these, how many were not there after the kill. */
  lost: number
  /** How many finished numbers were there more than once. */
  doubled: number
  /** Everything else that is wrong, in words. */
  violations: string[]
  /** Starts that gave no report in time, each with what was the case; the next start on the profile did. */
  slowStarts: string[]
}

export interface RoundsOptions {
  variant: Variant
  kills: number
  seed: number
  /** The page, as a path from the root of the repository. Default `test/faults/typing-page.ts`. */
  page?: string
  /** How long a start may take until its first report, in ms. Default one minute. */
  patienceMs?: number
  /** After every kill that was verified, and everything else that changes the tally. */
  onChange?: (tally: Tally, line: string) => void
}

export type Report =
  | { round: number; type: 'restored'; typed: number; finished: number[]; problems: string[] }
  | { round: number; type: 'saved' | 'finished'; n: number }
  | { round: number; type: 'words'; words: string }
  | { round: number; type: 'stuck'; stage: string; words: string; visibility: string }
  | { round: number; type: 'failed'; message: string }
export type Restored = Extract<Report, { type: 'restored' }>

/** What pages showed as saved: how far the field was typed, and which numbers were finished. */
export interface Shown {
  typed: Set<number>
  finished: Set<number>
}

const minAcknowledged = 20
const numbersPerRound = 1_000_000
const longestExtraMs = 400
const defaultPatienceMs = 60_000

/** The page of that round. Rounds share an origin, and type different numbers. */
export function pageOf(server: PageServer<Report>, round: number): string {
  return `${server.url}?round=${round}&from=${round * numbersPerRound}`
}

/** Ends early at the first thing that is wrong; then the profile stays, and `onChange` hears where. */
export async function killOften(options: RoundsOptions): Promise<Tally> {
  const { variant, patienceMs = defaultPatienceMs } = options
  const tally: Tally = { kills: 0, acknowledged: 0, lost: 0, doubled: 0, violations: [], slowStarts: [] }
  const random = createRandom(options.seed + variants.indexOf(variant))
  const server = await servePage<Report>(options.page ?? 'test/faults/typing-page.ts')
  const profileDir = createProfile(variant)
  const cleanUp = () => removeProfile(profileDir)
  process.once('exit', cleanUp)
  const shown: Shown = { typed: new Set(), finished: new Set() }
  let unverified: number | undefined
  let startsWithoutReport = 0
  try {
    for (let round = 1; tally.kills < options.kills; round++) {
      const startedAt = Date.now()
      const browser = await launchEngine(variant, { profileDir, url: pageOf(server, round) })
      try {
        const restored = await firstReport(server, round, patienceMs)
        if (restored === undefined) {
          tally.slowStarts.push(`start ${round}: ${describeSilence(browser, server, round, startedAt)}`)
          startsWithoutReport += 1
          options.onChange?.(tally, `${variant} slow start: ${tally.slowStarts.at(-1)}`)
          if (startsWithoutReport > 1)
            throw new Error(`two starts in a row gave no report, see the slow starts`)
          continue
        }
        startsWithoutReport = 0
        const found = judge(restored, shown, round * numbersPerRound)
        tally.lost += found.lost
        tally.doubled += found.doubled
        tally.violations.push(...found.violations.map((violation) => `round ${round}: ${violation}`))
        if (unverified !== undefined) {
          tally.kills += 1
          tally.acknowledged += unverified
          options.onChange?.(tally, `${variant} kill ${tally.kills}: ${unverified} acknowledged`)
        }
        if (!isRight(tally) || tally.kills === options.kills) break
        await acknowledgements(server, round)
        await new Promise((resolve) => setTimeout(resolve, random() * longestExtraMs))
      } finally {
        await browser.kill()
      }
      // Reports still on their way when the browser died count too: the page had shown them.
      await new Promise((resolve) => setTimeout(resolve, 20))
      unverified = note(server.reports, round, shown)
      const failure = server.reports.find((report) => report.round === round && report.type === 'failed')
      if (failure?.type === 'failed') throw new Error(failure.message)
    }
    const foreign = { chromium: 'sqlite', 'chromium-sqlite': 'leveldb', firefox: '', webkit: '' }[variant]
    if (chromiumBackendIn(profileDir) === foreign) tally.violations.push(`the profile holds ${foreign}`)
  } catch (error) {
    tally.violations.push(`after kill ${tally.kills}: ${error instanceof Error ? error.message : error}`)
  } finally {
    await server.close()
    process.off('exit', cleanUp)
    if (isRight(tally) || options.onChange === undefined) cleanUp()
    else options.onChange(tally, `${variant}: what is wrong can be looked at in ${profileDir}`)
  }
  return tally
}

export function isRight({
  lost,
  doubled,
  violations,
}: Pick<Tally, 'lost' | 'doubled' | 'violations'>): boolean {
  return lost + doubled + violations.length === 0
}

/** Compares what was restored with everything the page had shown as saved until the kill. */
export function judge(
  restored: Pick<Restored, 'typed' | 'finished' | 'problems'>,
  shown: Shown,
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
  return { lost: lostTyping.length + lostFinished.length, doubled: finished.length - kept.size, violations }
}

/** Adds what a round showed as saved, and says how much that was. */
export function note(reports: readonly Report[], round: number, shown: Shown): number {
  let count = 0
  for (const report of reports) {
    if (report.round !== round || (report.type !== 'saved' && report.type !== 'finished')) continue
    count += 1
    ;(report.type === 'saved' ? shown.typed : shown.finished).add(report.n)
  }
  return count
}

/** What a page restored; `undefined` when it did not say so in time. */
export async function firstReport(
  server: PageServer<Report>,
  round: number,
  patienceMs = defaultPatienceMs,
): Promise<Restored | undefined> {
  const isFirst = (report: Report) =>
    report.round === round && (report.type === 'restored' || report.type === 'failed')
  const report = await server.waitFor(isFirst, patienceMs).catch(() => undefined)
  if (report?.type === 'failed') throw new Error(report.message)
  return report as Restored | undefined
}

/** Waits until the page of that round has shown so many more numbers as saved. */
export async function acknowledgements(
  server: PageServer<Report>,
  round: number,
  count = minAcknowledged,
): Promise<void> {
  const isSaved = (report: Report) =>
    report.round === round && (report.type === 'saved' || report.type === 'finished')
  let left = count + server.reports.filter(isSaved).length
  const last = await server.waitFor(
    (report) => (isSaved(report) && --left <= 0) || (report.round === round && report.type === 'failed'),
    defaultPatienceMs,
  )
  if (last.type === 'failed') throw new Error(last.message)
}

/** Everything that tells why a start gave no report: the page, what it asked for, the processes, their output. */
function describeSilence(
  browser: RunningEngine,
  server: PageServer<Report>,
  round: number,
  startedAt: number,
): string {
  const seconds = (at: number) => `${((at - startedAt) / 1000).toFixed(1)} s`
  const asked = server.requests
    .filter(({ at }) => at >= startedAt)
    .map(({ path, at }) => `${path} at ${seconds(at)}`)
  const said = server.reports
    .filter((report) => report.round === round)
    .map((report) => JSON.stringify({ ...report, round: undefined }))
  return [
    `no report within ${seconds(Date.now())}`,
    `asked for: ${asked.join(', ') || 'nothing'}`,
    `the page said: ${said.join(' ') || 'nothing'}`,
    `processes: ${browser.describe().join(', ') || 'none'}`,
    `output: ${
      browser
        .output()
        .replaceAll(/\/tmp\/[\w-]+/g, '<profile>')
        .slice(-1_000)
        .trim() || 'none'
    }`,
  ].join('; ')
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
