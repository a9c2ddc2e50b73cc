import { createWaymark } from 'waymark'
import type { Options, Result } from '../result.ts'
import { flow, nestedShape } from '../shape.ts'
import { timingOf } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'

/** (c) Sixty keys a second for five seconds: main-thread time of each `set`, tasks over 50 ms, what is stored. */
export async function typing({ isQuick }: Options): Promise<Result[]> {
  const results: Result[] = []
  const seconds = isQuick ? 1 : 5
  for (const shape of [nestedShape('10 KB', 1), nestedShape('1 MB', 100)]) {
    const waymark = createWaymark({ flows: [flow], namespace: `typing-${shape.size}` })
    const session = await waymark.open('bench')
    for (const [step, rows] of Object.entries(shape.answers)) session.set(step, rows)
    session.commit()
    await session.saved('strict')
    let longTasks = 0
    const observer = new PerformanceObserver((entries) => {
      longTasks += entries.getEntries().length
    })
    const canObserve = PerformanceObserver.supportedEntryTypes.includes('longtask')
    if (canObserve) observer.observe({ entryTypes: ['longtask'] })
    const samples: number[] = []
    const stored = await watchStorage(async () => {
      const begin = performance.now()
      for (let key = 0; key < seconds * 60; key++) {
        const dueAt = begin + (key * 1_000) / 60
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())))
        const row = session.getSnapshot().answers['step0']!['row0']!
        const start = performance.now()
        session.set('step0', { row0: { ...row, field0: 'x'.repeat(key % 80) } })
        samples.push(performance.now() - start)
      }
      await session.saved('device')
    })
    observer.disconnect()
    await waymark.close()
    const { transactions, records, length } = stored
    results.push({
      ...{ work: 'typing, main thread', subject: 'Waymark', size: shape.size, timing: timingOf(samples) },
      counts: { transactions, records, length, ...(canObserve ? { longTasks } : {}) },
    })
  }
  return results
}
