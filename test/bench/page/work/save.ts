import { createWaymark } from 'waymark'
import { openFloor } from '../floor.ts'
import { type Options, type Result, toResults } from '../result.ts'
import { flow, nestedShape } from '../shape.ts'
import { type Arm, rotate } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'

/** Typing, an entry and a finished step of Waymark, each against one put of the same length and durability. */
export async function save({ isQuick }: Options): Promise<Result[]> {
  const results: Result[] = []
  for (const shape of [nestedShape('10 KB', 1), nestedShape('1 MB', 100)]) {
    const waymark = createWaymark({ flows: [flow], namespace: `save-${shape.size}` })
    const session = await waymark.open('bench')
    for (const [step, rows] of Object.entries(shape.answers)) session.set(step, rows)
    session.commit()
    await session.saved('strict')

    const set = (n: number) => {
      const { step, row, field, value } = shape.change(n)
      session.set(step, { [row]: { ...session.getSnapshot().answers[step]![row], [field]: value } })
    }
    const stored = async () => {
      const { type } = await session.saved('device')
      if (type !== 'saved') throw new Error(`not saved: ${type}`)
    }
    const works: (Omit<Arm, 'name'> & { work: string; durability: 'relaxed' | 'strict' })[] = [
      {
        work: 'typing',
        durability: 'relaxed',
        run(n) {
          const row = session.getSnapshot().answers['step0']!['row0']!
          session.set('step0', { row0: { ...row, field0: `typed ${n}` } })
          return stored()
        },
      },
      {
        work: 'entry',
        durability: 'relaxed',
        run(n) {
          set(n)
          session.commit()
          return stored()
        },
      },
      {
        work: 'finished step',
        durability: 'strict',
        async prepare(n) {
          await session.goTo('step0')
          set(n * 10)
          session.commit()
          await stored()
        },
        async run() {
          const { type } = await session.next()
          if (type !== 'moved') throw new Error(`the step is not finished: ${type}`)
        },
      },
    ]
    for (const { work, durability, ...arm } of works) {
      await arm.prepare?.(0)
      const { length, transactions, records } = await watchStorage(async () => arm.run(0))
      const floor = await openFloor(`save-${shape.size}-${work}`, length, durability)
      const timings = await rotate(
        [
          { name: 'idb put', run: () => floor.put() },
          { name: 'Waymark', ...arm },
        ],
        isQuick ? { rounds: 60, warmUp: 10 } : { rounds: 300, warmUp: 30 },
      )
      const counts = { transactions, records, length }
      for (const result of toResults(timings, { work, size: shape.size, floor: 'idb put' })) {
        results.push(result.subject === 'Waymark' ? { ...result, counts } : result)
      }
      floor.close()
    }
    await waymark.close()
  }
  return results
}
