/** A page that says nothing in round 2, and has all it ever showed as saved in any other. */
const query = new URLSearchParams(location.search)
const round = Number(query.get('round'))
let n = Number(query.get('from'))

if (round === 2) console.log(`nothing to say in round ${round}`)
else run()

async function run(): Promise<void> {
  await report({ type: 'restored', typed: n, finished: [], problems: [] })
  for (;;) await report({ type: 'saved', n: ++n })
}

async function report(body: object): Promise<void> {
  await fetch('/report', { method: 'POST', body: JSON.stringify({ round, ...body }) })
}

export {}
