import { openFloor } from '../floor.ts'
import { mainThreadMs } from '../main-thread.ts'
import { openAll } from '../open-all.ts'
import { type Options, type Result, toResults } from '../result.ts'
import { flatShape, nestedShape } from '../shape.ts'
import { timingOf } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'
import { waymark } from '../waymark.ts'

/** How long one change holds the page's thread, beside a bare put's call; a flat step of 1,000 keys is a case of its own. */
export async function mainThread({ isQuick }: Options): Promise<Result[]> {
  const results: Result[] = []
  for (const shape of [nestedShape('10 KB', 1), nestedShape('1 MB', 100), flatShape()]) {
    const { opened, close } = await openAll([waymark], `main-thread-${shape.size}`, shape)
    const { change } = opened[0]!
    const { length } = await watchStorage(async () => change(shape.change(0)))
    const floor = await openFloor(`main-thread-${shape.size}-floor`, length, 'relaxed')
    const arms = [
      { name: 'idb put', run: () => floor.put(), samples: [] as number[] },
      { name: 'Waymark', run: (n: number) => change(shape.change(n)), samples: [] as number[] },
    ]
    const rounds = isQuick ? 60 : 300
    for (let n = 0; n < rounds + 30; n++) {
      for (const { run, samples } of n % 2 === 0 ? arms : [...arms].reverse()) {
        const took = await mainThreadMs(() => run(n))
        if (n >= 30) samples.push(took)
      }
    }
    const timings = new Map(arms.map(({ name, samples }) => [name, timingOf(samples)]))
    results.push(...toResults(timings, { work: 'main thread', size: shape.size, floor: 'idb put' }))
    floor.close()
    await close()
  }
  return results
}
