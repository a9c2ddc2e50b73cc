import { describe, expect, test } from 'vitest'
import type { Journal } from '../../../src/journal/journal.ts'
import { toDraftRow } from '../../../src/journal/rows.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store, Write } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { openTestJournal, set } from '../../support/journal-rig.ts'

/** A store that remembers its writes and can be told to fail or to lose a reply. */
function spy(store: Store) {
  const writes: Write[] = []
  let next: 'work' | 'fail' | 'lose-reply' = 'work'
  return {
    writes,
    once: (what: 'fail' | 'lose-reply') => {
      next = what
    },
    store: {
      ...store,
      async write(write: Write) {
        writes.push(write)
        const now = next
        next = 'work'
        if (now === 'fail') throw Object.assign(new Error('broken'), { name: 'UnknownError' })
        const outcome = await store.write(write)
        if (now === 'lose-reply') throw Object.assign(new Error('lost'), { name: 'TimeoutError' })
        return outcome
      },
    } satisfies Store,
  }
}

/** A session of one entry, on a store that says what it stored when `held` lets it. */
async function withHeldReplies() {
  const inner = createMemoryStore()
  const replies: { held: Promise<unknown> | undefined } = { held: undefined }
  const store: Store = {
    ...inner,
    async write(write) {
      const outcome = await inner.write(write)
      await replies.held
      return outcome
    },
  }
  const { journal } = await openTestJournal({ store })
  journal.append([set('applicant', { joint: true })], 'relaxed')
  await journal.settled()
  return { inner, replies, journal }
}

