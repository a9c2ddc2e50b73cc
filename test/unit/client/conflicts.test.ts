import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Session } from '../../../src/session/session.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { durableStore, type Mortgage, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

/** Two tabs of one device that do not hear each other until they read the journal. */
async function twoTabs() {
  const clock = createFakeClock()
  const store = durableStore()
  const open = (namespace: string) => page({ store, clock, namespace }).open('mortgage')
  const a = await open('tab-a')
  a.set('notes', { text: 'start' })
  a.commit()
  await a.saved('device')
  const b = await open('tab-b')
  return { clock, open, a, b }
}

/** Both tabs change one field; `b` is the later. */
async function conflict(tabs: Awaited<ReturnType<typeof twoTabs>>) {
  const { clock, a, b } = tabs
  a.set('notes', { text: 'from a' })
  a.commit()
  await clock.advance(10)
  b.set('notes', { text: 'from b' })
  b.commit()
  await b.saved('device')
  return tabs
}

/** Reads what the other tab stored, as a tab does that comes to the front; nothing is entered. */
async function look(session: Session<Mortgage>) {
  await session.skip() // reads the journal first; the step is not optional, so that is all
}

describe('two tabs and one list', () => {
  test('keep what is typed in one item while another is added, removed and moved elsewhere', async () => {
    const { a, b } = await twoTabs()
    const [x, y, z] = ['x', 'y', 'z'].map((source) => a.add('incomes', { source, amount: 0 })) as [
      string,
      string,
      string,
    ]
    await a.saved('device')
    await look(b)
    const moved = [...b.getSnapshot().answers.incomes!].reverse()
    a.change('incomes', y, { amount: 12 })
    a.change('incomes', z, { source: 'Z' })
    b.set('incomes', moved)
    b.drop('incomes', x)
    const added = b.add('incomes', { source: 'new', amount: 1 })
    await b.saved('device')
    await look(a)
    a.commit()
    await a.saved('device')
    await look(b)
    const both = [
      { key: z, source: 'Z', amount: 0 },
      { key: y, source: 'y', amount: 12 },
      { key: added, source: 'new', amount: 1 },
    ]
    expect(a.getSnapshot().answers.incomes).toEqual(both)
    expect(b.getSnapshot().answers.incomes).toEqual(both)
    expect([a.conflicts, b.conflicts]).toEqual([[], []])
  })

  test('keep the first items both add', async () => {
    const { a, b } = await twoTabs()
    const [x, y] = [
      a.add('incomes', { source: 'x', amount: 0 }),
      b.add('incomes', { source: 'y', amount: 0 }),
    ]
    await Promise.all([a.saved('device'), b.saved('device')])
    await look(a)
    await look(b)
    expect(
      a
        .getSnapshot()
        .answers.incomes?.map(({ key }) => key)
        .sort(),
    ).toEqual([x, y].sort())
    expect(b.getSnapshot().answers.incomes).toEqual(a.getSnapshot().answers.incomes)
  })
})

