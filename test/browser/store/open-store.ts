import { onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import type { Store } from '../../../src/store/store.ts'

/** A database no other test uses, deleted when the test ends. */
export function freshName(): string {
  const name = `test-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`
  onTestFinished(() => void indexedDB.deleteDatabase(name))
  return name
}

/** A connection of its own, as another tab would have; closed when the test ends. */
export async function openStore(
  name: string,
  options: { timeoutMs?: number; clock?: Clock } = {},
): Promise<Store> {
  const store = await openIdbStore({ name, clock: systemClock, ...options })
  onTestFinished(() => store.close())
  return store
}