describe('openJournal', () => {
  test('stores nothing before the first change', async () => {
    const { store, writes } = spy(createMemoryStore())
    const { journal } = await openTestJournal({ store })
    await journal.settled()
    expect(writes).toEqual([])
    expect(journal.position).toBe(-1)
  })

  test('keeps typing as a draft another page reads back at once', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    journal.draft(set('applicant', { name: 'Ada' }))
    await Promise.resolve()
    await new Promise((r) => setTimeout(r))
    expect(journal.marks.acknowledged).toBe(1)
    const again = await openTestJournal({ store })
    expect(again.journal.state.answers).toEqual({ applicant: { name: 'Ada' } })
  })

  test('writes fifty changes of one task as one transaction', async () => {
    const { store, writes } = spy(createMemoryStore())
    const { journal } = await openTestJournal({ store })
    journal.append([set('applicant', { name: 'x' })], 'relaxed')
    await journal.settled()
    writes.length = 0
    for (let i = 0; i < 50; i++) journal.draft(set('applicant', { [`f${i}`]: i }))
    await new Promise((r) => setTimeout(r))
    expect(writes).toHaveLength(1)
    expect(writes[0]?.put).toHaveLength(1)
  })

  test('turns a draft into one entry after five seconds of rest and removes the draft row', async () => {
    const store = createMemoryStore()
    const { journal, clock } = await openTestJournal({ store })
    journal.draft(set('applicant', { name: 'A' }))
    journal.draft(set('applicant', { name: 'Ada' }))
    await clock.advance(6_000)
    expect(journal.storedState?.answers).toEqual({ applicant: { name: 'Ada' } })
    const [drafts] = await store.read([{ store: 'drafts', prefix: ['s1'] }])
    expect(drafts).toEqual([])
  })

  test('two writers racing store every change once and agree', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const a = await openTestJournal({ store, clock })
    const b = await openTestJournal({ store, clock })
    for (let i = 0; i < 50; i++) {
      a.journal.append([set('one', { [`a${i}`]: i })], 'relaxed')
      b.journal.append([set('two', { [`b${i}`]: i })], 'relaxed')
      if (i % 3 === 0) await new Promise((r) => setTimeout(r))
    }
    await a.journal.settled()
    await b.journal.settled()
    await b.journal.catchUp()
    await a.journal.catchUp()
    expect(Object.keys(a.journal.storedState?.answers['one'] ?? {})).toHaveLength(50)
    expect(Object.keys(a.journal.storedState?.answers['two'] ?? {})).toHaveLength(50)
    expect(a.journal.storedState?.answers).toEqual(b.journal.storedState?.answers)
    const fresh = await openTestJournal({ store, clock })
    expect(fresh.journal.storedState?.answers).toEqual(b.journal.storedState?.answers)
    expect(fresh.events.filter((event) => event.type === 'damaged')).toEqual([])
  })

  test('keeps the losing side of a conflict between two tabs', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const a = await openTestJournal({ store, clock })
    a.journal.append([set('one', { name: 'start' })], 'relaxed')
    await a.journal.settled()
    const b = await openTestJournal({ store, clock })
    await clock.advance(10)
    a.journal.append([set('one', { name: 'from a' })], 'relaxed')
    await clock.advance(10)
    b.journal.append([set('one', { name: 'from b' })], 'relaxed')
    await b.journal.settled()
    await a.journal.catchUp()
    expect(a.journal.storedState?.answers).toEqual({ one: { name: 'from b' } })
    expect(Object.values(b.journal.state.conflicts ?? {})).toMatchObject([
      { step: 'one', path: '/name', value: 'from a' },
    ])
  })

  test('does not acknowledge what failed, says so, and stores it on the retry', async () => {
    const { store, once } = spy(createMemoryStore())
    const { journal, clock } = await openTestJournal({ store })
    once('fail')
    journal.append([set('one', { name: 'Ada' })], 'strict')
    expect(await journal.settled()).toBe(false)
    expect(journal.marks).toMatchObject({ made: 1, acknowledged: 0, failure: { code: 'storage-failed' } })
    await clock.advance(2_000)
    expect(journal.marks).toMatchObject({ made: 1, acknowledged: 1, strict: 1, failure: undefined })
  })

  test('knows its own row after a lost reply and does not store it twice', async () => {
    const base = createMemoryStore()
    const { store, once } = spy(base)
    const { journal, clock } = await openTestJournal({ store })
    once('lose-reply')
    journal.append([set('one', { n: 1 })], 'strict')
    await journal.settled()
    journal.append([set('one', { m: 2 })], 'strict')
    await clock.advance(5_000)
    expect(journal.marks.acknowledged).toBe(2)
    const [rows] = await base.read([{ store: 'journal', prefix: ['s1'] }])
    expect(rows).toHaveLength(2)
    const again = await openTestJournal({ store: base })
    expect(again.journal.storedState?.answers).toEqual({ one: { n: 1, m: 2 } })
    expect(again.events).toEqual([])
  })

  test('adopts the draft of a writer that is gone, once', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const dead = await openTestJournal({ store, clock })
    dead.journal.append([set('one', { a: 1 })], 'relaxed')
    await dead.journal.settled()
    const deadClock = createFakeClock(clock.now())
    const typist = await openTestJournal({ store, clock: deadClock })
    typist.journal.draft(set('one', { b: 2 }))
    await new Promise((r) => setTimeout(r))
    const x = await openTestJournal({ store, clock })
    const y = await openTestJournal({ store, clock })
    expect(x.journal.state.answers).toEqual({ one: { a: 1, b: 2 } })
    expect(x.journal.storedState?.answers).toEqual({ one: { a: 1 } })
    await clock.advance(40_000)
    expect(x.journal.storedState?.answers).toEqual({ one: { a: 1, b: 2 } })
    await y.journal.catchUp()
    const [rows] = await store.read([{ store: 'journal', prefix: ['s1'] }])
    const adoptions = rows?.filter((row) => (row as { p: string }).p.includes('adopted'))
    expect(adoptions).toHaveLength(1)
    expect(await store.read([{ store: 'drafts', prefix: ['s1'] }])).toEqual([[]])
  })

  test('adopting an old draft never outdates what was typed after it', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const dead = await openTestJournal({ store, clock: createFakeClock(clock.now()) })
    dead.journal.append([set('one', { other: 1 })], 'relaxed')
    await dead.journal.settled()
    dead.journal.draft(set('one', { n: 'old' }))
    await new Promise((r) => setTimeout(r))
    await clock.advance(14_000)
    const page = await openTestJournal({ store, clock })
    page.journal.draft(set('one', { n: 'new' }))
    await clock.advance(4_000)
    expect(page.journal.marks.acknowledged).toBe(1)
    expect(page.journal.storedState?.answers).toEqual({ one: { other: 1, n: 'new' } })
    expect(page.journal.state.answers).toEqual({ one: { other: 1, n: 'new' } })
    const again = await openTestJournal({ store, clock: createFakeClock(clock.now()) })
    expect(again.journal.state.answers).toEqual({ one: { other: 1, n: 'new' } })
  })

  test('restores from a checkpoint, and from the journal alone where the checkpoint is damaged', async () => {
    const store = createMemoryStore()
    const { journal, clock } = await openTestJournal({ store })
    for (let i = 0; i < 40; i++) {
      journal.append([set('one', { [`f${i}`]: i })], 'relaxed')
      await journal.settled()
      await clock.advance(100)
    }
    const [manifests] = await store.read([{ store: 'checkpoints', prefix: ['s1'] }])
    expect(manifests).toHaveLength(2)
    const again = await openTestJournal({ store })
    expect(again.journal.storedState).toEqual(journal.storedState)
    for (const row of manifests as { i: number; c: string }[]) {
      await store.write({
        durability: 'relaxed',
        put: [{ store: 'checkpoints', key: ['s1', row.i], value: { ...row, c: row.c.replace('f1', 'f2') } }],
      })
    }
    const damaged = await openTestJournal({ store })
    await new Promise((r) => setTimeout(r))
    expect(damaged.journal.storedState).toEqual(journal.storedState)
    expect(damaged.events.some((event) => event.type === 'damaged')).toBe(true)
    const [set_aside] = await store.read([{ store: 'quarantine', prefix: ['s1'] }])
    expect(set_aside?.length).toBeGreaterThan(0)
  })

  test('sets a damaged entry aside and keeps every other', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    for (let i = 0; i < 3; i++) {
      journal.append([set('one', { [`f${i}`]: i })], 'relaxed')
      await journal.settled()
    }
    const [rows] = await store.read([{ store: 'journal', prefix: ['s1', 1] }])
    const row = rows?.[0] as { p: string }
    await store.write({
      durability: 'relaxed',
      put: [{ store: 'journal', key: ['s1', 1], value: { ...row, p: row.p.replace('1', '7') } }],
    })
    const again = await openTestJournal({ store })
    expect(again.journal.storedState?.answers).toEqual({ one: { f0: 0, f2: 2 } })
    await new Promise((r) => setTimeout(r))
    const [quarantined] = await store.read([{ store: 'quarantine', prefix: ['s1'] }])
    expect(quarantined).toHaveLength(2)
    expect(quarantined).toContainEqual(
      expect.objectContaining({ place: 'entry/1', reason: 'payload hash does not match' }),
    )
    again.journal.append([set('one', { g: 1 })], 'relaxed')
    expect(await again.journal.settled()).toBe(true)
  })

  test('keeps a payload far beyond one record, in pieces', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    const text = 'é'.repeat(200_000)
    journal.draft(set('one', { text }))
    await journal.settled()
    const again = await openTestJournal({ store })
    expect(again.journal.storedState?.answers).toEqual({ one: { text } })
  })

  test('stops appending after an entry of a newer version and keeps input as draft', async () => {
    const store = createMemoryStore()
    const { journal } = await openTestJournal({ store })
    journal.append([set('one', { a: 1 })], 'relaxed')
    await journal.settled()
    await store.write({
      durability: 'relaxed',
      add: { store: 'journal', key: ['s1', 1], value: { v: 2, i: 1, future: true } },
    })
    journal.append([set('one', { b: 2 })], 'relaxed')
    await journal.settled()
    expect(journal.marks.isOutdated).toBe(true)
    const [drafts] = await store.read([{ store: 'drafts', prefix: ['s1'] }])
    expect(drafts).toHaveLength(1)
    const [rows] = await store.read([{ store: 'journal', prefix: ['s1'] }])
    expect(rows).toHaveLength(2)
  })

  test('writes a damaged part of a checkpoint anew with the next one', async () => {
    const store = createMemoryStore()
    const finish = async (journal: Journal, name: string) => {
      const finished = { type: 'finished' as const, step: 'applicant', how: 'valid' as const }
      journal.append([set('partner', { name }), finished], 'strict')
      await journal.settled()
      await clock.advance(1_000)
    }
    const clock = createFakeClock()
    const first = await openTestJournal({ store, clock })
    first.journal.append([set('applicant', { name: 'Ada' })], 'relaxed')
    await finish(first.journal, 'one')
    const range = { store: 'parts' as const, prefix: ['s1'] }
    const [parts = [], keys = []] = await store.read([range, { ...range, isKeys: true }])
    const put = parts.map((part, i) => ({
      ...{ store: 'parts' as const, key: keys[i] as string[], value: { ...(part as object), t: '{}' } },
    }))
    await store.write({ durability: 'strict', put })
    const second = await openTestJournal({ store, clock })
    expect(second.journal.damage).toHaveLength(1)
    await finish(second.journal, 'two')
    const third = await openTestJournal({ store, clock })
    expect(third.journal.damage).toEqual([])
    expect(third.journal.state.answers).toEqual({ applicant: { name: 'Ada' }, partner: { name: 'two' } })
  })

  test('offers what a tab that is gone typed where this one was typing too', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const { journal } = await openTestJournal({ store, clock })
    const gone = await openTestJournal({ store, clock: createFakeClock() })
    gone.journal.draft(set('applicant', { name: 'theirs' }))
    await clock.advance(10)
    journal.draft(set('applicant', { name: 'ours' }))
    await journal.catchUp()
    for (let i = 0; i < 6; i++) {
      await clock.advance(4_000)
      journal.draft(set('applicant', { other: i }))
    }
    expect(journal.hasForeignDrafts).toBe(false)
    await journal.settled()
    expect(journal.storedState?.answers).toEqual({ applicant: { name: 'ours', other: 5 } })
    expect(Object.values(journal.storedState?.conflicts ?? {})).toMatchObject([{ value: 'theirs' }])
  })

  test('keeps both values where two tabs that are gone typed into one field in the same moment', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const { journal } = await openTestJournal({ store, clock })
    journal.append([set('applicant', { joint: true })], 'relaxed')
    await journal.settled()
    for (const name of ['one', 'two']) {
      const gone = await openTestJournal({ store, clock: createFakeClock() })
      gone.journal.draft(set('applicant', { name }))
      await gone.clock.advance(10)
    }
    await journal.catchUp()
    await clock.advance(40_000)
    expect(journal.hasForeignDrafts).toBe(false)
    const { name } = journal.state.answers['applicant'] as { name: string }
    const [kept] = Object.values(journal.storedState?.conflicts ?? {})
    expect([name, kept?.value].sort()).toEqual(['one', 'two'])
  })

  test('takes a draft from a clock that runs ahead for silent only once it was seen unchanged for long', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const { journal } = await openTestJournal({ store, clock })
    const ahead = await openTestJournal({ store, clock: createFakeClock(clock.now() + 60_000) })
    ahead.journal.draft(set('applicant', { name: 'Ada' }))
    await ahead.clock.advance(10)
    await journal.catchUp()
    await clock.advance(14_000)
    expect(journal.hasForeignDrafts).toBe(true)
    await clock.advance(4_000)
    expect(journal.hasForeignDrafts).toBe(false)
  })

  test('adopts nothing again that its writer wrote once more', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const { journal } = await openTestJournal({ store, clock })
    journal.append([set('applicant', { joint: true })], 'relaxed')
    await journal.settled()
    const deaf = await openTestJournal({ store, clock: createFakeClock() })
    for (const fields of [{ name: 'Ada' }, { born: 1815 }]) {
      deaf.journal.draft(set('applicant', fields))
      await deaf.clock.advance(10)
      await journal.catchUp()
      await clock.advance(40_000)
    }
    expect(journal.storedState?.answers).toEqual({ applicant: { joint: true, name: 'Ada', born: 1815 } })
    const [rows = []] = await store.read([{ store: 'journal', prefix: ['s1'] }])
    expect(rows.filter((row) => (row as { p: string }).p.includes('Ada'))).toHaveLength(1)
  })

  test('keeps what others typed over an adopted draft, though its writer types elsewhere', async () => {
    const store = createMemoryStore()
    const [clock, frozen] = [createFakeClock(), createFakeClock()]
    const { journal } = await openTestJournal({ store, clock })
    journal.append([set('applicant', { joint: true })], 'relaxed')
    await journal.settled()
    const deaf = await openTestJournal({ store, clock: frozen })
    deaf.journal.draft(set('applicant', { name: 'Ada' }))
    await frozen.advance(10)
    await journal.catchUp()
    await clock.advance(40_000)
    journal.append([set('applicant', { name: 'Grace' })], 'relaxed')
    await journal.settled()
    frozen.jump(41_000)
    deaf.journal.draft(set('applicant', { born: 1815 }))
    await settle()
    await journal.catchUp()
    const shown = { applicant: { joint: true, name: 'Grace', born: 1815 } }
    expect(journal.state.answers).toEqual(shown)
    await clock.advance(40_000)
    expect(journal.hasForeignDrafts).toBe(false)
    expect(journal.storedState?.answers).toEqual(shown)
    expect(journal.storedState?.conflicts).toBeUndefined()
  })

  test('gives no number twice where its own entry cannot be read any more', async () => {
    const inner = createMemoryStore()
    const { store, once } = spy(inner)
    const { journal, clock } = await openTestJournal({ store })
    journal.append([set('applicant', { joint: true })], 'relaxed')
    await journal.settled()
    once('lose-reply')
    journal.append([set('applicant', { name: 'Ada' })], 'relaxed')
    await settle()
    const place = { store: 'journal' as const, key: ['s1', 1] }
    const [[row]] = (await inner.read([{ store: 'journal', prefix: ['s1', 1] }])) as [
      [{ p: string; c: string }],
    ]
    await inner.write({ durability: 'strict', put: [{ ...place, value: { ...row, p: row.p.slice(1) } }] })
    await clock.advance(5_000)
    expect(await journal.settled()).toBe(true)
    expect(journal.storedState?.answers).toEqual({ applicant: { joint: true, name: 'Ada' } })
    const [rows = []] = await inner.read([{ store: 'journal', prefix: ['s1'] }])
    const ids = rows
      .map((one) => JSON.parse((one as { c: string }).c))
      .map(({ writer, n }) => `${writer}:${n}`)
    expect(ids).toHaveLength(3)
    expect(new Set(ids).size).toBe(3)
  })

  test('takes what its writer typed again after it was adopted for new, though it reads the same', async () => {
    const store = createMemoryStore()
    const [clock, frozen] = [createFakeClock(), createFakeClock()]
    const { journal } = await openTestJournal({ store, clock })
    journal.append([set('applicant', { joint: true })], 'relaxed')
    await journal.settled()
    const deaf = await openTestJournal({ store, clock: frozen })
    deaf.journal.draft(set('applicant', { name: 'Ada' }))
    await frozen.advance(10)
    await journal.catchUp()
    await clock.advance(40_000)
    journal.append([set('applicant', { name: 'Grace' })], 'relaxed')
    await journal.settled()
    frozen.jump(41_000)
    for (const name of ['Adam', 'Ada']) {
      deaf.journal.draft(set('applicant', { name }))
      await settle()
    }
    expect(deaf.journal.marks.acknowledged).toBe(deaf.journal.marks.made)
    await journal.catchUp()
    await clock.advance(40_000)
    expect(journal.storedState?.answers).toEqual({ applicant: { joint: true, name: 'Ada' } })
    expect(Object.values(journal.storedState?.conflicts ?? {})).toMatchObject([{ value: 'Grace' }])
  })

  test('takes nothing for new of what was so already when a draft was adopted', async () => {
    const store = createMemoryStore()
    const [clock, frozen] = [createFakeClock(), createFakeClock()]
    const { journal } = await openTestJournal({ store, clock })
    journal.append([set('applicant', { joint: true })], 'relaxed')
    await journal.settled()
    const deaf = await openTestJournal({ store, clock: frozen })
    // Both are filled in by the browser.
    journal.append([set('applicant', { name: 'Ada' })], 'relaxed')
    await journal.settled()
    frozen.jump(5)
    deaf.journal.draft(set('applicant', { name: 'Ada' }))
    await frozen.advance(10)
    await journal.catchUp()
    await clock.advance(40_000)
    journal.append([set('applicant', { name: 'Grace' })], 'relaxed')
    await journal.settled()
    frozen.jump(41_000)
    deaf.journal.draft(set('applicant', { born: 1815 }))
    await settle()
    await journal.catchUp()
    await clock.advance(40_000)
    expect(journal.storedState?.answers).toEqual({ applicant: { joint: true, name: 'Grace', born: 1815 } })
  })

  test('says of a flushed draft only what its writer had surely read', async () => {
    const inner = createMemoryStore()
    const clock = createFakeClock()
    let hold = Promise.resolve()
    let isHeld = false
    const store: Store = {
      ...inner,
      async write(write) {
        if (isHeld && write.add) await hold
        return inner.write(write)
      },
    }
    const leaving = await openTestJournal({ store, clock: createFakeClock(clock.now() + 5) })
    leaving.journal.append([set('applicant', { joint: true })], 'relaxed')
    await leaving.journal.settled()
    // Its entry is under way, and never arrives; it types on and is hidden; another tab takes the place.
    hold = new Promise(() => {})
    isHeld = true
    leaving.journal.append([set('review', { ok: true })], 'relaxed')
    await Promise.resolve()
    leaving.journal.draft(set('applicant', { name: 'leaving' }))
    leaving.journal.flush()
    const { journal } = await openTestJournal({ store: inner, clock })
    journal.append([set('applicant', { name: 'staying' })], 'relaxed')
    await journal.settled()
    await journal.catchUp()
    await clock.advance(40_000)
    expect(journal.hasForeignDrafts).toBe(false)
    const values = Object.values(journal.storedState?.conflicts ?? {}).map(({ value }) => value)
    const { name } = journal.state.answers['applicant'] as { name: string }
    expect([name, ...values].sort()).toEqual(['leaving', 'staying'])
  })

  test('adopts nothing older of what its writer wrote twice and stored meanwhile', async () => {
    const store = createMemoryStore()
    const clock = createFakeClock()
    const { journal } = await openTestJournal({ store, clock })
    const item = (source: string) => ({ key: 'k', source })
    journal.append(
      [{ type: 'set', step: 'incomes', patch: [{ op: 'add', path: '', value: [item('new')] }] }],
      'relaxed',
    )
    await journal.settled()
    const at = clock.now() * 1_000 + 1
    const patch = [
      { op: 'add' as const, path: '/~=k', value: item('old') },
      { op: 'replace' as const, path: '/~=k/source', value: 'new' },
    ]
    const gone = { writer: 'gone', n: 1, at, base: 0, typedAt: () => at }
    const draft = toDraftRow(gone, [{ type: 'set', step: 'incomes', patch }])
    await store.write({
      durability: 'strict',
      put: [{ store: 'drafts', key: ['s1', 'gone'], value: draft }],
    })
    await journal.catchUp()
    await clock.advance(40_000)
    expect(journal.hasForeignDrafts).toBe(false)
    expect(journal.storedState?.answers).toEqual({ incomes: [item('new')] })
  })

  test.each([
    ['at once', false],
    ['having looked at the journal first, as a tab that comes back', true],
  ])('adopting a draft never takes what its writer types in that very moment, %s', async (_, isLooking) => {
    const inner = createMemoryStore()
    const [clock, frozen] = [createFakeClock(), createFakeClock()]
    let wait: Promise<void> | undefined
    const slow: Store = {
      ...inner,
      async write(write) {
        if (write.remove?.some((range) => range.store === 'drafts')) await wait
        return inner.write(write)
      },
    }
    const writer = await openTestJournal({ store: inner, clock: frozen })
    writer.journal.append([set('applicant', { joint: true })], 'relaxed')
    await writer.journal.settled()
    writer.journal.draft(set('applicant', { name: 'Ada' }))
    await frozen.advance(10)
    // Frozen since: no timer of its own makes this an entry, and another tab is about to.
    const { journal } = await openTestJournal({ store: slow, clock })
    let release = () => {}
    wait = new Promise((resolve) => (release = resolve))
    await clock.advance(20_000)
    frozen.jump(20_000)
    if (isLooking) await writer.journal.catchUp()
    writer.journal.draft(set('applicant', { name: 'Ada Lovelace' }))
    await settle()
    expect(writer.journal.marks.acknowledged).toBe(writer.journal.marks.made)
    release()
    await settle()
    await journal.catchUp()
    const again = await openTestJournal({ store: inner })
    expect(again.journal.state.answers).toEqual({ applicant: { joint: true, name: 'Ada Lovelace' } })
  })

  test('leaves no draft of what became an entry, also where a write was stored that seemed to fail', async () => {
    const inner = createMemoryStore()
    const { store, once } = spy(inner)
    const { journal } = await openTestJournal({ store })
    journal.append([set('applicant', { joint: true })], 'relaxed')
    await journal.settled()
    once('lose-reply')
    journal.draft(set('applicant', { name: 'Ada' }))
    await settle()
    expect(journal.marks.failure).toBeDefined()
    await journal.settled()
    expect(journal.storedState?.answers).toEqual({ applicant: { joint: true, name: 'Ada' } })
    expect(await inner.read([{ store: 'drafts', prefix: ['s1'] }])).toEqual([[]])
  })

  test('leaves no draft of what became an entry, flushed while the entry that removes the one before was under way', async () => {
    const { inner, replies, journal } = await withHeldReplies()
    journal.draft(set('applicant', { name: 'A' }))
    await settle()
    let release = () => {}
    replies.held = new Promise<void>((resolve) => {
      release = resolve
    })
    journal.commitDraft()
    await settle()
    replies.held = undefined
    journal.draft(set('applicant', { name: 'Ada' }))
    journal.flush()
    await settle()
    journal.commitDraft()
    release()
    await journal.settled()
    expect(journal.storedState?.answers['applicant']).toEqual({ joint: true, name: 'Ada' })
    expect(await inner.read([{ store: 'drafts', prefix: ['s1'] }])).toEqual([[]])
  })

  test('leaves no draft of what became an entry, also where it was flushed meanwhile', async () => {
    const { inner, replies, journal } = await withHeldReplies()
    let release = () => {}
    replies.held = new Promise<void>((resolve) => (release = resolve))
    journal.append([set('review', { ok: true })], 'relaxed')
    await settle()
    // The entry is under way; what follows is flushed, and that is not heard of before it is an entry itself.
    replies.held = new Promise(() => {})
    journal.draft(set('applicant', { name: 'Ada' }))
    journal.flush()
    await settle()
    replies.held = undefined
    journal.commitDraft()
    release()
    await journal.settled()
    expect(journal.storedState?.answers['applicant']).toEqual({ joint: true, name: 'Ada' })
    expect(await inner.read([{ store: 'drafts', prefix: ['s1'] }])).toEqual([[]])
  })

  test('leaves one draft behind, also where a write was stored that seemed to fail', async () => {
    const inner = createMemoryStore()
    const { store, once } = spy(inner)
    const { journal, clock } = await openTestJournal({ store })
    journal.append([set('applicant', { joint: true })], 'relaxed')
    await journal.settled()
    once('lose-reply')
    journal.draft(set('applicant', { name: 'A' }))
    await settle()
    expect(journal.marks.failure).toBeDefined()
    clock.jump(60_000)
    journal.draft(set('applicant', { name: 'Ada' }))
    await settle()
    const [drafts = []] = await inner.read([{ store: 'drafts', prefix: ['s1'] }])
    expect(drafts.map((row) => (row as { c: string }).c.includes('Ada'))).toEqual([true])
  })
})
