import { afterEach, beforeAll, expect } from 'vitest'
import { createWaymark, type Waymark, type WaymarkOptions } from '../../src/client/create-waymark.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { createFakeClock } from './fake-clock.ts'
import { mortgage } from './fixture-flow.ts'

export type Mortgage = typeof mortgage

/** Memory that passes for a disk: several pages of one test may share it. */
export function durableStore(): Store {
  return { ...createMemoryStore(), kind: 'indexeddb' }
}

/**
 * Pages of one app in one process: each call is a page load with a writer of its own. Every test has a namespace of its
 * own, so pages of one test hear each other; all are closed after it, and a background error nobody expected fails it.
 */
export function preparePages(): {
  page(options?: Partial<WaymarkOptions<Mortgage>>): Waymark<Mortgage>
  /** What the pages' `onError` heard; take out what a test expects. */
  readonly errors: unknown[]
} {
  const opened: { close(): Promise<void> }[] = []
  const errors: unknown[] = []
  let tests = 0
  const file = Math.random().toString(36).slice(2)

  // Sync is loaded behind the first paint; with its module in the cache a few promise turns are enough.
  beforeAll(() => import('../../src/sync/sync.ts'))
  afterEach(async () => {
    tests += 1
    for (const waymark of opened.splice(0)) await waymark.close()
    expect(errors.splice(0)).toEqual([])
  })
  return {
    errors,
    page(options = {}) {
      const waymark = createWaymark({
        flows: [mortgage],
        namespace: `${file}-${tests}`,
        store: durableStore(),
        clock: createFakeClock(),
        onError: (error) => errors.push(error),
        ...options,
      })
      opened.push(waymark)
      return waymark as Waymark<Mortgage>
    },
  }
}