describe('a conflict between tabs', () => {
  test('is offered in both, told once, and after a reload too', async () => {
    const tabs = await twoTabs()
    const told: unknown[] = []
    tabs.b.on('conflict', ({ conflicts }) => told.push(...conflicts))
    const { clock, open, a, b } = await conflict(tabs)
    await look(a)
    const [offered] = b.conflicts
    expect(b.conflicts).toMatchObject([
      { step: 'notes', field: 'text', value: 'from a', kept: 'from b', isAsking: false, isLate: false },
    ])
    expect(offered?.at).toBe(clock.now() - 10)
    expect(told).toEqual(b.conflicts)
    expect(a.conflicts).toEqual(b.conflicts)
    expect(b.conflicts).toBe(b.conflicts)
    await Promise.all([a.close(), b.close()])
    const again = await open('tab-c')
    expect(again.conflicts).toEqual([offered])
    expect(again.status.getSnapshot().conflicts).toBe(1)
  })

  test('is offered until resolved in any tab, however much was entered since', async () => {
    const { clock, open, a, b } = await conflict(await twoTabs())
    for (let n = 0; n < 40; n++) {
      b.set('applicant', { name: `Ada ${n}` })
      b.commit()
      await b.saved('device')
    }
    await clock.advance(1_000)
    const c = await open('tab-c')
    expect(c.conflicts).toEqual(b.conflicts)
    c.resolve(c.conflicts[0]!.id, 'keep')
    expect([c.conflicts, c.status.getSnapshot().conflicts]).toEqual([[], 0])
    await c.saved('device')
    for (const tab of [a, b]) {
      await look(tab)
      expect([tab.conflicts, tab.status.getSnapshot().conflicts]).toEqual([[], 0])
    }
    const d = await open('tab-d')
    expect(d.conflicts).toEqual([])
    expect(d.getSnapshot().answers.notes).toEqual({ text: 'from b' })
  })

  test('puts the value back where that is chosen, and un-finishes the step', async () => {
    const { b, open } = await conflict(await twoTabs())
    await b.goTo('applicant')
    b.resolve(b.conflicts[0]!.id, 'restore')
    expect(b.getSnapshot().answers.notes).toEqual({ text: 'from a' })
    expect(b.conflicts).toEqual([])
    await b.saved('device')
    const again = await open('tab-c')
    expect([again.getSnapshot().answers.notes, again.conflicts]).toEqual([{ text: 'from a' }, []])
    b.resolve('unknown', 'restore')
    const history = await b.history()
    expect(history.at(-1)?.changes?.map(({ type }) => type)).toEqual(['resolved', 'set'])
  })

  test('finds its item by key, wherever that is by now', async () => {
    const { clock, a, b } = await twoTabs()
    const key = a.add('incomes', { source: 'Work', amount: 1 })
    await a.saved('device')
    await look(b)
    a.change('incomes', key, { amount: 2 })
    a.commit()
    await a.saved('device')
    await clock.advance(10)
    b.change('incomes', key, { amount: 3 })
    b.commit()
    await b.saved('device')
    const other = b.add('incomes', { source: 'Rent', amount: 9 })
    b.set('incomes', [...b.getSnapshot().answers.incomes!].reverse())
    const [found] = b.conflicts
    expect(found).toMatchObject({ step: 'incomes', item: key, field: 'amount', value: 2, kept: 3 })
    b.resolve(found!.id, 'restore')
    expect(b.getSnapshot().answers.incomes).toEqual([
      { key: other, source: 'Rent', amount: 9 },
      { key, source: 'Work', amount: 2 },
    ])
  })

  test('brings back an item that was removed, with what is restored of it', async () => {
    const { clock, a, b } = await twoTabs()
    const key = a.add('incomes', { source: 'Work', amount: 1 })
    await a.saved('device')
    await look(b)
    a.change('incomes', key, { amount: 2 })
    a.commit()
    await a.saved('device')
    await clock.advance(10)
    b.change('incomes', key, { amount: 3 })
    b.commit()
    await b.saved('device')
    b.drop('incomes', key)
    b.resolve(b.conflicts[0]!.id, 'restore')
    expect(b.getSnapshot().answers.incomes).toEqual([{ key, amount: 2 }])
  })
})

describe('a removed item that was changed elsewhere', () => {
  test('stays, and its removal is offered', async () => {
    const { a, b } = await twoTabs()
    const key = a.add('incomes', { source: 'Work', amount: 1 })
    await a.saved('device')
    await look(b)
    b.change('incomes', key, { amount: 2 })
    await b.saved('device')
    a.drop('incomes', key)
    await a.saved('device')
    await look(b)
    expect(b.getSnapshot().answers.incomes).toEqual([{ key, source: 'Work', amount: 2 }])
    expect(b.conflicts).toMatchObject([{ step: 'incomes', item: key, kept: { amount: 2 } }])
    expect(b.conflicts[0]).not.toHaveProperty('value')
    b.resolve(b.conflicts[0]!.id, 'restore')
    expect(b.getSnapshot().answers.incomes).toEqual([])
  })
})

describe('what a tab that is gone had typed', () => {
  test('is offered where it loses, and what it overwrites is where it wins', async () => {
    const { clock, a, b, open } = await twoTabs()
    const c = await open('tab-c')
    b.set('notes', { text: 'early', other: 'early' })
    await b.saved('device')
    await clock.advance(10)
    a.set('notes', { text: 'entry' })
    a.commit()
    await a.saved('device')
    await clock.advance(10)
    // As b and c are never heard of again, a takes over what they left.
    c.set('notes', { text: 'late' })
    await c.saved('device')
    await clock.advance(60_000)
    await look(a)
    await clock.advance(60_000)
    expect(a.getSnapshot().answers.notes).toMatchObject({ text: 'late', other: 'early' })
    expect(a.conflicts.map(({ value }) => value).sort()).toEqual(['early', 'entry'])
  })

  test('is part of the fork where the session ended meanwhile', async () => {
    const { clock, a, b } = await twoTabs()
    b.set('notes', { text: 'too late' })
    await b.saved('device')
    await a.abandon()
    await clock.advance(60_000)
    await look(a)
    await clock.advance(60_000)
    expect(a.getSnapshot()).toMatchObject({ status: 'abandoned', answers: { notes: { text: 'start' } } })
    expect(a.fork?.answers).toEqual({ notes: { text: 'too late' } })
  })
})

