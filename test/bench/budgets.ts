/** The budgets of time and count, as ratios within one run, and how a run stands against them. */
import type { Row } from './rows.ts'

export interface Budget {
  readonly name: string
  readonly limit: number
  /** The worst of the engines; `null` where this run measured nothing for it. */
  readonly measured: number | null
  readonly met: boolean | null
}

interface Rule {
  readonly name: string
  readonly limit: number
  /** Of one engine's rows; `undefined` where they have nothing to say. */
  readonly measure: (rows: readonly Row[]) => number | undefined
}

const find = (rows: readonly Row[], work: string, size: string, subject = 'Waymark') =>
  rows.find((row) => row.work === work && row.size === size && row.subject === subject)
const ratio = (above: number | null | undefined, below: number | null | undefined) =>
  above == null || below == null || below === 0 ? undefined : above / below
const toFloor = (work: string, size: string) => (rows: readonly Row[]) =>
  find(rows, work, size)?.ratioToFloor ?? undefined

/** Peers whose acknowledgement means what ours does. */
const durablePeers = ['XState + idb-keyval', 'Dexie', 'RxDB (Dexie storage)', 'TinyBase']
const againstFastest = (size: string) => (rows: readonly Row[]) => {
  const ours = find(rows, 'change', size)?.p50Ms
  const peers = durablePeers.flatMap((name) => find(rows, 'change', size, name)?.p50Ms ?? [])
  return peers.length === 0 ? undefined : ratio(ours, Math.min(...peers))
}

const rules: readonly Rule[] = [
  { name: 'typing to saved on the device, to one put', limit: 1.05, measure: toFloor('typing', '10 KB') },
  { name: 'an entry to saved on the device, to one put', limit: 1.05, measure: toFloor('entry', '10 KB') },
  { name: 'a finished step, to one strict put', limit: 1.2, measure: toFloor('finished step', '10 KB') },
  {
    name: 'p99 of an entry, to the p99 of one put',
    limit: 1.5,
    measure: (rows) => {
      const row = find(rows, 'entry', '1 MB')
      return ratio(row?.p99Ms, row?.floorP99Ms)
    },
  },
  {
    name: '50 changes in a task: transactions',
    limit: 1,
    measure: (rows) => find(rows, '50 changes in a task', '10 KB')?.counts?.['transactions'],
  },
  { name: '50 changes in a task, to one put', limit: 2, measure: toFloor('50 changes in a task', '10 KB') },
  {
    name: 'an entry in 1 MB to one in 10 KB',
    limit: 1.1,
    measure: (rows) =>
      ratio(find(rows, 'entry', '1 MB')?.ratioToFloor, find(rows, 'entry', '10 KB')?.ratioToFloor),
  },
  {
    name: 'the last tenth of 10,000 entries to the first',
    limit: 1.1,
    measure: (rows) =>
      ratio(
        find(rows, 'growth', 'entries 9001 to 10000')?.p50Ms,
        find(rows, 'growth', 'entries 1 to 1000')?.p50Ms,
      ),
  },
  {
    name: 'main thread of a key typed, ms',
    limit: 0.15,
    measure: (rows) => find(rows, 'typing, main thread', '1 MB')?.p50Ms ?? undefined,
  },
  {
    name: 'open behind 5,000 changes, to a get of the same',
    limit: 2,
    measure: toFloor('open', '100 KB, 5000 changes'),
  },
  { name: 'list 1,000 sessions, to one getAll', limit: 1.1, measure: toFloor('list', '1000 sessions') },
  {
    name: 'requests for 1,000 offline changes',
    limit: 2,
    measure: (rows) => find(rows, 'offline, then sent', '1000 changes')?.counts?.['requests'],
  },
  { name: '10 KB: a change, to the fastest durable peer', limit: 1.1, measure: againstFastest('10 KB') },
  { name: '100 KB: a change, to the fastest durable peer', limit: 0.4, measure: againstFastest('100 KB') },
  { name: '1 MB: a change, to the fastest durable peer', limit: 0.1, measure: againstFastest('1 MB') },
]

export function judge(rows: readonly Row[]): Budget[] {
  const engines = [...new Set(rows.map(({ engine }) => engine))]
  return rules.map(({ name, limit, measure }) => {
    const found = engines.flatMap((engine) => measure(rows.filter((row) => row.engine === engine)) ?? [])
    if (found.length === 0) return { name, limit, measured: null, met: null }
    const measured = Math.max(...found)
    return { name, limit, measured, met: measured <= limit }
  })
}
