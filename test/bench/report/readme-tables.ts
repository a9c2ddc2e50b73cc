/** The figures in README, made from results.json and never by hand; `test/package/bench.test.ts` compares the two. */
import type { Budget } from './budgets.ts'
import type { Results } from './results.ts'
import type { Row } from './rows.ts'
import { subjectNotes } from './subject-notes.ts'
import { whyFaster } from './why-faster.ts'

export const begin = '<!-- bench: made by npm run bench -- --keep -->'
export const end = '<!-- bench: end -->'

/** README with the tables between its two marks. */
export function intoReadme(readme: string, tables: string): string {
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end)
  if (from < 0 || to < from) throw new Error(`README has no place for the tables: ${begin} … ${end}`)
  return `${readme.slice(0, from + begin.length)}\n\n${tables}\n\n${readme.slice(to)}`
}

const engineNames: { readonly [engine: string]: string } = {
  ...{ chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKitGTK' },
}
const floors = ['idb put', 'idb get']
const columns = [
  { head: '10 KB', work: 'change', size: '10 KB' },
  { head: '100 KB', work: 'change', size: '100 KB' },
  { head: '1 MB', work: 'change', size: '1 MB' },
  { head: 'open', work: 'open', size: '100 KB, 100 changes' },
] as const

export function readmeTables(results: Results): string {
  const { date, machine, engines, failures, losses, budgets } = results
  const versions = Object.entries(engines).map(([engine, version]) => `${engineNames[engine]} ${version}`)
  return [
    `One run on ${machine.cores} cores, ${date}: ${versions.join(', ')}.` +
      (losses === undefined ? '' : ` The kills are of ${losses.date}.`) +
      (failures.length === 0 ? '' : ` Not measured, for it failed: ${failures.join('; ')}.`),
    ...Object.keys(engines).map((engine) => engineTable(engine, results)),
    fasterList(results.rows),
    plotLinks(),
    sizeTable(results.rows),
    budgetTable(budgets),
  ].join('\n\n')
}

function engineTable(engine: string, { rows, losses }: Results): string {
  const ofEngine = rows.filter((row) => row.engine === engine)
  const lossesOfEngine = losses?.rows.filter((row) => row.engine === engine) ?? []
  const kills = lossesOfEngine[0]?.counts?.['kills']
  const heads = [
    engineNames[engine] ?? engine,
    ...columns.map(({ head }) => head),
    'two writers',
    ...(kills === undefined ? [] : [`${kills} kills`]),
  ]
  const lines = [...Object.keys(subjectNotes), 'bare'].map((subject) => {
    const isFloor = subject === 'bare'
    const times = columns.map(({ work, size }) => {
      const row = ofEngine.find(
        (one) =>
          one.work === work &&
          one.size === size &&
          (isFloor ? floors.includes(one.subject) : one.subject === subject),
      )
      return row?.p50Ms == null ? '' : `${row.p50Ms.toFixed(2)}${row.faster === undefined ? '' : ' *'}`
    })
    const kept = [
      lostOf(ofEngine.find((row) => row.work === 'two writers' && row.subject === subject)),
      ...(kills === undefined ? [] : [lostOf(lossesOfEngine.find((row) => row.subject === subject))]),
    ]
    return [isFloor ? 'bare `idb` put or get' : nameOf(subject), ...times, ...kept]
  })
  return table(heads, lines)
}

/** What was acknowledged and is gone. */
function lostOf(row: Row | undefined): string {
  const { lost, acknowledged } = row?.counts ?? {}
  return lost === undefined ? '' : lost === 0 ? '0' : `**${lost}** of ${acknowledged}`
}

function nameOf(subject: string): string {
  if (subject === 'Waymark') return '**Waymark**'
  return subjectNotes[subject]?.caveat?.match(/^(not durable|cannot tell)/) ? `${subject} (†)` : subject
}

function fasterList(rows: readonly Row[]): string {
  const faster = new Map<string, Set<string>>()
  for (const row of rows) {
    const { work, size, subject, faster: said } = row
    if (said === undefined || !columns.some((column) => column.work === work && column.size === size))
      continue
    const why = `${work === 'open' ? 'opening' : 'a change'}: ${whyFaster(row)}`
    faster.set(why, (faster.get(why) ?? new Set()).add(subject))
  }
  return [
    'Lost: what had been acknowledged and a new page did not find. † says it is saved before it is.',
    ...(faster.size === 0 ? [] : ['', '\\* Faster than Waymark in the same loop:', '']),
    ...[...faster].map(([why, subjects]) => `- ${[...subjects].join(', ')}, ${why}.`),
  ].join('\n')
}

function plotLinks(): string {
  return [
    [
      'change-by-size',
      'Time of one change by the size of the session, Waymark beside its peers, a plot for each engine',
    ],
    ['change-by-length', 'Time of one change by how many came before it, a plot for each engine'],
    ['open-by-length', 'Time to open a session by how many changes came before, a plot for each engine'],
  ]
    .map(([name, words]) => `![${words}](test/bench/plots/${name}.svg)`)
    .join('\n\n')
}

/** Lightest first; doors nobody loads beside a form are left out. */
function sizeTable(rows: readonly Row[]): string {
  const sizes = rows
    .filter(({ work, subject }) => work === 'size' && !/^waymark\/(server|testing)$/.test(subject))
    .map(({ subject, counts }) => ({ subject, gzip: counts?.['gzip'] ?? 0, brotli: counts?.['brotli'] ?? 0 }))
    .sort((a, b) => a.gzip - b.gzip)
  const kb = (bytes: number) => (bytes / 1024).toFixed(1)
  return table(
    ['first load, KB', 'gzip', 'brotli'],
    sizes.map(({ subject, gzip, brotli }) => [
      subject.startsWith('waymark') ? `\`${subject}\`` : subject,
      kb(gzip),
      kb(brotli),
    ]),
  )
}

function budgetTable(budgets: readonly Budget[]): string {
  return table(
    ['budget, the worst engine', 'limit', 'measured', ''],
    budgets.map(({ name, limit, isAtLeast, measured, met, note }) => [
      name,
      `${isAtLeast ? '≥' : '≤'} ${limit}`,
      measured === null ? '' : measured.toFixed(2).replace(/\.00$/, ''),
      met === null ? (note ?? 'not measured') : met ? 'met' : 'missed',
    ]),
  )
}

function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...lines.map(line)].join('\n')
}
