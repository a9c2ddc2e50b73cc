/**
 * A person typing numbers into a Waymark session, for `run.ts`: every number goes into a field, now and then one is
 * finished into a list. What counts as acknowledged is the word on the page, never an inside view.
 */
import { createWaymark, defineFlow, type SessionStatus } from 'waymark'
import { systemClock } from '../../src/base/clock.ts'
import { fromJournalRow, type JournalRow } from '../../src/journal/rows.ts'
import { noChain, unpackEntry } from '../../src/record/entry.ts'
import { openIdbStore } from '../../src/store/idb-store.ts'

const flow = defineFlow({
  id: 'typing',
  title: 'Typing',
  steps: {
    field: { title: 'Field' },
    list: { title: 'List', each: anything() },
  },
})

const query = new URLSearchParams(location.search)
const round = Number(query.get('round'))
let n = Number(query.get('from'))
const finishEvery = 25

const input = document.createElement('input')
const words = document.createElement('output')
document.body.append(input, words)

const problems: string[] = []
/** Chromium deletes a database it finds damaged, and says so only to who makes it anew. */
const { open } = IDBFactory.prototype
IDBFactory.prototype.open = function (...args) {
  const opening = open.apply(this, args)
  opening.addEventListener('upgradeneeded', (event) => {
    const { dataLoss = 'none', dataLossMessage } = event as { dataLoss?: string; dataLossMessage?: string }
    if (dataLoss !== 'none') problems.push(`the browser deleted the database: ${dataLossMessage}`)
  })
  return opening
}

const failed = (error: unknown) => report({ type: 'failed', message: String(error) })
addEventListener('error', ({ message }) => failed(message))
addEventListener('unhandledrejection', ({ reason }) => failed(reason))

let stage = 'opening'
/** Whoever waits for the first report is told where it hangs. */
const tellStage = setInterval(
  () => report({ type: 'stuck', stage, words: words.textContent, visibility: document.visibilityState }),
  15_000,
)

run().catch(failed)

async function run(): Promise<void> {
  const waymark = createWaymark({ flows: [flow], onError: (error) => problems.push(String(error)) })
  const session = await waymark.open('typing')
  session.on('quarantined', ({ places }) => problems.push(`quarantined: ${places.join(', ')}`))
  const show = () => showWords(wordsFor(session.status.getSnapshot()))
  session.status.subscribe(show)
  show()

  const { answers } = session.getSnapshot()
  const { atRisk } = session.status.getSnapshot().saved
  if (atRisk !== undefined) problems.push(`opened at risk: ${atRisk.code}`)
  await new Promise((resolve) => setTimeout(resolve))
  stage = 'reading the journal'
  const broken = await brokenChains(session.id)
  stage = 'reporting'
  await report({
    type: 'restored',
    typed: Number((answers.field as { n?: number } | undefined)?.n ?? 0),
    finished: ((answers.list ?? []) as readonly { n?: number }[]).map((item) => item.n),
    problems: [...problems, ...broken],
  })
  clearInterval(tellStage)

  for (;;) {
    n += 1
    if (n % finishEvery === 0) {
      session.add('list', { n })
      await saved()
      await report({ type: 'finished', n })
    } else {
      input.value = String(n)
      session.set('field', { n })
      if (n % 10 === 0) session.commit()
      await saved()
      await report({ type: 'saved', n })
    }
  }
}

/** Waits for the page to say so. */
async function saved(): Promise<void> {
  while (words.textContent !== 'Saved on this device') await new Promise((resolve) => setTimeout(resolve))
}

/** Puts the words on the page, and reports those that are no everyday ones, and what they end with. */
function showWords(now: string): void {
  const before = words.textContent
  words.textContent = now
  const isUsual = (text: string) => ['', 'Saving', 'Saved on this device'].includes(text)
  if (now !== before && !(isUsual(now) && isUsual(before))) void report({ type: 'words', words: now })
}

function wordsFor({ saved: { device, atRisk } }: SessionStatus): string {
  if (atRisk) return `At risk: ${atRisk.code}`
  return device === 'no' ? 'Saving' : 'Saved on this device'
}

/** Every entry verifies, and each writer's entries link up from 0 without a gap. */
async function brokenChains(session: string): Promise<string[]> {
  const store = await openIdbStore({ name: 'waymark', clock: systemClock })
  const [rows = [], keys = [], chunks = []] = await store.read([
    { store: 'journal', prefix: [session] },
    { store: 'journal', prefix: [session], isKeys: true },
    { store: 'chunks', prefix: [session] },
  ])
  await store.close()
  const problems: string[] = []
  const heads = new Map<string, { n: number; hash: string }>()
  let chunk = 0
  ;(rows as JournalRow[]).forEach((row, i) => {
    const own = chunks.slice(chunk, chunk + (row.k ?? 0))
    chunk += row.k ?? 0
    const outcome = unpackEntry(fromJournalRow(row, own))
    const position = (keys[i] as readonly number[])[1]
    if (position !== i) problems.push(`position ${position} where ${i} was due`)
    if (outcome.type !== 'entry') {
      problems.push(`entry ${i} is ${outcome.type}`)
      return
    }
    const { entry } = outcome
    const before = heads.get(entry.writer) ?? noChain
    if (entry.prev !== before.hash || entry.n !== before.n + 1) problems.push(`entry ${i} is off its chain`)
    heads.set(entry.writer, { n: entry.n, hash: entry.hash })
  })
  return problems
}

function anything() {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => ({ value }),
      types: undefined as { input: { n: number }; output: { n: number } } | undefined,
    },
  }
}

/** The network may go for a moment, as when the browser's network process is killed. */
async function report(body: object, triesLeft = 20): Promise<void> {
  try {
    await fetch('/report', { method: 'POST', body: JSON.stringify({ round, ...body }) })
  } catch (error) {
    if (triesLeft === 0) throw error
    await new Promise((resolve) => setTimeout(resolve, 100))
    await report(body, triesLeft - 1)
  }
}
