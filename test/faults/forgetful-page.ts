/** A page that shows numbers as saved and keeps none. */
const query = new URLSearchParams(location.search)
const round = Number(query.get('round'))
let n = Number(query.get('from'))

run()

async function run(): Promise<void> {
  await report({ type: 'restored', typed: 0, finished: [], problems: [] })
  while (n % 100 < 90) await report({ type: 'saved', n: ++n })
}

async function report(body: object): Promise<void> {
  await fetch('/report', { method: 'POST', body: JSON.stringify({ round, ...body }) })
}

export {}
