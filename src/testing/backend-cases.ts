/**
 * What every Backend must do with the server behind it, whatever carries it, as data: a runner calls `run` for each case,
 * which rejects where the backend is wrong. Knows no test runner, so that an author of a backend can use any.
 *
 * Each case has accounts of its own, `conformance-…`, so that cases may share a server; it must take any of them.
 */
import type { Backend } from '../protocol/backend.ts'
import type { SyncItem, SyncOutcome } from '../protocol/wire.ts'
import { createAuthor, runningMeta, setChange } from './author.ts'
import { equal, includes } from './contract.ts'

/** One thing a backend must do. */
export interface BackendCase {
  readonly name: string
  /** Rejects with `contract-broken` where the backend does not. */
  run(open: () => Backend | Promise<Backend>): Promise<void>
}

interface Rig {
  readonly backend: Backend
  exchange(items: readonly SyncItem[], as?: string): Promise<readonly SyncOutcome[]>
  one(item: SyncItem, as?: string): Promise<SyncOutcome>
  /** The rev of a push that must be accepted. */
  rev(push: SyncItem): Promise<string>
}

/**
 * The cases, in no particular order.
 *
 * @example
 * for (const { name, run } of backendCases) test(name, () => run(() => myBackend()))
 */
export const backendCases: readonly BackendCase[] = [
  caseOf('answers nothing to nothing', async ({ exchange }) => {
    equal(await exchange([]), [])
  }),
  caseOf('accepts a new session and gives back all of it', async ({ one, rev }) => {
    const a = createAuthor('s1', 'wa')
    const push = a.set(null, 'x', JSON.parse('{"__proto__":{"a":1},"half":"\\ud83d","nul":"\\u0000"}'))
    const accepted = await rev(push)
    equal(await one({ type: 'pull', session: 's1', since: null }), {
      type: 'snapshot',
      session: 's1',
      snapshot: {
        ...{ rev: accepted, isWhole: true, meta: runningMeta, steps: push.changed },
        ...{ heads: { wa: a.head }, at: 1_000, stamps: { x: { at: 1_000, writer: 'wa' } } },
      },
    })
    equal(await one({ type: 'pull', session: 's1', since: accepted }), {
      ...{ type: 'unchanged', session: 's1', rev: accepted },
    })
  }),
  caseOf('answers a push sent again with the rev it made', async ({ one, rev }) => {
    const push = createAuthor('s1', 'wa').set(null, 'x', { n: 1 })
    const first = await rev(push)
    const second = await rev(createAuthor('s1', 'wb', 2_000).set(first, 'y', { n: 2 }))
    equal(await rev(push), first)
    includes(await one({ type: 'pull', session: 's1', since: first }), {
      snapshot: { rev: second, isWhole: false, steps: { y: '{"n":2}' } },
    })
  }),
  caseOf('says stale to a push of only some of what made a rev', async ({ one, rev }) => {
    const [a, b] = [createAuthor('s1', 'wa'), createAuthor('s1', 'wb')]
    const entries = [a.write([setChange('x', { n: 1 })]), b.write([setChange('y', { n: 2 })])]
    const made = await rev(a.push({ base: null, entries, changed: { x: { n: 1 }, y: { n: 2 } } }))
    const part = a.push({ base: null, entries: entries.slice(0, 1), changed: { x: { n: 1 } } })
    includes(await one(part), { type: 'stale', snapshot: { rev: made, steps: { y: '{"n":2}' } } })
  }),
  caseOf('says stale with what happened since the base', async ({ one, rev }) => {
    const first = await rev(createAuthor('s1', 'wa').set(null, 'x', { n: 1 }))
    const second = await rev(createAuthor('s1', 'wb').set(first, 'y', { n: 2 }))
    const late = createAuthor('s1', 'wc').set(first, 'x', { n: 3 })
    const snapshot = { rev: second, isWhole: false, steps: { y: '{"n":2}' } }
    includes(await one(late), { type: 'stale', session: 's1', snapshot })
    includes(await one({ ...late, base: second }), { type: 'accepted' })
    const lost = createAuthor('s1', 'wd').set(null, 'x', {})
    includes(await one(lost), { type: 'stale', snapshot: { isWhole: true } })
  }),
  caseOf('takes one of several pushes with the same base', async ({ one, rev }) => {
    const base = await rev(createAuthor('s1', 'w0').set(null, 'x', {}))
    const pushes = ['wa', 'wb', 'wc', 'wd'].map((writer) =>
      createAuthor('s1', writer).set(base, 'x', { writer }),
    )
    const types = await Promise.all(pushes.map(async (push) => (await one(push)).type))
    equal(types.sort(), ['accepted', 'stale', 'stale', 'stale'])
  }),
  caseOf('does not know what it does not hold, and takes everything again', async ({ one, rev }) => {
    const push = createAuthor('s1', 'wa').set('7-gone', 'x', {})
    equal(await one(push), { type: 'unknown', session: 's1' })
    equal(await one({ type: 'pull', session: 's1', since: null }), { type: 'unknown', session: 's1' })
    await rev({ ...push, base: null })
  }),
  caseOf('rejects a forked writer, takes a gap, and goes on', async ({ exchange, rev }) => {
    const a = createAuthor('s1', 'wa')
    const base = await rev(a.set(null, 'x', { n: 1 }))
    const twin = createAuthor('s1', 'wa', 5_000).set(base, 'x', { n: 2 })
    a.write([])
    const gap = a.set(base, 'x', { n: 3 })
    const other = createAuthor('s2', 'wa').set(null, 'x', {})
    includes(await exchange([twin, gap, other]), [
      { type: 'rejected', session: 's1', reason: 'writer-forked' },
      { type: 'accepted', session: 's1' },
      { type: 'accepted', session: 's2' },
    ])
  }),
  caseOf('keeps what comes after the end, which changes nothing', async ({ one, rev }) => {
    const base = await rev(createAuthor('s1', 'wa').set(null, 'x', { n: 1 }))
    const done = createAuthor('s1', 'wb').set(base, 'x', { n: 4 }, { status: 'done', submitted: ['x'] })
    const end = await rev(done)
    equal(await rev(done), end)
    const late = createAuthor('s1', 'wc').set(end, 'x', { n: 5 }, { status: 'done' })
    await rev(late)
    includes(await one({ type: 'pull', session: 's1', since: null }), {
      snapshot: { meta: { status: 'done', submitted: ['x'] }, steps: { x: '{"n":4}' } },
    })
  }),
  caseOf('keeps accounts apart', async ({ one, rev }) => {
    const push = createAuthor('s1', 'wa').set(null, 'x', {})
    await rev(push)
    const stranger = nextAccount()
    includes(await one({ type: 'pull', session: 's1', since: null }, stranger), { type: 'unknown' })
    includes(await one(push, stranger), { type: 'accepted' })
  }),
  caseOf('takes a thousand changes in one push', async ({ one, rev }) => {
    const a = createAuthor('s1', 'wa')
    const entries = Array.from({ length: 1_000 }, (_, n) =>
      a.write([{ type: 'set', step: 'x', patch: [{ op: 'add', path: '/n', value: n }] }]),
    )
    await rev(a.push({ base: null, entries, changed: { x: { n: 999 } } }))
    includes(await one({ type: 'pull', session: 's1', since: null }), {
      snapshot: { heads: { wa: a.head }, steps: { x: '{"n":999}' } },
    })
  }),
  {
    name: 'heeds the abort signal',
    async run(open) {
      const backend = await open()
      const outcome = await backend.exchange([], { account: nextAccount(), signal: AbortSignal.abort() })
      includes(outcome, { type: 'unreachable' })
    },
  },
]

function caseOf(name: string, check: (rig: Rig) => Promise<void>): BackendCase {
  return {
    name,
    async run(open) {
      const backend = await open()
      const account = nextAccount()
      const { signal } = new AbortController()
      const exchange = async (items: readonly SyncItem[], as = account) => {
        const outcome = await backend.exchange(items, { account: as, signal })
        if (outcome.type !== 'answered') equal(outcome, 'an answer')
        return outcome.type === 'answered' ? outcome.outcomes : []
      }
      const one = async (item: SyncItem, as?: string) => (await exchange([item], as))[0]!
      const rev = async (push: SyncItem) => {
        const outcome = await one(push)
        includes(outcome, { type: 'accepted' })
        return outcome.type === 'accepted' ? outcome.rev : ''
      }
      await check({ backend, exchange, one, rev })
    },
  }
}

function nextAccount(): string {
  return `conformance-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`
}
