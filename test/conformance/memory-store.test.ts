import { describe, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { storeCases } from '../../src/testing/store-cases.ts'

describe('createMemoryStore', () => {
  for (const { name, run } of storeCases) {
    test(name, async () => {
      // There is no second tab to a memory store: all share one, and the last to close it closes it.
      const shared = createMemoryStore()
      const tabs = new Set<Store>()
      await run(async () => {
        const tab: Store = {
          ...shared,
          close: async () => {
            tabs.delete(tab)
            if (tabs.size === 0) await shared.close()
          },
        }
        tabs.add(tab)
        return tab
      })
    })
  }
})
