/**
 * Memory in the place of storage that could not be opened, until it can be: then it is that storage.
 *
 *   memory ──(opened after all)──► `onReady(change)` ──► change() ──► the browser's storage, a generation later
 *
 * Invariants
 * - What memory holds does not move: whoever has a session open stores it again, as after site data was cleared, over
 *   what is stored there. `onReady` opens whatever nobody has open before it lets the change happen.
 * - Nothing is acknowledged by the one store for the other: an operation begun before the change is rejected after it.
 */
import type { Clock } from '../base/clock.ts'
import { WaymarkError } from '../base/errors.ts'
import { createMemoryStore } from './memory-store.ts'
import type { Store } from './store.ts'

const firstTryMs = 5_000
const tryCapMs = 60_000

export function createStandInStore(options: {
  readonly open: () => Promise<Store>
  readonly clock: Clock
  /** Storage is there: calls `change` when everything is ready for it. */
  readonly onReady: (opened: Store, change: () => void) => Promise<void>
  readonly onError: (error: unknown) => void
}): Store {
  const { open, clock, onReady, onError } = options
  let inner = createMemoryStore()
  let earlier = 0
  let isClosed = false
  let cancel = schedule(firstTryMs)

  function schedule(waitMs: number): () => void {
    return clock.after(waitMs, () => {
      replace().catch((error: unknown) => {
        if (isClosed) return
        onError(error)
        cancel = schedule(Math.min(tryCapMs, waitMs * 2))
      })
    })
  }

  async function replace(): Promise<void> {
    const opened = await open()
    if (isClosed) return opened.close()
    try {
      await onReady(opened, () => {
        earlier = inner.generation + 1
        inner = opened
      })
    } catch (error) {
      if (inner !== opened) await opened.close()
      throw error
    }
  }

  async function run<T>(operate: (store: Store) => Promise<T>): Promise<T> {
    const store = inner
    const result = await operate(store)
    if (store === inner) return result
    throw new WaymarkError(
      'storage-failed',
      'Storage came back meanwhile. What this page holds is stored there now.',
      {
        isRetryable: true,
      },
    )
  }

  return {
    get kind() {
      return inner.kind
    },
    get generation() {
      return earlier + inner.generation
    },
    write: (write) => run((store) => store.write(write)),
    read: (ranges) => run((store) => store.read(ranges)),
    async close() {
      isClosed = true
      cancel()
      await inner.close()
    },
  }
}
