/**
 * The budgets, in the order of the design's table, and how a run stands against them. Ratios are of one loop in one
 * page; of several engines and sizes the worst counts.
 */
import type { Row } from './rows.ts'
import { sizeBudgets } from './size-budgets.ts'

export interface Budget {
  readonly name: string
  readonly limit: number
  /** The limit is what it has to reach, where it is not what it has to stay under. */
  readonly isAtLeast?: true
  /** The worst of the engines; `null` where this run measured nothing for it. */
  readonly measured: number | null
  readonly met: boolean | null
  /** Of each engine that measured it. */
  readonly engines: { readonly [engine: string]: number }
  /** Why there is no figure, or why it cannot be met. */
  readonly note?: string
}

export interface Rule {
  readonly name: string
  readonly limit: number
  readonly isAtLeast?: true
  readonly note?: string
  /** Of one engine's rows; `undefined` where they have nothing to say. */
  readonly measure: (rows: readonly Row[]) => number | undefined
}

export function judge(rows: readonly Row[]): Budget[] {
  const engines = [...new Set(rows.map(({ engine }) => engine))]
  return rules.map(({ name, limit, isAtLeast, note, measure }) => {
    const found = engines.flatMap((engine) => {
      const value = measure(rows.filter((row) => row.engine === engine))
      return value === undefined ? [] : [[engine, value] as const]
    })
    const values = found.map(([, value]) => value)
    const worst = isAtLeast ? Math.min(...values) : Math.max(...values)
    return {
      ...{ name, limit },
      ...(isAtLeast ? { isAtLeast } : {}),
      measured: values.length === 0 ? null : worst,
      met: values.length === 0 ? null : isAtLeast ? worst >= limit : worst <= limit,
      engines: Object.fromEntries(found),
      ...(note === undefined ? {} : { note }),
    }
  })
}

const find = (rows: readonly Row[], work: string, size: string | RegExp, subject = 'Waymark') =>
  rows.find(
    (row) =>
      row.work === work &&
      row.subject === subject &&
      (typeof size === 'string' ? row.size === size : size.test(row.size)),
  )
const ratio = (above: number | null | undefined, below: number | null | undefined) =>
  above == null || below == null || below === 0 ? undefined : above / below
const worstOf = (values: readonly (number | null | undefined)[]) => {
  const found = values.filter((value) => value != null)
  return found.length === 0 ? undefined : Math.max(...found)
}
const toFloor =
  (work: string, ...sizes: (string | RegExp)[]) =>
  (rows: readonly Row[]) =>
    worstOf(sizes.map((size) => find(rows, work, size)?.ratioToFloor))
const countOf = (work: string, size: string | RegExp, what: string) => (rows: readonly Row[]) =>
  find(rows, work, size)?.counts?.[what]

/** Peers whose acknowledgement means what ours does. */
const durablePeers = [
  ...['XState + idb-keyval', 'zustand persist + idb-keyval', 'Dexie', 'RxDB (Dexie storage)', 'TinyBase'],
]
const againstFastest = (size: string) => (rows: readonly Row[]) => {
  const ours = find(rows, 'change', size)?.p50Ms
  const peers = durablePeers.flatMap((name) => find(rows, 'change', size, name)?.p50Ms ?? [])
  return peers.length === 0 ? undefined : ratio(ours, Math.min(...peers))
}

/** Main-thread time beyond the bare put's own, in ms. */
const beyondPut = (size: string) => (rows: readonly Row[]) => {
  const row = find(rows, 'main thread', size)
  return row?.p50Ms == null || row.floorP50Ms === null ? undefined : row.p50Ms - row.floorP50Ms
}

const lastEntries = /^entries \d+ to 10000$/

