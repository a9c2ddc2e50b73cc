import { openFloor } from '../floor.ts'
import { openAll } from '../open-all.ts'
import { type Options, type Result, toResults } from '../result.ts'
import { shapes } from '../shape.ts'
import { rotate } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'

/** (a) One change, from the call to each subject's own acknowledgement, in sessions of every size. */
export async function change({ isQuick, subjects }: Options): Promise<Result[]> {
  const results: Result[] = []
  for (const shape of isQuick ? shapes.slice(0, 2) : shapes) {
    const { opened, close } = await openAll(subjects, `change-${shape.size}`, shape)
    const { length } = await watchStorage(async () => opened[0]!.change(shape.change(0)))
    const floor = await openFloor(`change-${shape.size}-floor`, length, 'relaxed')
    const isLarge = shape.size === '1 MB'
    const timings = await rotate(
      [
        { name: 'idb put', run: () => floor.put() },
        ...opened.map(({ name, change: make }) => ({
          name,
          run: (round: number) => make(shape.change(round + 1)),
        })),
      ],
      isQuick ? { rounds: 30, warmUp: 5 } : { rounds: isLarge ? 60 : 150, warmUp: 10 },
    )
    results.push(...toResults(timings, { work: 'change', size: shape.size, floor: 'idb put' }))
    floor.close()
    await close()
  }
  return results
}
