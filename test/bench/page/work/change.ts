import { openFloor } from '../floor.ts'
import type { Options, Result } from '../result.ts'
import { shapes } from '../shape.ts'
import type { Opened, Subject } from '../subject.ts'
import { rotate } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'

/** (a) One change, from the call to each subject's own acknowledgement, in sessions of every size. */
export async function change({ isQuick, subjects }: Options): Promise<Result[]> {
  const results: Result[] = []
  for (const shape of isQuick ? shapes.slice(0, 1) : shapes) {
    const opened: (Subject & Opened)[] = []
    for (const subject of subjects) {
      opened.push({ ...subject, ...(await subject.open(`change-${shape.size}-${subject.name}`, shape)) })
    }
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
      isQuick ? { rounds: 40, warmUp: 5 } : { rounds: isLarge ? 120 : 250, warmUp: 15 },
    )
    const base = timings.get('idb put')!
    for (const [subject, timing] of timings) {
      results.push({
        ...{ work: 'change', subject, size: shape.size, timing },
        ...{ floorP50Ms: base.p50Ms, floorP99Ms: base.p99Ms },
      })
    }
    floor.close()
    for (const one of opened) await one.close()
  }
  return results
}
