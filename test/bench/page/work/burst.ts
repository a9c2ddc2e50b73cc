import { createWaymark } from 'waymark'
import { openFloor } from '../floor.ts'
import { type Options, type Result, toResults } from '../result.ts'
import { flow, nestedShape } from '../shape.ts'
import { rotate } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'

/** (b) Fifty changes in one task, and in fifty tasks: what goes to the disk, and how long the first takes. */
export async function burst({ isQuick }: Options): Promise<Result[]> {
  const shape = nestedShape('10 KB', 1)
  const waymark = createWaymark({ flows: [flow], namespace: 'burst' })
  const session = await waymark.open('bench')
  for (const [step, rows] of Object.entries(shape.answers)) session.set(step, rows)
  session.commit()
  await session.saved('strict')
  const set = (n: number) => {
    const { step, row, field, value } = shape.change(n)
    session.set(step, { [row]: { ...session.getSnapshot().answers[step]![row], [field]: value } })
  }
  const inOneTask = async (round: number) => {
    for (let i = 0; i < 50; i++) set(round * 50 + i)
    session.commit()
    await session.saved('device')
  }
  const inFifty = async (round: number) => {
    for (let i = 0; i < 50; i++) {
      set(round * 50 + i)
      await new Promise((resolve) => setTimeout(resolve))
    }
    session.commit()
    await session.saved('device')
  }
  const one = await watchStorage(() => inOneTask(0))
  const fifty = await watchStorage(() => inFifty(1))
  const floor = await openFloor('burst-floor', one.length, 'relaxed')
  const timings = await rotate(
    [
      { name: 'idb put', run: () => floor.put() },
      { name: 'Waymark', run: inOneTask },
    ],
    isQuick ? { rounds: 20, warmUp: 3 } : { rounds: 150, warmUp: 10 },
  )
  floor.close()
  await waymark.close()
  const countsOf = ({ transactions, records, length }: typeof one) => ({ transactions, records, length })
  const { size } = shape
  return [
    ...toResults(timings, { work: '50 changes in a task', size, floor: 'idb put' }).map((result) =>
      result.subject === 'Waymark' ? { ...result, counts: countsOf(one) } : result,
    ),
    { work: '50 changes in 50 tasks', subject: 'Waymark', size, counts: countsOf(fifty) },
  ]
}
