/** The three lines that have to be flat, drawn from the rows of one run: one SVG each, a panel for every engine. */
import { drawChart, type Panel, type Point } from './chart.ts'
import type { Results } from './results.ts'
import type { Row } from './rows.ts'
import { subjectNotes } from './subject-notes.ts'

const engineNames: { readonly [engine: string]: string } = {
  ...{ chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKitGTK' },
}

interface Plot {
  readonly title: string
  readonly subtitle: string
  readonly xLabel: string
  /** Where a row lies on the x axis; `undefined` where it is not of this plot. */
  readonly place: (row: Row) => number | undefined
  readonly ticks: readonly (readonly [x: number, label: string])[]
}

const sizesKb: { readonly [size: string]: number } = { '10 KB': 10, '100 KB': 100, '1 MB': 1_000 }

const plots: { readonly [name: string]: Plot } = {
  'change-by-size': {
    title: 'One change, by the size of the session',
    subtitle: 'ms until each says it is saved, median',
    xLabel: 'answers in the session',
    place: (row) => (row.work === 'change' ? sizesKb[row.size] : undefined),
    ticks: Object.entries(sizesKb).map(([label, kb]) => [kb, label]),
  },
  'change-by-length': {
    title: 'One change, by how many came before it',
    subtitle: 'ms until each says it is saved, median, 10 KB',
    xLabel: 'changes made before',
    place: (row) => (row.work.startsWith('growth') ? middleOf(row.size) : undefined),
    ticks: [
      [100, '100'],
      [1_000, '1,000'],
      [10_000, '10,000'],
    ],
  },
  'open-by-length': {
    title: 'Opening, by how many changes came before',
    subtitle: 'ms from the call to the restored answers, median, 100 KB',
    xLabel: 'changes made before',
    place: (row) => (row.work === 'open' ? Number(/(\d+) changes$/.exec(row.size)?.[1]) : undefined),
    ticks: [
      [1, '1'],
      [100, '100'],
      [5_000, '5,000'],
    ],
  },
}

/** SVG by name of file. */
export function drawPlots({ rows, engines, machine, date }: Results): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(plots).map(([name, plot]) => {
      const panels = Object.entries(engines).map(
        ([engine, version]): Panel => ({
          title: `${engineNames[engine] ?? engine} ${version.split('.').slice(0, 2).join('.').replace(/\.0$/, '')}`,
          lines: linesOf(
            rows.filter((row) => row.engine === engine),
            plot,
          ),
        }),
      )
      const { title, subtitle, xLabel, ticks } = plot
      const source = `${machine.cores} cores, ${date}. Logarithmic scales. Hollow: not durable when it says so.`
      return [name, drawChart({ title, subtitle, xLabel, ticks, panels, source })]
    }),
  )
}

function linesOf(rows: readonly Row[], plot: Plot): Panel['lines'] {
  const bySubject = new Map<string, { isFloor: boolean; points: Point[] }>()
  for (const row of rows) {
    const x = plot.place(row)
    if (x === undefined || Number.isNaN(x) || row.p50Ms === null) continue
    const line = bySubject.get(row.subject) ?? { isFloor: row.subject === row.floor, points: [] }
    bySubject.set(row.subject, { ...line, points: [...line.points, { x, y: row.p50Ms }] })
  }
  return [...bySubject].map(([name, { isFloor, points }]) => ({
    name,
    points: points.sort((a, b) => a.x - b.x),
    kind: name === 'Waymark' ? 'ours' : isFloor ? 'floor' : 'peer',
    isDurable:
      name === 'Waymark' || isFloor || !/^(not durable|cannot tell)/.test(subjectNotes[name]?.caveat ?? ''),
  }))
}

/** Of "entries 101 to 150". */
function middleOf(size: string): number {
  const [from = Number.NaN, to = Number.NaN] = (size.match(/\d+/g) ?? []).map(Number)
  return (from + to) / 2
}
