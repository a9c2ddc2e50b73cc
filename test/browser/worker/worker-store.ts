import { onTestFinished } from 'vitest'
import { inlineWorker, openWorkerStore, type WorkerStoreOptions } from 'waymark/worker'
import type { Store } from '../../../src/store/store.ts'

/** The two ways to a worker that README shows. */
export const ways: readonly (readonly [string, () => () => Worker])[] = [
  [
    'a worker file',
    () => () => new Worker(new URL('./storage.worker.ts', import.meta.url), { type: 'module' }),
  ],
  ['an inline worker', inlineWorker],
]

/** A store in a worker of its own, closed when the test ends; falling back to the page fails the test. */
export async function openInWorker(options: WorkerStoreOptions): Promise<Store> {
  const fallbacks: unknown[] = []
  const store = await openWorkerStore({ onFallback: (reason) => fallbacks.push(reason), ...options })
  onTestFinished(async () => {
    await store.close()
    if (fallbacks.length > 0) throw fallbacks[0]
  })
  return store
}
