/** Devices of one person, each with its own disk, and backends that answer as a test says. */
import { afterEach, beforeAll, expect } from 'vitest'
import { createWaymark, type Waymark, type WaymarkOptions } from '../../../src/client/create-waymark.ts'
import type { Backend, ExchangeOutcome } from '../../../src/protocol/backend.ts'
import type { SyncItem, SyncOutcome } from '../../../src/protocol/wire.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { mortgage } from '../../support/fixture-flow.ts'

// Sync is loaded behind the first paint; with its module in the cache a few promise turns are enough.
beforeAll(() => import('../../../src/sync/sync.ts'))

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const waymark of opened.splice(0)) await waymark.close()
})

let devices = 0

/** A page on a device of its own, unless a store is shared; unexpected errors are in `errors`. */
export function device(options: Partial<WaymarkOptions<typeof mortgage>> = {}): {
  readonly waymark: Waymark<typeof mortgage>
  readonly errors: unknown[]
} {
  const errors: unknown[] = []
  const waymark = createWaymark({
    flows: [mortgage],
    namespace: `sync-${devices++}`,
    account: 'u1',
    store: disk(),
    clock: createFakeClock(),
    onError: (error) => errors.push(error),
    ...options,
  })
  opened.push(waymark)
  return { waymark: waymark as Waymark<typeof mortgage>, errors }
}

/** Memory that passes for a disk. */
export function disk(): Store {
  return { ...createMemoryStore(), kind: 'indexeddb' }
}

/** A backend that gives every item the same kind of answer. */
export function backendSaying(say: (item: SyncItem) => SyncOutcome): Backend & { exchanges: number } {
  const backend = {
    exchanges: 0,
    async exchange(items: readonly SyncItem[]): Promise<ExchangeOutcome> {
      backend.exchanges += 1
      return { type: 'answered', outcomes: items.map(say) }
    },
  }
  return backend
}

export const synced = expect.objectContaining({ server: 'yes' })
