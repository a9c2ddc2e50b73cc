import { createMemoryStore } from '../store/memory-store.ts'
import { toStorageError } from '../store/storage-error.ts'
import type { Store } from '../store/store.ts'
import { type Failing, onceMore } from './failing.ts'

/**
 * What a browser's storage does to an operation: aborts it, has no room, or loses the connection, before the operation
 * or (`lost late`) after it was carried out.
 */
export type StoreFault = 'abort' | 'full' | 'lost' | 'lost late'

/** A {@link Store} that fails when told to. */
export interface FaultyStore extends Store {
  /** Every write fails so, until {@link FaultyStore.heal}; with `count`, the next ones. */
  fail(fault: StoreFault, count?: number): void
  /** Every read fails so, until {@link FaultyStore.heal}; with `count`, the next ones. */
  failReads(fault: StoreFault, count?: number): void
  /** Works again. */
  heal(): void
  /** How many writes were carried out. */
  readonly writes: number
}

const names = { abort: 'AbortError', full: 'QuotaExceededError', lost: 'UnknownError' } as const

/**
 * Memory that passes for a disk, for tests of how an app behaves where storage fails. Pages given the same one share it,
 * and a page made later finds what an earlier one stored.
 *
 * @example
 * const store = faultyStore()
 * const waymark = createWaymark({ flows: [flow], store })
 * store.fail('full')
 */
export function faultyStore(): FaultyStore {
  const inner = createMemoryStore()
  let writing: Failing<StoreFault> | undefined
  let reading: Failing<StoreFault> | undefined
  let writes = 0

  async function meet<T>(fault: StoreFault | undefined, carryOut: () => Promise<T>): Promise<T> {
    if (fault === undefined) return carryOut()
    if (fault === 'lost late') await carryOut()
    const name = names[fault === 'lost late' ? 'lost' : fault]
    throw toStorageError(new DOMException('The store was told to fail', name), 'use')
  }

  return {
    ...inner,
    kind: 'indexeddb',
    write(write) {
      const fault = writing?.fault
      writing = onceMore(writing)
      return meet(fault, async () => {
        const outcome = await inner.write(write)
        writes += 1
        return outcome
      })
    },
    read(ranges) {
      const fault = reading?.fault
      reading = onceMore(reading)
      return meet(fault, () => inner.read(ranges))
    },
    fail(fault, count = Number.POSITIVE_INFINITY) {
      writing = { fault, left: count }
    },
    failReads(fault, count = Number.POSITIVE_INFINITY) {
      reading = { fault, left: count }
    },
    heal() {
      writing = reading = undefined
    },
    get writes() {
      return writes
    },
  }
}
