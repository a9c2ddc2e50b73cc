import { mainThreadMs } from '../main-thread.ts'
import { openAll } from '../open-all.ts'
import type { Options, Result } from '../result.ts'
import { nestedShape } from '../shape.ts'
import { type Timing, timingOf } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'
import { waymark } from '../waymark.ts'

/**
 * (c) Sixty keys a second for five seconds (peers: for three): main-thread time of each key, tasks over 50 ms, what is
 * written.
 */
export async function typing({ isQuick, subjects }: Options): Promise<Result[]> {
  const results: Result[] = []
  const seconds = (name: string) => (isQuick ? 1 : name === 'Waymark' ? 5 : 3)
  const shapes = [nestedShape('10 KB', 1), nestedShape('100 KB', 10), nestedShape('1 MB', 100)]
  for (const shape of isQuick ? shapes.slice(2) : shapes) {
    const isForAll = shape.size === '100 KB'
    const { opened, close } = await openAll(isForAll ? subjects : [waymark], `typing-${shape.size}`, shape)
    let ofWaymark: Timing | undefined
    for (const { name, type, change } of opened) {
      const longTasks = countLongTasks()
      const samples: Promise<number>[] = []
      const { transactions, records, length } = await watchStorage(async () => {
        const begin = performance.now()
        for (let key = 0; key < seconds(name) * 60; key++) {
          const dueAt = begin + (key * 1_000) / 60
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())))
          const typed = { step: 'step0', row: 'row0', field: 'field0', value: 'x'.repeat(key % 80) }
          samples.push(mainThreadMs(() => (type ?? change)(typed)))
        }
        await Promise.all(samples)
        await new Promise((resolve) => setTimeout(resolve, 100))
      })
      const timing = timingOf(await Promise.all(samples))
      ofWaymark ??= timing
      results.push({
        ...{ work: 'typing, main thread', subject: name, size: shape.size, timing, waymark: ofWaymark },
        counts: { transactions, records, length, ...longTasks() },
      })
    }
    await close()
  }
  return results
}

/** Begins to count; the returned function ends it and says how many, where the engine tells. */
function countLongTasks(): () => { readonly longTasks?: number } {
  if (!PerformanceObserver.supportedEntryTypes.includes('longtask')) return () => ({})
  let longTasks = 0
  const observer = new PerformanceObserver((entries) => {
    longTasks += entries.getEntries().length
  })
  observer.observe({ entryTypes: ['longtask'] })
  return () => {
    observer.disconnect()
    return { longTasks }
  }
}
