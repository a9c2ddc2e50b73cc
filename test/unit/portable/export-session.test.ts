import { describe, expect, test } from 'vitest'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { exportSession } from '../../../src/portable/export-session.ts'
import { initialState, type Loser, type SessionState } from '../../../src/record/state.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { openTestJournal, set, testFlow, toTestHead } from '../../support/journal-rig.ts'

const initial = initialState(testFlow, 'applicant')

/** The session as it is stored, with these fields left out. */
async function exported(store: Store, leftOut: readonly (readonly [string, readonly string[]])[] = []) {
  const head = toTestHead('s1', initial, 1)
  return exportSession(store, { head, initial, shown: undefined, now: 5, leftOut: new Map(leftOut) })
}

const loser = (step: string, value: string): Loser => ({ step, path: '/iban', value, at: 1, writer: 'w9' })

describe('exportSession', () => {
  test('of a session nobody has open holds its typing too, and when it was typed', async () => {
    const store = createMemoryStore()
    const { journal, clock } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    await clock.advance(1_000)
    journal.draft(set('one', { b: 2 }))
    await clock.advance(1_000)
    const { state, at, entries } = await exported(store)
    expect(entries).toHaveLength(1)
    expect(state?.answers).toEqual({ one: { a: 1, b: 2 } })
    expect(at).toBe((clock.now() - 1_000) * 1_000)
  })

  test('of a session whose entries tell everything holds nothing beside them', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    const session = await exported(store, [['two', ['iban']]])
    expect(session).not.toHaveProperty('state')
    expect(session).not.toHaveProperty('isPartial')
  })

  test('leaves fields out of merges, of what they lost, and of conflicts', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    const patch = (step: string, value: string) => [
      { op: 'add' as const, path: `/answers/${step}/iban`, value },
    ]
    const merged = { type: 'merged' as const, joins: {}, losers: [] }
    for (const change of [
      { ...merged, patch: patch('bank', 'PLANTED') },
      { ...merged, patch: [], losers: [loser('bank', 'PLANTED')] },
      { ...merged, patch: [{ op: 'add' as const, path: '/conflicts/c1/value', value: 'PLANTED' }] },
      { ...merged, patch: patch('other', 'shown'), losers: [loser('other', 'offered')] },
    ]) {
      journal.append([change], 'relaxed')
      await journal.settled()
    }
    const session = await exported(store, [['bank', ['iban']]])
    expect(JSON.stringify(session)).not.toContain('PLANTED')
    expect(session.entries.map(({ p }) => p !== undefined)).toEqual([false, false, false, true])
    expect(session.isPartial).toBe(true)
    const { answers, conflicts } = session.state as SessionState
    expect(answers).toMatchObject({ bank: {}, other: { iban: 'shown' } })
    expect(Object.values(conflicts ?? {}).map(({ step }) => step)).toEqual(['other'])
  })

  test('holds what was set aside only where nothing is left out: nobody can say what is in it', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    const value = { v: 1, session: 's1', place: 'entry/7', reason: 'x', at: 1, row: 'PLANTED' }
    await store.write({
      durability: 'relaxed',
      put: [{ store: 'quarantine', key: ['s1', 'entry/7'], value }],
    })
    expect((await exported(store)).quarantine).toEqual([value])
    expect((await exported(store, [['bank', ['iban']]])).quarantine).toEqual([])
  })

  test('is refused where newer code wrote to the session', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    await store.write({ durability: 'relaxed', add: { store: 'journal', key: ['s1', 1], value: { v: 2 } } })
    const error = await exported(store).catch((thrown: unknown) => thrown)
    expect(isWaymarkError(error, 'outdated')).toBe(true)
  })
})
