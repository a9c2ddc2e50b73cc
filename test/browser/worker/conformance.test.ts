import { describe, test } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { storeCases } from '../../../src/testing/store-cases.ts'
import { freshName } from '../store/open-store.ts'
import { openInWorker, ways } from './worker-store.ts'

describe.each(ways)('openWorkerStore over %s', (_name, way) => {
  const worker = way()
  for (const { name, run } of storeCases) {
    test(name, async () => {
      const database = freshName()
      const opened: Store[] = []
      await run(async () => {
        const store = await openInWorker({ worker, name: database })
        opened.push(store)
        return store
      })
      await Promise.all(opened.map((store) => store.close()))
    })
  }
})
