import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { namedFaults } from '../faults/browser-named-faults.ts'
import { killsInWords, readResults } from '../faults/browser-results.ts'
import { variants } from '../support/engines.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const results = readResults()

describe('the browser faults that were run', () => {
  test('are quoted by README, word for word', () => {
    expect(readme).toContain(killsInWords(results))
  })

  test('lost nothing the last time each was run', () => {
    for (const variant of variants) {
      const { lost, doubled, violations } = results.kills.findLast((run) => run.variant === variant)!
      expect({ lost, doubled, violations }, variant).toEqual({ lost: 0, doubled: 0, violations: [] })
      for (const fault of namedFaults.filter((fault) => fault.variants.includes(variant))) {
        const last = results.faults.findLast((run) => run.variant === variant && run.fault === fault.name)!
        const { lost, doubled, violations } = last
        const about = `${fault.name} in ${variant}`
        expect({ lost, doubled, violations }, about).toEqual({ lost: 0, doubled: 0, violations: [] })
      }
    }
  })
})
