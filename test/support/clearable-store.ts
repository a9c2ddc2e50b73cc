import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'

/** Memory that passes for a disk and is empty once cleared, as after clearing site data; a generation later. */
export function clearableStore(): Store & { clear(): void } {
  let inner = createMemoryStore()
  let generation = 0
  return {
    kind: 'indexeddb',
    get generation() {
      return generation
    },
    write: (write) => inner.write(write),
    read: (ranges) => inner.read(ranges),
    close: async () => {},
    clear() {
      inner = createMemoryStore()
      generation += 1
    },
  }
}
