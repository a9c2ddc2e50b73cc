import { openFrame } from '../frame.ts'
import { openAll } from '../open-all.ts'
import type { Options, Result } from '../result.ts'
import { type Change, nestedShape } from '../shape.ts'
import { timingOf } from '../timing.ts'
import { waymark } from '../waymark.ts'

/**
 * (h) Two pages appending to one session: how many of the changes each was told are kept a third page finds, and what
 * losing a race costs.
 */
export async function writers({ isQuick, subjects }: Options): Promise<Result[]> {
  const results: Result[] = []
  for (const subject of subjects) results.push(await contend(subject.name, isQuick ? 10 : 100))
  results.push(...(await race(isQuick ? 5 : 25)))
  return results

  async function contend(name: string, count: number): Promise<Result> {
    const subject = subjects.find((one) => one.name === name)!
    const shape = nestedShape('10 KB', 1)
    const database = `writers-${name}`
    const seed = await subject.connect(database)
    const seeded = await seed.open('session', shape)
    await settled()
    await seeded.close()
    await seed.close()
    const frames = [await openFrame(), await openFrame()]
    const pages = await Promise.all(frames.map(({ open }) => open(name, database, 'session')))
    const samples: number[] = []
    const counts = { acknowledged: 0, stored: 0, lost: 0, refused: 0 }
    const told: Change[] = []
    await Promise.all(
      pages.map(async (page, writer) => {
        for (let n = 0; n < count; n++) {
          const change = {
            step: 'step0',
            row: `writer${writer}`,
            field: `field${n}`,
            value: `${writer}-${n}`,
          }
          const start = performance.now()
          try {
            await page.change(change)
            told.push(change)
          } catch {
            counts.refused += 1
          }
          samples.push(performance.now() - start)
          await new Promise((resolve) => setTimeout(resolve))
        }
      }),
    )
    await settled()
    for (const page of pages) await page.close()
    for (const frame of frames) frame.remove()
    const connection = await subject.connect(database)
    const third = await connection.open('session')
    const found = await third.restore()
    await third.close()
    await connection.close()
    counts.acknowledged = told.length
    counts.stored = told.filter(({ step, row, field, value }) => found[step]?.[row]?.[field] === value).length
    counts.lost = counts.acknowledged - counts.stored
    const size = `2 × ${count} changes`
    return { work: 'two writers', subject: name, size, timing: timingOf(samples), counts }
  }
}

/** What was told before it was stored, or is told to the other page a moment later. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300))
}

/** Both pages change in the same task: one wins the position, the other finds it taken and is told later. */
async function race(rounds: number): Promise<Result[]> {
  const shape = nestedShape('10 KB', 1)
  const frames = [await openFrame(), await openFrame()]
  const first = { won: [] as number[], lost: [] as number[] }
  const later = { won: [] as number[], lost: [] as number[] }
  for (let n = 0; n < rounds; n++) {
    const { close } = await openAll([waymark], `race-${n}`, shape)
    const pages = await Promise.all(frames.map(({ open }) => open('Waymark', `race-${n}-Waymark`, 'session')))
    const timed = async (page: number, value: string) => {
      const start = performance.now()
      await pages[page]!.change({ step: 'step0', row: `writer${page}`, field: 'field0', value })
      return performance.now() - start
    }
    await timed(0, 'begin')
    await timed(1, 'begin')
    await settled()
    // The second race is between two that have met by then.
    for (const [taken, value] of [[first, 'race'] as const, [later, 'again'] as const]) {
      const took = await Promise.all([timed(0, value), timed(1, value)])
      taken.won.push(Math.min(...took))
      taken.lost.push(Math.max(...took))
    }
    for (const page of pages) await page.close()
    await close()
  }
  for (const frame of frames) frame.remove()
  const rowsOf = ({ won, lost }: typeof first, work: string): Result[] => {
    const floor = { name: 'the winner', timing: timingOf(won) }
    const of = { work, size: '10 KB', floor }
    return [
      { ...of, subject: floor.name, timing: floor.timing },
      { ...of, subject: 'Waymark', timing: timingOf(lost) },
    ]
  }
  return [...rowsOf(first, 'a race lost'), ...rowsOf(later, 'a race lost again')]
}
