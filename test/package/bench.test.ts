import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { judge } from '../bench/report/budgets.ts'
import { drawPlots } from '../bench/report/plots.ts'
import { intoReadme, readmeTables } from '../bench/report/readme-tables.ts'
import { plotsFolder, type Results, readResults } from '../bench/report/results.ts'
import { type Row, toRow } from '../bench/report/rows.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const timing = (p50Ms: number) => ({ p50Ms, p99Ms: p50Ms * 3, p25Ms: p50Ms, p75Ms: p50Ms, count: 100 })

/** Rows as two engines might give them; each is `change` in 10 KB unless told otherwise. */
function rowsOf(engine: string, ms: { floor: number; waymark: number; dexie: number }): Row[] {
  const floor = { name: 'idb put', timing: timing(ms.floor) }
  const of = { work: 'change', size: '10 KB', floor, waymark: timing(ms.waymark) }
  return [
    toRow(engine, { ...of, subject: 'idb put', timing: timing(ms.floor) }),
    toRow(engine, { ...of, subject: 'Waymark', timing: timing(ms.waymark) }),
    toRow(engine, { ...of, subject: 'Dexie', timing: timing(ms.dexie) }),
  ]
}

describe('the kept run', () => {
  test('is what README and the plots show, to the letter', () => {
    const results = readResults()
    const begins = (name: string) => existsSync(`${plotsFolder}${name}.svg`)
    if (results === undefined) {
      expect(begins('change-by-size')).toBe(false)
      return
    }
    expect(intoReadme(readme, readmeTables(results))).toBe(readme)
    for (const [name, svg] of Object.entries(drawPlots(results))) {
      expect(readFileSync(`${plotsFolder}${name}.svg`, 'utf8'), name).toBe(svg)
    }
  })

  test('is judged as its rows are', () => {
    const results = readResults()
    if (results === undefined) return
    expect(judge([...results.rows, ...(results.losses?.rows ?? [])])).toEqual(results.budgets)
  })
})

describe('toRow', () => {
  test('holds a subject against the floor and against Waymark', () => {
    const [, waymark, dexie] = rowsOf('chromium', { floor: 0.5, waymark: 1, dexie: 2 })
    expect(waymark).toMatchObject({ ratioToFloor: 2, ratioToWaymark: 1, floor: 'idb put' })
    expect(dexie).toMatchObject({ ratioToFloor: 4, ratioToWaymark: 2 })
    expect(dexie).not.toHaveProperty('faster')
  })

  test('says that a peer is faster, and why; never of the floor', () => {
    const [floor, , dexie] = rowsOf('chromium', { floor: 0.5, waymark: 1, dexie: 0.8 })
    expect(dexie?.faster).toMatch(/^1\.3 × as fast as Waymark: one row read and written/)
    expect(floor).not.toHaveProperty('faster')
  })

  test('has no ratio to a floor too fast for the clock', () => {
    const [, waymark] = rowsOf('webkit', { floor: 0, waymark: 1, dexie: 1 })
    expect(waymark?.ratioToFloor).toBeNull()
  })
})

describe('judge', () => {
  const name = '10 KB: × the fastest durable peer'
  const find = (rows: readonly Row[]) => judge(rows).find((budget) => budget.name === name)

  test('takes the worst engine', () => {
    const rows = [
      ...rowsOf('chromium', { floor: 1, waymark: 1, dexie: 2 }),
      ...rowsOf('firefox', { floor: 1, waymark: 3, dexie: 2 }),
    ]
    expect(find(rows)).toEqual({
      ...{ name, limit: 1.1, measured: 1.5, met: false },
      engines: { chromium: 0.5, firefox: 1.5 },
    })
  })

  test('meets what is at its limit or better, and says nothing where nothing was measured', () => {
    expect(find(rowsOf('chromium', { floor: 1, waymark: 1.1, dexie: 1 }))?.met).toBe(true)
    expect(find([])).toMatchObject({ measured: null, met: null })
  })

  test('turns round where a limit has to be reached', () => {
    const push = (ms: number) =>
      toRow('node', {
        ...{ work: 'server push', subject: 'Waymark', size: 'one change in 10 KB', timing: timing(ms) },
        floor: { name: 'insert and update', timing: timing(1) },
      })
    const met = (ms: number) => judge([push(ms)]).find((budget) => budget.isAtLeast)?.met
    expect(met(1.5)).toBe(true)
    expect(met(2)).toBe(false)
  })
})

describe('intoReadme', () => {
  const results: Results = {
    ...{ date: '2026-01-02', machine: { cores: 2, node: '20' }, engines: { chromium: '1.0' }, peers: {} },
    failures: [],
    rows: rowsOf('chromium', { floor: 0.5, waymark: 1, dexie: 0.8 }),
    budgets: judge(rowsOf('chromium', { floor: 0.5, waymark: 1, dexie: 0.8 })),
  }

  test('leaves everything outside its marks as it is, and is the same twice', () => {
    const once = intoReadme(readme, readmeTables(results))
    expect(intoReadme(once, readmeTables(results))).toBe(once)
    expect(once).toContain('| Dexie | 0.80 * |')
    expect(once.startsWith(readme.slice(0, 2_000))).toBe(true)
  })

  test('fails on a README without a place', () => {
    expect(() => intoReadme('# Waymark', 'tables')).toThrow('README has no place')
  })
})

describe('drawPlots', () => {
  test('names every line in words too', () => {
    const rows = rowsOf('chromium', { floor: 0.5, waymark: 1, dexie: 0.8 })
    const svg = drawPlots({
      ...{ date: '2026-01-02', machine: { cores: 2, node: '20' }, engines: { chromium: '1.0' }, peers: {} },
      ...{ failures: [], rows, budgets: [] },
    })['change-by-size']
    expect(svg).toContain('role="img"')
    expect(svg).toMatch(/<desc id="desc">.*Chromium 1: idb put 0\.5 ms; Waymark 1 ms; Dexie 0\.8 ms\./)
  })
})
