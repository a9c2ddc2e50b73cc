import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.ts'
import { judge, runKills } from './browser-kills.ts'

test('a browser killed at any moment keeps every number the page showed as saved', async () => {
  const options = { engines, kills: 20, seed: Date.now() % 1_000_000 }
  const report = await runKills(options)
  const { kills, lost, doubled, violations } = report
  expect({ kills, lost, doubled, violations }, `seed ${options.seed}`).toEqual({
    kills: 60,
    lost: 0,
    doubled: 0,
    violations: [],
  })
  expect(report.acknowledged).toBeGreaterThanOrEqual(60 * 20)
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

  test('counts typing and finished numbers that are missing, each once', () => {
    const before = shown()
    expect(judge({ typed: 1_000_001, finished: [], problems: [] }, before, from).lost).toBe(3)
    expect(judge({ typed: 1_000_001, finished: [], problems: [] }, before, from).lost).toBe(0)
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
