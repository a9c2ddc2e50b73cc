import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Key, Row, Store } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { openTestJournal, set } from '../../support/journal-rig.ts'
import { freshName, openStore } from '../store/open-store.ts'

const finished = { type: 'finished' as const, step: 'one', how: 'valid' as const }
const put = (store: Store, row: Row) => store.write({ durability: 'relaxed', put: [row] })

describe('openJournal', () => {
  test('shows or reports a draft whose row was damaged outside its text', async () => {
    const store = createMemoryStore()
    const { journal, writer } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    journal.draft(set('one', { b: 2 }))
    await settle()
    const drafts = { store: 'drafts' as const, prefix: ['s1', writer] }
    const [rows, keys] = await store.read([drafts, { ...drafts, isKeys: true }])
    const row = rows![0] as { n: number }
    await put(store, { store: 'drafts', key: keys![0] as Key, value: { ...row, n: row.n - 1 } })
    const again = await openTestJournal({ store })
    await settle()
    const isShown = Object.hasOwn(again.journal.state.answers['one'] ?? {}, 'b')
    expect(isShown || again.events.some((event) => event.type === 'damaged')).toBe(true)
  })

  test('goes on after a row that names another position than its own', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    for (let i = 0; i < 6; i++) {
      journal.append([set('one', { [`f${i}`]: i })], 'relaxed')
      await journal.settled()
    }
    const [rows] = await store.read([{ store: 'journal', prefix: ['s1', 5] }])
    await put(store, { store: 'journal', key: ['s1', 5], value: { ...(rows![0] as object), i: 2 } })
    let reads = 0
    const counted: Store = {
      ...store,
      async read(ranges) {
        if (++reads > 100) throw new Error('It reads without end')
        return store.read(ranges)
      },
    }
    const again = await openTestJournal({ store: counted })
    again.journal.append([set('one', { g: 1 })], 'relaxed')
    expect(await again.journal.settled()).toBe(true)
  })

  test('writes checkpoints that verify while another tab writes them too', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const a = await openTestJournal({ store, clock })
    const answer = async (tab: typeof a, value: string) => {
      tab.journal.append([set('one', { value }), finished], 'relaxed')
      await tab.journal.settled()
      await clock.advance(200)
    }
    await answer(a, 'X')
    const b = await openTestJournal({ store, clock })
    await answer(a, 'Y')
    await answer(a, 'Z')
    await b.journal.catchUp()
    await answer(b, 'X')
    const fresh = await openTestJournal({ store, clock })
    await settle()
    expect(fresh.journal.storedState?.answers).toEqual({ one: { value: 'X' } })
    expect(fresh.events).toEqual([])
  })

  test('stores again what it holds, or says it is not stored, after the database was deleted', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { journal } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    await new Promise((resolve) => {
      indexedDB.deleteDatabase(name).onsuccess = resolve
    })
    journal.append([set('one', { b: 2 })], 'relaxed')
    const isSaved = await journal.settled()
    const fresh = await openTestJournal({ store })
    const isThere = Object.hasOwn(fresh.journal.state.answers['one'] ?? {}, 'a')
    expect(isThere || !isSaved).toBe(true)
  })
})
