import { describe, test } from 'vitest'
import { openEncryptedStore } from '../../src/store/encrypted-store.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { storeCases } from '../../src/testing/store-cases.ts'

describe('openEncryptedStore over memory', () => {
  for (const { name, run } of storeCases) {
    test(name, async () => {
      // As with memory alone all tabs share one store; each seals and opens by itself.
      const shared = createMemoryStore()
      const tabs = new Set<Store>()
      await run(async () => {
        const inner: Store = {
          ...shared,
          close: async () => {
            tabs.delete(inner)
            if (tabs.size === 0) await shared.close()
          },
        }
        tabs.add(inner)
        return openEncryptedStore(inner, { key: new Uint8Array(32).fill(7) })
      })
    })
  }
})
