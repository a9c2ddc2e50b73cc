import type { Budget } from './budgets.ts'
import type { Row } from './rows.ts'

/** The whole report as a table. */
export function printReport(rows: readonly Row[], budgets: readonly Budget[]): void {
  const ms = (value: number | null) => (value === null ? '' : value.toFixed(2)).padStart(9)
  const times = (value: number | null) => (value === null ? '' : `${value.toFixed(2)} ×`).padStart(10)
  let heading = ''
  for (const row of rows) {
    const under = `${row.work}, ${row.size}, ${row.engine}`
    if (under !== heading) {
      console.log(`\n${under.padEnd(48)}   p50 ms   p99 ms   × floor  × Waymark    half lie in`)
    }
    heading = under
    const counts = Object.entries(row.counts ?? {}).map(([what, count]) => `${what} ${count}`)
    const rest = [counts.join(', '), row.faster ?? '', row.note ?? '']
      .filter((text) => text !== '')
      .join('; ')
    const spread = row.spreadMs?.map((value) => value.toFixed(2)).join(' to ') ?? ''
    console.log(
      `  ${row.subject.padEnd(44)} ${ms(row.p50Ms)}${ms(row.p99Ms)}${times(row.ratioToFloor)}` +
        `${times(row.ratioToWaymark)}  ${spread.padStart(14)}  ${rest}`,
    )
  }
  console.log('\nbudgets, the worst engine')
  for (const { name, limit, isAtLeast, measured, met, engines, note } of budgets) {
    const verdict = met === null ? 'not run' : met ? 'met' : 'MISSED'
    const each = Object.entries(engines).map(([engine, value]) => `${engine} ${value.toFixed(2)}`)
    const rest = [each.length > 1 ? each.join(', ') : '', note ?? ''].filter((text) => text !== '').join('; ')
    const bound = `${isAtLeast ? 'at least' : 'of'} ${limit}`
    console.log(`  ${verdict.padEnd(8)} ${name}: ${measured?.toFixed(2) ?? '-'} ${bound}  ${rest}`)
  }
}
