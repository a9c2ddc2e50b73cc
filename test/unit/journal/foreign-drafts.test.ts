import { expect, test } from 'vitest'
import { createForeignDrafts } from '../../../src/journal/foreign-drafts.ts'
import type { Draft } from '../../../src/journal/rows.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { set } from '../../support/journal-rig.ts'

const clock = createFakeClock()
const draft: Draft = {
  ...{
    key: ['s1', 'gone', 1],
    writer: 'gone',
    n: 0,
    at: (clock.now() - 60_000) * 1_000,
    base: -1,
    superseded: [],
    overwrites: [],
  },
  changes: [set('notes', { a: 'old', b: 'old' })],
  typedAt: () => (clock.now() - 60_000) * 1_000,
}

/** Drafts that are due, and what happens between that and their adoption. */
async function adopting(meanwhile: (drafts: ReturnType<typeof createForeignDrafts>) => void) {
  const due: (Draft | undefined)[] = []
  const drafts = createForeignDrafts({
    ...{ drafts: [draft], clock, mayAdopt: () => true, catchUp: async () => {} },
    async adopt() {
      if (due.length > 0) return
      meanwhile(drafts)
      due.push(drafts.due)
    },
  })
  drafts.watch()
  await clock.advance(1_000)
  drafts.close()
  return due[0]
}

test('a draft that is due leaves out what was typed here since', async () => {
  const typed = { change: set('notes', { a: 'new' }), at: clock.now() * 1_000, writer: 'here' }
  const due = await adopting((drafts) => drafts.outdate([typed]))
  expect(due?.changes).toEqual([set('notes', { b: 'old' })])
  expect(due?.superseded).toMatchObject([{ path: '/a', value: 'old' }])
})

test('a draft that is due leaves out what others stored since', async () => {
  const now = { ...draft, changes: [set('notes', { b: 'old' })] }
  const due = await adopting((drafts) => drafts.replace([now]))
  expect(due?.changes).toEqual([set('notes', { b: 'old' })])
})
