import { describe, expect, test } from 'vitest'
import { variants } from '../support/engines.ts'
import { judge, killOften, type Tally } from './browser-rounds.ts'

test('a browser killed at any moment keeps every number the page showed as saved', async () => {
  const seed = Date.now() % 1_000_000
  const tallies = await Promise.all(variants.map((variant) => killOften({ variant, kills: 20, seed })))
  tallies.forEach((tally, i) => {
    const right: Tally = { ...tally, kills: 20, lost: 0, doubled: 0, violations: [] }
    expect(tally, `${variants[i]}, seed ${seed}`).toEqual(right)
    expect(tally.acknowledged).toBeGreaterThanOrEqual(20 * 20)
  })
}, 400_000)

describe('judge', () => {
  const shown = () => ({ typed: new Set([1_000_001, 1_000_002, 1_000_004]), finished: new Set([1_000_003]) })
  const from = 2_000_000
  const whole = { typed: 1_000_004, finished: [1_000_003], problems: [] }

  test('is content when everything shown is there, or more than was shown', () => {
    expect(judge(whole, shown(), from)).toEqual({ lost: 0, doubled: 0, violations: [] })
    expect(judge({ ...whole, typed: 1_000_009 }, shown(), from)).toEqual({
      lost: 0,
      doubled: 0,
      violations: [],
    })
  })

  test('counts typing and finished numbers that are missing', () => {
    expect(judge({ typed: 1_000_001, finished: [], problems: [] }, shown(), from).lost).toBe(3)
    expect(judge({ typed: 0, finished: [1_000_003], problems: [] }, shown(), from).lost).toBe(1)
  })

  test('counts numbers that are there twice', () => {
    expect(judge({ ...whole, finished: [1_000_003, 1_000_003] }, shown(), from).doubled).toBe(1)
  })

  test('names what nobody typed, what is out of order, and what the page itself found', () => {
    expect(judge({ ...whole, typed: 2_000_001 }, shown(), from).violations).toEqual([
      'restored what was never typed: 2000001',
    ])
    expect(judge({ ...whole, finished: [1_000_003, 1_000_001] }, shown(), from).violations).toEqual([
      'finished numbers out of order',
    ])
    expect(judge({ ...whole, problems: ['the chain is broken'] }, shown(), from).violations).toEqual([
      'the chain is broken',
    ])
  })
})

describe('killOften', () => {
  const once = (page: string) =>
    killOften({ variant: 'chromium', kills: 2, seed: 1, patienceMs: 3_000, page: `test/faults/${page}` })

  test('starts again on the same profile where a start gave no report, and says what was the case', async () => {
    const { kills, violations, slowStarts } = await once('late-page.ts')
    expect({ kills, violations }).toEqual({ kills: 2, violations: [] })
    expect(slowStarts).toHaveLength(1)
    expect(slowStarts[0]).toMatch(
      /^start 2: no report within 3\.\d s; asked for: \/\?round=2.* at 0\.\d s, \/page\.js/,
    )
    expect(slowStarts[0]).toMatch(/the page said: nothing; processes: chromium \w \d+\.\d s/)
    expect(slowStarts[0]).toMatch(/output: .*nothing to say in round 2/s)
  })

  test('gives up where two starts in a row gave none, and counts no kill it did not verify', async () => {
    const { kills, acknowledged, violations, slowStarts } = await once('silent-page.ts')
    expect({ kills, acknowledged }).toEqual({ kills: 0, acknowledged: 0 })
    expect(violations).toEqual(['after kill 0: two starts in a row gave no report, see the slow starts'])
    expect(slowStarts).toHaveLength(2)
  })

  test('ends at the first loss, counted against all that was shown', async () => {
    const tally = await once('forgetful-page.ts')
    expect(tally).toMatchObject({ kills: 1, lost: tally.acknowledged })
    expect(tally.violations).toEqual([
      expect.stringMatching(/^round 2: shown up to 10000\d\d, found typed 0/),
    ])
  })
})
