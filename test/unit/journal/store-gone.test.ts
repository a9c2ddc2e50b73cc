import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { settle } from '../../support/fake-clock.ts'
import { openTestJournal, set } from '../../support/journal-rig.ts'

/** A store whose content is gone when told so, as after clearing site data; the operation that notices is rejected. */
function clearable(): Store & { clear(): void } {
  let inner = createMemoryStore()
  let generation = 0
  let isNoticed = true
  const notice = () => {
    if (isNoticed) return
    isNoticed = true
    generation += 1
    throw new DOMException('deleted', 'UnknownError')
  }
  return {
    kind: 'indexeddb',
    get generation() {
      return generation
    },
    async write(write) {
      notice()
      return inner.write(write)
    },
    async read(ranges) {
      notice()
      return inner.read(ranges)
    },
    close: () => inner.close(),
    clear() {
      inner = createMemoryStore()
      isNoticed = false
    },
  }
}

describe('everything stored is deleted beneath open sessions', () => {
  test('each of them stores again all it holds, whichever noticed first', async () => {
    const store = clearable()
    const a = await openTestJournal({ store, session: 'a' })
    const b = await openTestJournal({ store, session: 'b' })
    for (const { journal } of [a, b]) {
      journal.append([set('one', { first: 1 })], 'relaxed')
      await journal.settled()
    }
    store.clear()
    a.journal.append([set('one', { second: 2 })], 'relaxed')
    await a.clock.advance(5_000)
    expect(await a.journal.settled()).toBe(true)
    b.journal.append([set('one', { second: 2 })], 'relaxed')
    await b.clock.advance(5_000)
    expect(await b.journal.settled()).toBe(true)
    for (const session of ['a', 'b']) {
      const again = await openTestJournal({ store, session })
      await settle()
      expect(again.journal.state.answers).toEqual({ one: { first: 1, second: 2 } })
      expect(again.events).toEqual([])
    }
  })

  test('what was never stored before is stored now', async () => {
    const store = clearable()
    const { journal, clock } = await openTestJournal({ store })
    store.clear()
    journal.draft(set('one', { first: 1 }))
    await clock.advance(5_000)
    expect(await journal.settled()).toBe(true)
    expect((await openTestJournal({ store })).journal.state.answers).toEqual({ one: { first: 1 } })
  })

  test('one that only reads meanwhile stores again too, and is not shown as saved until then', async () => {
    const store = clearable()
    const a = await openTestJournal({ store, session: 'a' })
    const b = await openTestJournal({ store, session: 'b' })
    for (const { journal } of [a, b]) {
      journal.append([set('one', { first: 1 })], 'relaxed')
      await journal.settled()
    }
    store.clear()
    await a.journal.catchUp()
    await a.clock.advance(5_000)
    await b.journal.catchUp()
    await b.clock.advance(5_000)
    for (const session of ['a', 'b']) {
      const again = await openTestJournal({ store, session })
      expect(again.journal.state.answers).toEqual({ one: { first: 1 } })
    }
    expect(b.journal.marks).toMatchObject({ failure: undefined })
    expect(b.journal.marks.acknowledged).toBe(b.journal.marks.made)
  })
})
