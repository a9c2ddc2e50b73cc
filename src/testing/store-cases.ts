/**
 * What every Store must do, as data: a runner opens a store of its own for each case and calls `run`, which throws where
 * the store is wrong. Knows no test runner, so that an author of a store can use any.
 *
 * `open` may be called more than once within a case: each call opens the same data again, as another tab would.
 */
import { type Key, type Range, type Row, type Store, storeNames, type Write } from '../store/store.ts'
import { equal, rejects } from './contract.ts'

/** One thing a store must do. */
export interface StoreCase {
  readonly name: string
  /** Rejects with `contract-broken` where the store does not. */
  run(open: () => Promise<Store>): Promise<void>
}

const entry = (position: number, value: unknown = position, session = 's'): Row => ({
  ...{ store: 'journal', key: [session, position], value },
})
const relaxed = (write: Omit<Write, 'durability'>): Write => ({ durability: 'relaxed', ...write })
const all: Range = { store: 'journal', prefix: [] }
const keyed = (...keys: Key[]): Row[] =>
  keys.map((key) => ({ store: 'parts', key, value: JSON.stringify(key) }))

async function rows(store: Store, range: Range): Promise<readonly unknown[]> {
  const [values] = await store.read([range])
  return values ?? []
}

/**
 * The cases, in no particular order.
 *
 * @example
 * for (const { name, run } of storeCases) test(name, () => run(() => openMyStore()))
 */