describe('a conflict between devices', () => {
  async function twoDevices() {
    const clock = createFakeClock()
    const backend = memoryBackend()
    const open = (namespace: string) =>
      page({ account: 'u1', backend, clock, namespace, store: durableStore() })
    const [laptop, phone] = [open('laptop'), open('phone')]
    const a = await laptop.open('mortgage')
    a.set('notes', { text: 'start' })
    a.commit()
    await clock.advance(5_000)
    const b = await phone.open('mortgage')
    await clock.advance(5_000)
    const exchange = async () => {
      for (const one of [laptop, phone, laptop, phone]) {
        void one.open('mortgage')
        await clock.advance(5_000)
      }
    }
    return { clock, backend, laptop, phone, a, b, open, exchange }
  }

  test('is offered on every device, also a new one, until one resolves it', async () => {
    const { clock, backend, a, b, open, exchange } = await twoDevices()
    backend.goOffline()
    a.set('notes', { text: 'laptop' })
    a.commit()
    await clock.advance(10)
    b.set('notes', { text: 'phone' })
    b.commit()
    await clock.advance(10)
    backend.goOnline()
    await exchange()
    const c = await open('tablet').open('mortgage')
    await clock.advance(5_000)
    for (const one of [a, b, c]) {
      expect(one.conflicts).toMatchObject([{ field: 'text', value: 'laptop', kept: 'phone' }])
      expect(one.getSnapshot().answers).not.toHaveProperty('/conflicts')
    }
    b.resolve(b.conflicts[0]!.id, 'restore')
    await clock.advance(5_000)
    await exchange()
    for (const one of [a, b]) {
      expect(one.conflicts).toEqual([])
      expect(one.getSnapshot().answers.notes).toEqual({ text: 'laptop' })
      expect(one.status.getSnapshot()).toMatchObject({ conflicts: 0, saved: { server: 'yes' } })
    }
  })
})

describe('a policy of the flow', () => {
  const flow = defineFlow({
    id: 'policies',
    title: 'Policies',
    steps: {
      you: {
        title: 'You',
        schema: z.object({ first: z.string(), last: z.string(), asked: z.string(), broken: z.string() }),
        merge: {
          first: 'theirs',
          last: 'ours',
          asked: 'ask',
          broken: () => {
            throw new Error('a mistake')
          },
        },
      },
    },
  })
  const fields = (value: string) => ({ first: value, last: value, asked: value, broken: value })

  async function meet(kind: 'tabs' | 'devices') {
    const clock = createFakeClock()
    const errors: unknown[] = []
    const backend = memoryBackend()
    const shared = durableStore()
    const pages = ['one', 'two'].map((namespace) =>
      createWaymark({
        ...{ flows: [flow], account: 'u', clock, namespace: `${kind}-${namespace}` },
        ...(kind === 'tabs' ? { store: shared } : { store: durableStore(), backend }),
        onError: (error) => errors.push(error),
      }),
    )
    const [one, two] = (await Promise.all(pages.map((each) => each.open('policies')))) as [
      Session<typeof flow>,
      Session<typeof flow>,
    ]
    one.set('you', fields('start'))
    one.commit()
    await clock.advance(5_000)
    await two.skip()
    if (kind === 'devices') {
      void pages[1]!.open('policies')
      await clock.advance(5_000)
    }
    expect(two.getSnapshot().answers.you).toEqual(fields('start'))
    backend.goOffline()
    two.set('you', fields('second'))
    if (kind === 'devices') two.commit()
    await clock.advance(10)
    one.set('you', fields('first'))
    one.commit()
    await settle()
    backend.goOnline()
    // `one` is stored first, though it was entered later.
    if (kind === 'devices') await pages[0]!.sync.now()
    two.commit()
    for (const each of [...pages, ...pages]) {
      void each.open('policies')
      await each.sync.now()
      await clock.advance(5_000)
    }
    await one.skip()
    await two.skip()
    const outcome = { answers: two.getSnapshot().answers.you, conflicts: two.conflicts, errors }
    expect(one.getSnapshot().answers.you).toEqual(outcome.answers)
    expect(one.conflicts).toEqual(outcome.conflicts)
    for (const each of pages) await each.close()
    return outcome
  }

  test.each(['tabs', 'devices'] as const)(
    'decides between %s, theirs being what was stored first, and makes no two of them differ',
    async (kind) => {
      const { answers, conflicts, errors } = await meet(kind)
      expect(answers).toEqual({ first: 'first', last: 'second', asked: 'first', broken: 'first' })
      expect(conflicts.map(({ field, value, isAsking }) => [field, value, isAsking]).sort()).toEqual([
        ['asked', 'second', true],
        ['broken', 'second', false],
        ['first', 'second', false],
        ['last', 'first', false],
      ])
      expect(errors).toMatchObject([{ code: 'merge-failed', details: { field: 'broken' } }])
    },
  )
})
