/** Runs what every store must do on the IndexedDB store, over a disk like Firefox's. Bundled with the library. */
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../../../src/base/clock.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { type StoreCase, storeCases } from '../../../src/testing/store-cases.ts'
import { behaveAsFirefox, unstorable } from './firefox-disk.ts'

const cases: readonly StoreCase[] = [
  ...storeCases,
  {
    name: 'rejects a write of which one request failed, also where the transaction completes',
    async run(open) {
      const store = await open()
      const outcome = await store
        .write({
          durability: 'relaxed',
          put: [{ store: 'heads', key: ['ada', 's'], value: unstorable }],
          add: { store: 'journal', key: ['s', 0], value: 'entry' },
        })
        .catch(() => 'rejected')
      if (outcome !== 'rejected') throw new Error(`Expected a rejection, got ${outcome}`)
    },
  },
]

behaveAsFirefox()
const failures: string[] = []
for (const [i, { name, run }] of cases.entries()) {
  const opened: Store[] = []
  try {
    await run(async () => {
      const store = await openIdbStore({ name: `cases-${i}`, clock: systemClock })
      opened.push(store)
      return store
    })
  } catch (error) {
    failures.push(`${name}: ${error instanceof Error ? error.message : error}`)
  }
  for (const store of opened) await store.close()
}
parentPort?.postMessage(failures)