export const storeCases: readonly StoreCase[] = [
  {
    name: 'reads back what was put, replaced and removed',
    async run(open) {
      const store = await open()
      equal(await store.write(relaxed({ put: [entry(0), entry(1), entry(2)] })), 'stored')
      equal(await store.write(relaxed({ put: [entry(1, 'new')] })), 'stored')
      equal(await store.write(relaxed({ remove: [{ store: 'journal', prefix: ['s', 0] }] })), 'stored')
      equal(await rows(store, all), ['new', 2])
    },
  },
  {
    name: 'says taken and leaves everything of the write undone',
    async run(open) {
      const store = await open()
      await store.write(relaxed({ put: [entry(0, 'first'), entry(1, 'kept')] }))
      for (const durability of ['relaxed', 'strict'] as const) {
        const outcome = await store.write({
          durability,
          put: [entry(1, 'overwritten'), { store: 'drafts', key: ['s', 'w'], value: 'draft' }, entry(5)],
          remove: [
            { store: 'journal', prefix: ['s', 1] },
            { store: 'heads', prefix: [] },
          ],
          add: entry(0, 'second'),
        })
        equal(outcome, 'taken')
        equal(await rows(store, all), ['first', 'kept'])
        equal(await rows(store, { store: 'drafts', prefix: [] }), [])
      }
    },
  },
  {
    name: 'stores an add with its puts and removes',
    async run(open) {
      const store = await open()
      await store.write(relaxed({ put: [{ store: 'drafts', key: ['s', 'w'], value: 'draft' }] }))
      const outcome = await store.write({
        durability: 'strict',
        put: [{ store: 'heads', key: ['u', 's'], value: { v: 1 } }],
        remove: [{ store: 'drafts', prefix: ['s', 'w'] }],
        add: entry(0, 'first'),
      })
      equal(outcome, 'stored')
      const ranges: Range[] = [all, { store: 'drafts', prefix: [] }, { store: 'heads', prefix: ['u'] }]
      equal(await store.read(ranges), [['first'], [], [{ v: 1 }]])
    },
  },
  {
    name: 'removes before it puts, and adds last',
    async run(open) {
      const store = await open()
      await store.write(relaxed({ put: [entry(0, 'old'), entry(1, 'old')] }))
      const remove: Range[] = [{ store: 'journal', prefix: ['s'] }]
      equal(await store.write(relaxed({ remove, put: [entry(0, 'put')], add: entry(1, 'added') })), 'stored')
      equal(await rows(store, all), ['put', 'added'])
      equal(await store.write(relaxed({ remove, put: [entry(2, 'put')], add: entry(2, 'added') })), 'taken')
      equal(await rows(store, all), ['put', 'added'])
    },
  },
  {
    name: 'writes nothing and reads nothing without complaint',
    async run(open) {
      const store = await open()
      equal(await store.write(relaxed({})), 'stored')
      equal(await store.write({ durability: 'strict', put: [], remove: [] }), 'stored')
      equal(await store.write(relaxed({ remove: [{ store: 'journal', prefix: ['nobody'] }] })), 'stored')
      equal(await store.read([]), [])
      equal(await store.read([all, { ...all, isReverse: true }, { ...all, from: 3, to: 1 }]), [[], [], []])
    },
  },
  {
    name: 'keeps values equal, whatever JSON they are, and apart from the caller’s',
    async run(open) {
      const store = await open()
      const value = {
        text: 'é😀\u0000\ud800',
        numbers: [0, -1, 1.5, 1e300, Number.MAX_SAFE_INTEGER],
        nested: { list: [[{ deep: [null, true, false, ''] }]], empty: {}, none: [] },
        [' ']: 1,
      }
      const given = structuredClone(value)
      const writing = store.write(relaxed({ put: [entry(0, given)] }))
      given.nested.list.length = 0
      given.text = 'changed after the call'
      await writing
      const first = (await rows(store, all))[0] as typeof value
      equal(first, value)
      first.nested.list.length = 0
      equal(await rows(store, all), [value])
      for (const plain of ['text', '', 0, null, false, [1]]) {
        await store.write(relaxed({ put: [entry(1, plain)] }))
        equal(await rows(store, { ...all, prefix: ['s', 1] }), [plain])
      }
    },
  },
  {
    name: 'keeps the stores apart',
    async run(open) {
      const store = await open()
      // Where a store encrypts, the keys are its own.
      const names = storeNames.filter((name) => name !== 'keys')
      await store.write(
        relaxed({ put: names.map((name): Row => ({ store: name, key: ['k'], value: name })) }),
      )
      equal(
        await store.read(names.map((name) => ({ store: name, prefix: [] }))),
        names.map((name) => [name]),
      )
    },
  },
  {
    name: 'orders keys part by part: numbers by value and before text, text by UTF-16 units, a prefix first',
    async run(open) {
      const store = await open()
      const sorted: Key[] = [
        [-3, 'x'],
        [0],
        [2, 10],
        [10, 2],
        ['', 1],
        ['A'],
        ['a'],
        ['a', -1],
        ['a', 0.5],
        ['a', 2],
        ['a', 10],
        ['a', 10, 0],
        ['a', 'b'],
        ['a\u0000'],
        ['aa'],
        ['b'],
        ['😀'],
        ['\uff5e'],
      ]
      const shuffled = [...sorted].sort((a, b) => (JSON.stringify(a) > JSON.stringify(b) ? -1 : 1))
      for (const row of keyed(...shuffled)) await store.write(relaxed({ put: [row] }))
      const texts = sorted.map((key) => JSON.stringify(key))
      equal(await rows(store, { store: 'parts', prefix: [] }), texts)
      equal(await rows(store, { store: 'parts', prefix: [], isReverse: true }), [...texts].reverse())
    },
  },
  {
    name: 'finds by prefix what begins with its parts, the key itself included, and nothing that is merely alike',
    async run(open) {
      const store = await open()
      await store.write(
        relaxed({
          put: keyed(['a'], ['a', 1], ['a', 1, 2], ['a', 'x'], ['ab'], ['a\u0000'], ['b', 'a'], [1], ['1']),
        }),
      )
      const find = async (...prefix: Key) => rows(store, { store: 'parts', prefix })
      equal(await find('a'), ['["a"]', '["a",1]', '["a",1,2]', '["a","x"]'])
      equal(await find('a', 1), ['["a",1]', '["a",1,2]'])
      equal(await find('a', '1'), [])
      equal(await find(1), ['[1]'])
      equal(await find('1'), ['["1"]'])
      equal(await find('a', 1, 2, 3), [])
      await store.write(relaxed({ remove: [{ store: 'parts', prefix: ['a'] }] }))
      equal(await find(), ['[1]', '["1"]', '["a\\u0000"]', '["ab"]', '["b","a"]'])
    },
  },
  {
    name: 'bounds a range by numbers from and to, both included, and takes nothing else',
    async run(open) {
      const store = await open()
      const put = keyed(
        ['a'],
        ['a', -1],
        ['a', 0],
        ['a', 1],
        ['a', 1, 'x'],
        ['a', 2],
        ['a', 2, 5],
        ['a', 3],
        ['a', 'x'],
        ['b', 1],
      )
      await store.write(relaxed({ put }))
      const find = async (range: Partial<Range>) => rows(store, { store: 'parts', prefix: ['a'], ...range })
      equal(await find({ from: 1, to: 2 }), ['["a",1]', '["a",1,"x"]', '["a",2]', '["a",2,5]'])
      equal(await find({ from: 2 }), ['["a",2]', '["a",2,5]', '["a",3]'])
      equal(await find({ to: 0 }), ['["a",-1]', '["a",0]'])
      equal(await find({ from: 1.5, to: 2.5 }), ['["a",2]', '["a",2,5]'])
      equal(await find({ from: 4 }), [])
      equal(await find({ from: 2, to: 1 }), [])
      equal(await find({ from: 1, isReverse: true, limit: 2 }), ['["a",3]', '["a",2,5]'])
      await store.write(relaxed({ remove: [{ store: 'parts', prefix: ['a'], from: 1, to: 2 }] }))
      equal(await find({}), ['["a"]', '["a",-1]', '["a",0]', '["a",3]', '["a","x"]'])
      await store.write(relaxed({ remove: [{ store: 'parts', prefix: ['a'], from: 2, to: 1 }] }))
      equal((await find({})).length, 5)
      await store.write(relaxed({ remove: [{ store: 'parts', prefix: ['a'], limit: 1, isReverse: true }] }))
      equal(await find({}), [])
    },
  },
  {
    name: 'gives at most as many as the limit, from either end',
    async run(open) {
      const store = await open()
      await store.write(relaxed({ put: [0, 1, 2, 3, 4].map((i) => entry(i)) }))
      equal(await rows(store, { ...all, limit: 2 }), [0, 1])
      equal(await rows(store, { ...all, limit: 2, isReverse: true }), [4, 3])
      equal(await rows(store, { ...all, limit: 9 }), [0, 1, 2, 3, 4])
      equal(await rows(store, { ...all, limit: 9, isReverse: true }), [4, 3, 2, 1, 0])
      equal(await rows(store, { ...all, limit: 0 }), [])
      equal(await rows(store, { ...all, limit: 0, isReverse: true }), [])
      equal(await rows(store, { ...all, prefix: ['s'], from: 1, to: 3, limit: 1, isReverse: true }), [3])
    },
  },
  {
    name: 'reads all ranges from one moment',
    async run(open) {
      const store = await open()
      const head = (n: number): Row => ({ store: 'heads', key: ['u', 's'], value: n })
      await store.write(relaxed({ put: [head(0)], add: entry(0) }))
      const reads: Promise<readonly (readonly unknown[])[]>[] = []
      const writes: Promise<unknown>[] = []
      for (let n = 1; n <= 20; n++) {
        writes.push(store.write(relaxed({ put: [head(n)], add: entry(n) })))
        reads.push(
          store.read([
            { store: 'heads', prefix: [] },
            { ...all, isReverse: true, limit: 1 },
          ]),
        )
      }
      await Promise.all(writes)
      for (const [heads, last] of await Promise.all(reads)) equal(heads, last)
    },
  },
  {
    name: 'does what was asked in the order it was asked',
    async run(open) {
      const store = await open()
      const first = store.write(relaxed({ put: [entry(0, 'a')] }))
      const second = store.write({ durability: 'strict', put: [entry(0, 'b')] })
      const third = store.write(relaxed({ add: entry(0, 'c') }))
      const read = rows(store, all)
      equal(await Promise.all([first, second, third, read]), ['stored', 'stored', 'taken', ['b']])
    },
  },
  {
    name: 'writes two hundred rows at once and removes them at once',
    async run(open) {
      const store = await open()
      const put = Array.from({ length: 200 }, (_, i) => entry(i, { i, text: 'x'.repeat(1_000) }))
      equal(await store.write({ durability: 'strict', put }), 'stored')
      const found = (await rows(store, all)) as { i: number }[]
      equal(
        found.map((row) => row.i),
        put.map((_, i) => i),
      )
      equal(await store.write(relaxed({ remove: [{ store: 'journal', prefix: ['s'] }] })), 'stored')
      equal(await rows(store, all), [])
    },
  },
  {
    name: 'gives one key to one of many writers',
    async run(open) {
      const stores = await Promise.all([open(), open(), open()])
      for (let position = 0; position < 10; position++) {
        const writes = stores.flatMap((store, tab) =>
          ['relaxed', 'strict'].map((durability, i) => ({
            mine: `${tab}/${i}`,
            outcome: store.write({
              durability: durability as Write['durability'],
              put: [{ store: 'parts', key: [position, tab, i], value: `${tab}/${i}` }],
              add: entry(position, `${tab}/${i}`),
            }),
          })),
        )
        const outcomes = await Promise.all(
          writes.map(async ({ mine, outcome }) => ({ mine, is: await outcome })),
        )
        const stored = outcomes.filter(({ is }) => is === 'stored')
        equal(stored.length, 1)
        const winner = stored.map(({ mine }) => mine)
        equal(await rows(stores[0]!, { ...all, prefix: ['s', position] }), winner)
        equal(await rows(stores[2]!, { store: 'parts', prefix: [position] }), winner)
      }
    },
  },
  {
    name: 'shows one tab what another stored',
    async run(open) {
      const [one, other] = [await open(), await open()]
      await one.write(relaxed({ put: [entry(0, 'from one')] }))
      equal(await rows(other, all), ['from one'])
      equal(await other.write(relaxed({ add: entry(0, 'from other') })), 'taken')
      await one.close()
      equal(await other.write(relaxed({ add: entry(1, 'from other') })), 'stored')
    },
  },
  {
    name: 'rejects a value it cannot keep with a coded error, and stores nothing of that write',
    async run(open) {
      const store = await open()
      await store.write(relaxed({ put: [entry(0, 'kept'), entry(1, 'kept')] }))
      const whole = { put: [entry(1, 'half')], remove: [{ store: 'journal' as const, prefix: ['s', 0] }] }
      const bad = () => 'a function cannot be cloned'
      await rejects(store.write(relaxed({ ...whole, add: entry(2, { bad }) })), 'storage-failed')
      await rejects(store.write(relaxed({ ...whole, put: [...whole.put, entry(3, bad)] })), 'storage-failed')
      equal(await rows(store, all), ['kept', 'kept'])
      equal(await store.write(relaxed({ add: entry(2, 'well') })), 'stored')
    },
  },
  {
    name: 'closes more than once, after what was under way, and then refuses',
    async run(open) {
      const store = await open()
      const writing = store.write(relaxed({ add: entry(0, 'under way') }))
      const closing = store.close()
      await Promise.all([closing, store.close()])
      equal(await writing, 'stored')
      await store.close()
      await rejects(store.write(relaxed({ put: [entry(1)] })), 'closed')
      await rejects(store.read([all]), 'closed')
    },
  },
]
