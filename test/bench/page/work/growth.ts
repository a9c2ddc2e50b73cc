import { openDB } from 'idb'
import { openFloor } from '../floor.ts'
import { openAll } from '../open-all.ts'
import { type Options, type Result, toResults } from '../result.ts'
import { nestedShape } from '../shape.ts'
import { type Arm, sample, timingOf } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'

/**
 * (g) Entry after entry: the cost of the last against the first, and what is stored. Peers go some of the way; Waymark
 * and the bare put go on to ten thousand.
 */
export async function growth({ isQuick, subjects }: Options): Promise<Result[]> {
  const shape = nestedShape('10 KB', 1)
  const lengths = isQuick ? { together: 60, all: 600 } : { together: 300, all: 10_000 }
  const window = isQuick ? 50 : 100
  await warmUp()
  const { opened, close } = await openAll(subjects, 'growth', shape)
  const { length } = await watchStorage(async () => opened[0]!.change(shape.change(0)))
  const floor = await openFloor('growth-floor', length, 'relaxed')
  const arms: Arm[] = [
    { name: 'idb put', run: () => floor.put() },
    ...opened.map(({ name, change }) => ({ name, run: (n: number) => change(shape.change(n)) })),
  ]
  const results = await alone(arms.slice(0, 2), 0, window)
  results.push(...(await together(window, lengths.together)))
  let entries = window + lengths.together
  for (const end of isQuick ? [lengths.all] : [2_000, 5_000, lengths.all]) {
    await alone(arms.slice(0, 2), entries, end - window)
    results.push(...(await alone(arms.slice(0, 2), end - window, end)))
    entries = end
  }
  floor.close()
  await close()
  return [...results, ...(await written()), await storedByWaymark()]

  /** The same code has run before the first change is timed: else the first is the slowest. */
  async function warmUp(): Promise<void> {
    const warm = await openAll(subjects, 'growth-warm', shape)
    for (let n = 0; n < 40; n++) for (const one of warm.opened) await one.change(shape.change(n))
    await warm.close()
  }

  async function together(from: number, rounds: number): Promise<Result[]> {
    const samples = await sample(arms, { rounds, warmUp: 0 })
    return [0, rounds - 50].flatMap((begin) => {
      const timings = [...samples].map(
        ([name, taken]) => [name, timingOf(taken.slice(begin, begin + 50))] as const,
      )
      return toResults(new Map(timings), workOf(from + begin, from + begin + 50, 'growth, beside peers'))
    })
  }

  /** What each writes for a change, counted apart from any timing. */
  async function written(): Promise<Result[]> {
    const some = await openAll(subjects, 'growth-written', shape)
    const rows: Result[] = []
    for (const one of some.opened) {
      const { length, records, transactions } = await watchStorage(async () => {
        for (let n = 0; n < 20; n++) await one.change(shape.change(n))
        await new Promise((resolve) => setTimeout(resolve, 200))
      })
      const counts = { transactions, records, length }
      rows.push({ work: 'written', subject: one.name, size: '20 changes in 10 KB', counts })
    }
    await some.close()
    return rows
  }

  async function storedByWaymark(): Promise<Result> {
    const db = await openDB('growth-Waymark')
    const counts = { records: 0, length: 0 }
    for (const store of db.objectStoreNames) {
      for (const value of await db.getAll(store)) {
        counts.records += 1
        counts.length += JSON.stringify(value).length
      }
    }
    db.close()
    return { work: 'stored', subject: 'Waymark', size: `after ${lengths.all} changes in 10 KB`, counts }
  }
}

const workOf = (from: number, to: number, work = 'growth') => ({
  ...{ work, size: `entries ${from + 1} to ${to}`, floor: 'idb put' },
})

/** Without any wait between the arms: ten thousand waits would be the longest part of it. */
async function alone(arms: readonly Arm[], from: number, to: number): Promise<Result[]> {
  const samples = new Map(arms.map(({ name }): [string, number[]] => [name, []]))
  for (let n = from; n < to; n++) {
    for (const { name, run } of arms) {
      const start = performance.now()
      await run(n)
      samples.get(name)!.push(performance.now() - start)
    }
  }
  const timings = [...samples].map(([name, taken]) => [name, timingOf(taken)] as const)
  return toResults(new Map(timings), workOf(from, to))
}
