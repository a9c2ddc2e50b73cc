import { describe, expect, onTestFinished, test } from 'vitest'
import { fromJournalRow, type JournalRow } from '../../../src/journal/rows.ts'
import { type Entry, noChain, unpackEntry } from '../../../src/record/entry.ts'
import { openTestJournal } from '../../support/journal-rig.ts'
import { freshName, openStore } from '../store/open-store.ts'
import { type RaceOptions, type RaceReport, race, racedSession } from './racing.ts'

const count = 150

/** Reads the whole session with new eyes: every row, every link, and the state a fresh page restores. */
async function inspect(database: string) {
  const store = await openStore(database)
  const all = { store: 'journal' as const, prefix: [racedSession] }
  const [rows = [], keys = []] = await store.read([all, { ...all, isKeys: true }])
  expect(keys).toEqual(rows.map((_, position) => [racedSession, position]))
  const entries: Entry[] = []
  const texts: string[] = []
  const tips = new Map<string, { n: number; hash: string }>()
  for (const [position, row] of (rows as JournalRow[]).entries()) {
    const chunks =
      row.k === undefined ? [] : await store.read([{ store: 'chunks', prefix: [racedSession, position] }])
    const record = fromJournalRow(row, chunks[0] ?? [])
    const outcome = unpackEntry(record)
    if (outcome.type !== 'entry') throw new Error(`Position ${position} is ${JSON.stringify(outcome)}`)
    const { entry } = outcome
    const tip = tips.get(entry.writer) ?? noChain
    expect({ n: entry.n, prev: entry.prev }).toEqual({ n: tip.n + 1, prev: tip.hash })
    tips.set(entry.writer, { n: entry.n, hash: entry.hash })
    entries.push(entry)
    texts.push(record.p ?? '')
  }
  const { journal, events } = await openTestJournal({ store, session: racedSession })
  expect(events).toEqual([])
  return { entries, texts, writers: [...tips.keys()], answers: journal.storedState?.answers ?? {} }
}

function expectAllStored(reports: readonly RaceReport[]): void {
  for (const report of reports) {
    expect(report).toMatchObject({ made: count, acknowledged: count, failure: undefined, damage: 0 })
  }
}

const fields = (name: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, `${name}-${i}`]))

/** The same race in a worker. */
function raceInWorker(options: RaceOptions): Promise<RaceReport> {
  const worker = new Worker(new URL('./racing.worker.ts', import.meta.url), { type: 'module' })
  onTestFinished(() => worker.terminate())
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<RaceReport>) => resolve(event.data)
    worker.onerror = (event) => reject(new Error(event.message))
    worker.postMessage(options)
  })
}

// A failed `add` that Firefox completes would acknowledge 300 and store 150.
describe('two writers racing on one session', () => {
  for (const isOneByOne of [true, false]) {
    const how = isOneByOne ? 'one entry a change' : 'in batches'
    const options = { step: 'one', count, isOneByOne }

    test(`store 300 of 300 from two connections, ${how}`, async () => {
      const database = freshName()
      const reports = await Promise.all([
        race({ database, name: 'a', ...options }),
        race({ database, name: 'b', ...options, step: 'two' }),
      ])
      expectAllStored(reports)
      const { answers, writers, entries } = await inspect(database)
      expect(answers).toEqual({ one: fields('a'), two: fields('b') })
      expect(writers.sort()).toEqual(reports.map((report) => report.writer).sort())
      if (isOneByOne) expect(entries.length).toBeGreaterThanOrEqual(2 * count)
    }, 60_000)

    test(`store 300 of 300 in one step from a page and a worker, ${how}`, async () => {
      const database = freshName()
      const reports = await Promise.all([
        race({ database, name: 'a', ...options }),
        raceInWorker({ database, name: 'b', ...options }),
      ])
      expectAllStored(reports)
      const { answers } = await inspect(database)
      expect(answers).toEqual({ one: { ...fields('a'), ...fields('b') } })
    }, 60_000)
  }

  test('keep every value of a field both change, as an entry or as a loser', async () => {
    const database = freshName()
    const options = { count, isOneByOne: false }
    const contend = async (name: string) => {
      const store = await openStore(database)
      const { journal } = await openTestJournal({ store, session: racedSession })
      for (let i = 0; i < options.count; i++) {
        const patch = [{ op: 'add' as const, path: '/name', value: `${name}-${i}.` }]
        journal.append([{ type: 'set', step: 'one', patch }], 'relaxed')
        await journal.settled()
      }
      await journal.close()
      return journal.marks
    }
    const marks = await Promise.all([contend('a'), contend('b')])
    for (const mark of marks)
      expect(mark).toMatchObject({ made: count, acknowledged: count, failure: undefined })
    const { texts, answers } = await inspect(database)
    const journal = texts.join('\n')
    const missing = ['a', 'b']
      .flatMap((name) => Array.from({ length: count }, (_, i) => `${name}-${i}.`))
      .filter((value) => !journal.includes(value))
    expect(missing).toEqual([])
    expect((answers['one'] as { name: string }).name).toMatch(/^[ab]-149\.$/)
  }, 60_000)
})
