import { createWaymark } from 'waymark'
import { type Clock, systemClock } from '../../../../src/base/clock.ts'
import { openIdbStore } from '../../../../src/store/idb-store.ts'
import type { Store } from '../../../../src/store/store.ts'
import { openFloor } from '../floor.ts'
import { mainThreadMs } from '../main-thread.ts'
import { type Options, type Result, toResults } from '../result.ts'
import { flow, nestedShape, type Shape } from '../shape.ts'
import { timingOf } from '../timing.ts'

/** After so many entries one is due, and so long after that it is written. */
const tail = 16
const idleMs = 50

/** As a person fills a form, step by step; and the worst there is, when nothing of the last one can be used again. */
const cases = [
  ['1 MB, one step changed', 'step0'],
  ['1 MB, every step changed', undefined],
] as const

/**
 * What checkpoints cost in a session of 1 MB: on the page's thread, and the changes made while they run. Puts and
 * changes come in blocks, the puts when no checkpoint is due: else they would wait for ours and flatter us.
 */
export async function checkpoint({ isQuick }: Options): Promise<Result[]> {
  const shape = nestedShape('1 MB', 100)
  const results: Result[] = []
  for (const [size, step] of isQuick ? cases.slice(0, 1) : cases) {
    const watch = watchCheckpoints(await openIdbStore({ name: `checkpoint-${size}`, clock: systemClock }))
    const { clock, store } = watch
    const waymark = createWaymark({ flows: [flow], namespace: `checkpoint-${size}`, clock, store })
    const session = await waymark.open('bench')
    for (const [id, rows] of Object.entries(shape.answers)) session.set(id, rows)
    session.commit()
    await session.saved('strict')
    await idle()
    watch.taken.length = 0
    const floor = await openFloor(`checkpoint-${size}-floor`, 600, 'relaxed')
    const changes: number[] = []
    const puts: number[] = []
    for (let block = 0; block < (isQuick ? 2 : 10); block++) {
      for (let i = 0; i < 3 * tail; i++) puts.push(await timeOf(() => floor.put()))
      for (let i = 0; i < 3 * tail; i++) {
        const change = changeOf(shape, block * 3 * tail + i, step)
        changes.push(
          await timeOf(async () => {
            const rows = session.getSnapshot().answers[change.step]!
            session.set(change.step, { [change.row]: { ...rows[change.row], [change.field]: change.value } })
            session.commit()
            await session.saved('device')
          }),
        )
      }
      await idle()
    }
    const timings = new Map([
      ['idb put', timingOf(puts)],
      ['Waymark', timingOf(changes)],
    ])
    const counts = { checkpoints: watch.taken.length }
    for (const result of toResults(timings, {
      work: 'change, checkpoints running',
      size,
      floor: 'idb put',
    })) {
      results.push(result.subject === 'Waymark' ? { ...result, counts } : result)
    }
    results.push({
      ...{ work: 'checkpoint, main thread', subject: 'Waymark', size, timing: timingOf(watch.taken), counts },
    })
    floor.close()
    await waymark.close()
    await store.close()
  }
  return results
}

const changeOf = (shape: Shape, n: number, step: string | undefined) =>
  step === undefined ? shape.change(n) : { ...shape.change(n), step }

/** As a person goes on, not as fast as can be: a checkpoint falls among the changes. */
async function timeOf(run: () => Promise<unknown>): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 2))
  const start = performance.now()
  await run()
  return performance.now() - start
}

function idle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, idleMs * 4))
}

/** A clock and a store that tell how long each checkpoint held the page's thread: to make it, and to hand it over. */
function watchCheckpoints(inner: Store): { clock: Clock; store: Store; taken: number[] } {
  const taken: number[] = []
  let making = 0
  return {
    taken,
    clock: {
      ...systemClock,
      after: (ms, run) =>
        systemClock.after(ms, async () => {
          const took = await mainThreadMs(() => void run())
          if (ms === idleMs) making = took
        }),
    },
    store: {
      ...inner,
      get generation() {
        return inner.generation
      },
      write(write) {
        if (!write.put?.some((row) => row.store === 'checkpoints')) return inner.write(write)
        const start = performance.now()
        const written = inner.write(write)
        taken.push(making + performance.now() - start)
        return written
      },
    },
  }
}
