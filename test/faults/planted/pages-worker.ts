/** Stories of two pages that the simulator hardly ever comes to, over the library as it is bundled with them. */
import { parentPort } from 'node:worker_threads'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import { newerSampleFlow, sampleFlow } from '../../../src/testing/sample-flow.ts'

interface Story {
  readonly name: string
  run(): Promise<void>
}

const stories: readonly Story[] = [
  {
    name: 'a page of the old version does not open what was begun under the newer one',
    async run() {
      const store = createMemoryStore()
      const current = createWaymark({ flows: [newerSampleFlow], store })
      const begun = await current.open('sample')
      begun.set('about', { name: 'Ada' })
      await begun.saved('device')
      const stale = createWaymark({ flows: [sampleFlow], store })
      const refused = await stale.open('sample').then(
        () => false,
        (error: unknown) => isWaymarkError(error, 'outdated'),
      )
      await stale.close()
      await current.close()
      assert(refused, 'it was opened')
    },
  },
  {
    name: 'a device that was offline does not bring back what was erased everywhere',
    async run() {
      const backend = memoryBackend()
      const [first, second] = [device(backend), device(backend)]
      const one = await first.open('sample')
      one.set('about', { name: 'Ada' })
      await one.saved('server')
      const other = await second.open('sample')
      await second.sync.now()
      await first.remove(one.id, { everywhere: true })
      other.set('about', { name: 'Charles' })
      other.commit()
      await second.sync.now()
      const { parked, saved } = other.status.getSnapshot()
      await first.close()
      await second.close()
      assert(parked?.reason === 'erased', `it was not refused as erased, but ${parked?.reason}`)
      assert(saved.server !== 'yes', 'it is said to be on the server')
    },
  },
]

function device(backend: Backend) {
  return createWaymark({ flows: [sampleFlow], account: 'ada', store: createMemoryStore(), backend })
}

function assert(isSo: boolean, words: string): void {
  if (!isSo) throw new Error(words)
}

const failures: string[] = []
for (const { name, run } of stories) {
  await run().catch((error: unknown) =>
    failures.push(`${name}: ${error instanceof Error ? error.message : error}`),
  )
}
parentPort?.postMessage(failures)
