import { describe, test } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { storeCases } from '../../../src/testing/store-cases.ts'
import { freshName, openStore } from './open-store.ts'

describe('openIdbStore', () => {
  for (const { name, run } of storeCases) {
    test(name, async () => {
      const database = freshName()
      const opened: Store[] = []
      await run(async () => {
        const store = await openStore(database)
        opened.push(store)
        return store
      })
      await Promise.all(opened.map((store) => store.close()))
    })
  }
})
