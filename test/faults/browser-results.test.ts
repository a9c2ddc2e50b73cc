import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type KillRun, killsInWords, readResults, recordRun, totalOf } from './browser-results.ts'

function resultsIn(): string {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-results-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'results.json')
}

const run = (given: Partial<KillRun>): KillRun => ({
  variant: 'firefox',
  date: '2026-11-20T10:00:00.000Z',
  engine: 'Firefox 1.0',
  system: 'linux x64, Node 20.0.0',
  commit: 'abcdef1',
  isCommitted: true,
  seed: 1,
  kills: 1,
  acknowledged: 30,
  lost: 0,
  doubled: 0,
  violations: [],
  slowStarts: [],
  ...given,
})

test('a run is written again as it grows, and stays one run', () => {
  const file = resultsIn()
  recordRun(run({}), file)
  recordRun(run({ variant: 'webkit' }), file)
  recordRun(run({ kills: 2, acknowledged: 55 }), file)
  recordRun(run({ date: '2026-11-20T11:00:00.000Z', kills: 5 }), file)
  expect(readResults(file).kills.map(({ variant, kills }) => [variant, kills])).toEqual([
    ['firefox', 2],
    ['webkit', 1],
    ['firefox', 5],
  ])
  expect(readdirSync(join(file, '..'))).toEqual(['results.json'])
})

test('totals are those of every run, whatever code it measured', () => {
  const results = {
    kills: [
      run({ kills: 2, acknowledged: 50, lost: 3, violations: ['round 3: shown up to 9'] }),
      run({ kills: 4, acknowledged: 90, commit: 'abcdef2', slowStarts: ['start 2: no report'] }),
      run({ variant: 'webkit', kills: 1_000 }),
    ],
    faults: [],
  }
  expect(totalOf(results, 'firefox')).toEqual({
    kills: 6,
    acknowledged: 140,
    lost: 3,
    doubled: 0,
    violations: 1,
    slowStarts: 1,
  })
  expect(totalOf(results, 'chromium').kills).toBe(0)
  expect(killsInWords(results)).toBe(
    '1,006 kills until 2026-11-20 (Chromium 0, Chromium with SQLite under IndexedDB 0, Firefox 6, WebKit 1,000): 170 acknowledged, 3 lost, 0 doubled, 1 slow starts; at abcdef1, Firefox lost 3 and doubled 0 after 2 kills',
  )
})

test('there is nothing where there is no file', () => {
  expect(readResults(resultsIn())).toEqual({ kills: [], faults: [] })
})