const rules: readonly Rule[] = [
  {
    name: 'typing, saved on the device: × one put',
    limit: 1.05,
    measure: toFloor('typing', '10 KB', '1 MB'),
  },
  {
    name: 'an entry, saved on the device: × one put',
    limit: 1.05,
    measure: toFloor('entry', '10 KB', '1 MB'),
  },
  {
    name: 'a finished step: × one strict put',
    limit: 1.2,
    measure: toFloor('finished step', '10 KB', '1 MB'),
  },
  {
    name: 'p99 of a change while checkpoints run: × p99 of one put',
    limit: 1.5,
    measure(rows) {
      const row = find(rows, 'change, checkpoints running', '1 MB, one step changed')
      return ratio(row?.p99Ms, row?.floorP99Ms)
    },
  },
  {
    name: '50 changes in a task: transactions',
    limit: 1,
    measure: countOf('50 changes in a task', '10 KB', 'transactions'),
  },
  {
    name: '50 changes in a task: records',
    limit: 1,
    measure: countOf('50 changes in a task', '10 KB', 'records'),
  },
  { name: '50 changes in a task: × one put', limit: 2, measure: toFloor('50 changes in a task', '10 KB') },
  {
    name: 'an entry in 1 MB: × in 10 KB',
    limit: 1.1,
    measure: (rows) =>
      ratio(find(rows, 'entry', '1 MB')?.ratioToFloor, find(rows, 'entry', '10 KB')?.ratioToFloor),
  },
  {
    name: 'entry 10,000: × entry 10',
    limit: 1.1,
    measure: (rows) =>
      ratio(
        find(rows, 'growth', lastEntries)?.ratioToFloor,
        find(rows, 'growth', 'entries 1 to 100')?.ratioToFloor,
      ),
  },
  {
    name: 'main thread of a change beyond a put, ms',
    limit: 0.15,
    measure: (rows) => worstOf([beyondPut('10 KB')(rows), beyondPut('1 MB')(rows)]),
  },
  {
    name: 'main thread of a checkpoint at 1 MB, ms',
    limit: 2,
    measure: (rows) => find(rows, 'checkpoint, main thread', '1 MB, one step changed')?.p50Ms ?? undefined,
  },
  {
    name: 'open behind 5,000 changes, worst tail: × a get of the same',
    limit: 2,
    measure: toFloor('open', '100 KB, 5000 changes'),
  },
  { name: 'list 1,000 sessions: × one getAll', limit: 1.1, measure: toFloor('list', '1000 sessions') },
  {
    name: 'list the first 50 sessions, ms',
    limit: 2,
    note: 'not measured: there is no call for a part of the list, resumable() reads all of it',
    measure: () => undefined,
  },
  {
    name: 'two writers: acknowledged and not stored',
    limit: 0,
    measure: (rows) =>
      rows.find((row) => row.work === 'two writers' && row.subject === 'Waymark')?.counts?.['lost'],
  },
  { name: 'a lost race: × one won', limit: 3, measure: toFloor('a race lost', '10 KB') },
  { name: 'a race lost again: × one won', limit: 1.5, measure: toFloor('a race lost again', '10 KB') },
  { name: '10 KB: × the fastest durable peer', limit: 1.1, measure: againstFastest('10 KB') },
  { name: '100 KB: × the fastest durable peer', limit: 0.4, measure: againstFastest('100 KB') },
  { name: '1 MB: × the fastest durable peer', limit: 0.1, measure: againstFastest('1 MB') },
  ...sizeBudgets,
  {
    name: 'requests after 1,000 offline changes',
    limit: 2,
    measure: countOf('offline, then sent', '1000 changes', 'requests'),
  },
  {
    name: 'server pushes per second: × those of one insert and one update',
    limit: 0.6,
    isAtLeast: true,
    measure(rows) {
      const ofPush = toFloor('server push', 'one change in 10 KB')(rows)
      return ofPush === undefined ? undefined : 1 / ofPush
    },
  },
  {
    name: 'acknowledged changes lost under SIGKILL',
    limit: 0,
    measure: (rows) =>
      rows.find((row) => row.work === 'losses' && row.subject === 'Waymark')?.counts?.['lost'],
  },
]
