/** What every Backend must do, whatever carries it. */
import { describe, expect, test } from 'vitest'
import type { Backend, ExchangeOutcome } from '../../../src/protocol/backend.ts'
import type { SyncItem, SyncOutcome } from '../../../src/protocol/wire.ts'
import { createAuthor, runningMeta } from '../protocol/author.ts'

export function outcomesOf(outcome: ExchangeOutcome): readonly SyncOutcome[] {
  if (outcome.type !== 'answered') throw new Error(`Expected an answer, got ${JSON.stringify(outcome)}`)
  return outcome.outcomes
}

let accounts = 0

export function backendCases(name: string, open: () => Promise<Backend>): void {
  const start = async () => {
    const backend = await open()
    const account = `u-${accounts++}`
    const signal = new AbortController().signal
    const exchange = async (items: readonly SyncItem[], as = account) =>
      outcomesOf(await backend.exchange(items, { account: as, signal }))
    const one = async (item: SyncItem, as?: string) => (await exchange([item], as))[0]!
    const rev = async (item: SyncItem) => {
      const outcome = await one(item)
      if (outcome.type !== 'accepted') throw new Error(`Expected accepted, got ${JSON.stringify(outcome)}`)
      return outcome.rev
    }
    return { backend, account, exchange, one, rev }
  }

  describe(`${name} as a Backend`, () => {
    test('answers nothing to nothing', async () => {
      const { exchange } = await start()
      expect(await exchange([])).toEqual([])
    })

    test('accepts a new session and gives back all of it', async () => {
      const { one, rev } = await start()
      const a = createAuthor('s1', 'wa')
      const push = a.set(null, 'x', JSON.parse('{"__proto__":{"a":1},"half":"\\ud83d","nul":"\\u0000"}'))
      const accepted = await rev(push)
      expect(await one({ type: 'pull', session: 's1', since: null })).toEqual({
        type: 'snapshot',
        session: 's1',
        snapshot: {
          ...{ rev: accepted, isWhole: true, meta: runningMeta, steps: push.changed },
          ...{ heads: { wa: a.head }, at: 1_000, stamps: { x: { at: 1_000, writer: 'wa' } } },
        },
      })
      expect(await one({ type: 'pull', session: 's1', since: accepted })).toEqual({
        ...{ type: 'unchanged', session: 's1', rev: accepted },
      })
    })

    test('answers a push sent again with the rev it made', async () => {
      const { one, rev } = await start()
      const push = createAuthor('s1', 'wa').set(null, 'x', { n: 1 })
      const first = await rev(push)
      const second = await rev(createAuthor('s1', 'wb', 2_000).set(first, 'y', { n: 2 }))
      expect(await rev(push)).toBe(first)
      expect(await one({ type: 'pull', session: 's1', since: first })).toMatchObject({
        snapshot: { rev: second, isWhole: false, steps: { y: '{"n":2}' } },
      })
    })

    test('says stale with what happened since the base', async () => {
      const { one, rev } = await start()
      const first = await rev(createAuthor('s1', 'wa').set(null, 'x', { n: 1 }))
      const second = await rev(createAuthor('s1', 'wb').set(first, 'y', { n: 2 }))
      const late = createAuthor('s1', 'wc').set(first, 'x', { n: 3 })
      const snapshot = { rev: second, isWhole: false, steps: { y: '{"n":2}' } }
      expect(await one(late)).toMatchObject({ type: 'stale', session: 's1', snapshot })
      expect((await one({ ...late, base: second })).type).toBe('accepted')
      const lost = createAuthor('s1', 'wd').set(null, 'x', {})
      expect(await one(lost)).toMatchObject({ type: 'stale', snapshot: { isWhole: true } })
    })

    test('takes one of several pushes with the same base', async () => {
      const { one, rev } = await start()
      const base = await rev(createAuthor('s1', 'w0').set(null, 'x', {}))
      const writers = ['wa', 'wb', 'wc', 'wd']
      const types = await Promise.all(
        writers.map(
          async (writer) => (await one(createAuthor('s1', writer).set(base, 'x', { writer }))).type,
        ),
      )
      expect(types.sort()).toEqual(['accepted', 'stale', 'stale', 'stale'])
    })

    test('does not know what it does not hold, and takes everything again', async () => {
      const { one, rev } = await start()
      const push = createAuthor('s1', 'wa').set('7-gone', 'x', {})
      expect(await one(push)).toEqual({ type: 'unknown', session: 's1' })
      expect(await one({ type: 'pull', session: 's1', since: null })).toEqual({
        type: 'unknown',
        session: 's1',
      })
      await rev({ ...push, base: null })
    })

    test('rejects a forked writer, takes a gap, and goes on', async () => {
      const { exchange, rev } = await start()
      const a = createAuthor('s1', 'wa')
      const base = await rev(a.set(null, 'x', { n: 1 }))
      const twin = createAuthor('s1', 'wa', 5_000).set(base, 'x', { n: 2 })
      a.write([])
      const gap = a.set(base, 'x', { n: 3 })
      const other = createAuthor('s2', 'wa').set(null, 'x', {})
      expect(await exchange([twin, gap, other])).toMatchObject([
        { type: 'rejected', session: 's1', reason: 'writer-forked' },
        { type: 'accepted', session: 's1' },
        { type: 'accepted', session: 's2' },
      ])
    })

    test('keeps what comes after the end, which changes nothing', async () => {
      const { one, rev } = await start()
      const base = await rev(createAuthor('s1', 'wa').set(null, 'x', { n: 1 }))
      const done = createAuthor('s1', 'wb').set(base, 'x', { n: 4 }, { status: 'done', submitted: ['x'] })
      const end = await rev(done)
      expect(await rev(done)).toBe(end)
      const late = createAuthor('s1', 'wc').set(end, 'x', { n: 5 }, { status: 'done' })
      await rev(late)
      expect(await one({ type: 'pull', session: 's1', since: end })).toMatchObject({
        snapshot: { isWhole: false, meta: { status: 'done', submitted: ['x'] }, steps: {} },
      })
    })

    test('keeps accounts apart', async () => {
      const { one, rev } = await start()
      const push = createAuthor('s1', 'wa').set(null, 'x', {})
      await rev(push)
      expect(await one({ type: 'pull', session: 's1', since: null }, 'someone-else')).toMatchObject({
        type: 'unknown',
      })
      expect((await one(push, `${accounts++}-else`)).type).toBe('accepted')
    })

    test('takes a thousand changes in one push', async () => {
      const { rev } = await start()
      const a = createAuthor('s1', 'wa')
      const entries = Array.from({ length: 1_000 }, (_, n) =>
        a.write([{ type: 'set', step: 'x', patch: [{ op: 'add', path: '/n', value: n }] }]),
      )
      expect(await rev(a.push({ base: null, entries, changed: { x: { n: 999 } } }))).toMatch(/^1-/)
    })

    test('heeds the abort signal', async () => {
      const { backend, account } = await start()
      const outcome = await backend.exchange([], { account, signal: AbortSignal.abort() })
      expect(outcome).toEqual({ type: 'unreachable', reason: 'aborted' })
    })
  })
}
