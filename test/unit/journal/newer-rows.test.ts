import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Row } from '../../../src/store/store.ts'
import { settle } from '../../support/fake-clock.ts'
import { openTestJournal, set } from '../../support/journal-rig.ts'

const put = (row: Row) => ({ durability: 'relaxed' as const, put: [row] })

describe('what newer code stored beside the journal', () => {
  test('a draft in a newer format is left alone and ends appending, it is not damage', async () => {
    const store = createMemoryStore()
    const { journal, events } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    await store.write(put({ store: 'drafts', key: ['s1', 'newer'], value: { v: 2, w: 'newer' } }))
    await journal.catchUp()
    journal.append([set('one', { b: 2 })], 'relaxed')
    await journal.settled()
    const again = await openTestJournal({ store })
    await settle()
    for (const one of [journal, again.journal]) {
      expect(one.marks.isOutdated).toBe(true)
      expect(one.damage).toEqual([])
    }
    expect([...events, ...again.events].filter(({ type }) => type === 'damaged')).toEqual([])
    expect(journal.position).toBe(0)
    expect(await store.read([{ store: 'quarantine', prefix: [] }])).toEqual([[]])
  })

  test('a checkpoint in a newer format is passed over', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    await store.write(put({ store: 'checkpoints', key: ['s1', 0], value: { v: 2, i: 0 } }))
    const again = await openTestJournal({ store })
    await settle()
    expect(again.journal.damage).toEqual([])
    expect(again.journal.state.answers).toEqual({ one: { a: 1 } })
  })
})
