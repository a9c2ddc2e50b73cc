/**
 * The disk of one device, under all its tabs: rows in key order, atomic commits, and what a power cut does to them.
 *
 * Invariants
 * - A commit is all or nothing. A strict one makes itself and every commit before it durable.
 * - A power cut undoes the latest relaxed commits, some or all of those after the last strict one, newest first.
 * - Rows are copied in and out: no page sees another's objects.
 */
import { toStorageError } from '../store/storage-error.ts'
import {
  type Key,
  type Range,
  type Row,
  rangeBounds,
  type StoreName,
  type Write,
  type WriteOutcome,
} from '../store/store.ts'
import type { Dice } from './dice.ts'
import { valuesIn } from './values.ts'

export interface Disk {
  /** Until when what was asked of it keeps it busy, by the world's clock. */
  busyUntil: number
  commit(write: Write): WriteOutcome
  read(ranges: readonly Range[]): readonly (readonly unknown[])[]
  /** Commits that a power cut may undo. */
  readonly undurable: number
  /** How many commits added an entry. */
  readonly entries: number
  powerCut(lost: number): void
  /** Flips one character of a row; what was there, or `undefined` where there is nothing to damage. */
  damage(dice: Dice): DamagedRow | undefined
  /** Whether a row holds the value now, and whether one will after any power cut. */
  holds(value: number): 'no' | 'yes' | 'strict'
  /** Whether it is in a draft, and in no entry yet. */
  isDraft(value: number): boolean
}

export interface DamagedRow {
  readonly store: StoreName
  readonly key: Key
  readonly values: readonly number[]
}

interface Stored {
  readonly key: Key
  value: unknown
  readonly values: readonly number[]
}

interface Undo {
  readonly store: StoreName
  readonly key: Key
  readonly before: Stored | undefined
}

/** Where values are looked for: what holds answers. */
const holdsAnswers: ReadonlySet<StoreName> = new Set(['journal', 'chunks', 'drafts'])
const damageable: readonly StoreName[] = ['journal', 'chunks', 'drafts', 'checkpoints', 'parts', 'sync']

export function createDisk(): Disk {
  const rowsByStore = new Map<StoreName, Stored[]>()
  const placesByValue = new Map<number, { rows: number; drafts: number; since: number }>()
  let undurable: Undo[][] = []
  let count = 0
  let durableCount = 0
  let entries = 0

  function rowsOf(store: StoreName): Stored[] {
    const rows = rowsByStore.get(store) ?? []
    rowsByStore.set(store, rows)
    return rows
  }

  function find(store: StoreName, key: Key): { at: number; row: Stored | undefined } {
    const rows = rowsOf(store)
    const at = firstFrom(rows, key)
    const row = rows[at]
    return { at, row: row !== undefined && compareKeys(row.key, key) === 0 ? row : undefined }
  }

  /** Puts a row in the place of whatever is under its key; `undefined` removes. */
  function replace(store: StoreName, key: Key, after: Stored | undefined): Undo {
    const rows = rowsOf(store)
    const { at, row: before } = find(store, key)
    if (after === undefined) rows.splice(at, before === undefined ? 0 : 1)
    else rows.splice(at, before === undefined ? 0 : 1, after)
    const drafts = store === 'drafts' ? 1 : 0
    for (const value of after?.values ?? []) {
      const place = placesByValue.get(value) ?? { rows: 0, drafts: 0, since: count }
      placesByValue.set(value, place)
      place.rows += 1
      place.drafts += drafts
    }
    for (const value of before?.values ?? []) {
      const place = placesByValue.get(value)!
      place.rows -= 1
      place.drafts -= drafts
      if (place.rows === 0) placesByValue.delete(value)
    }
    return { store, key, before }
  }

  function toStored({ store, key, value }: Row): Stored {
    const copy = copyOf(value)
    return {
      key: [...key],
      value: copy,
      values: holdsAnswers.has(store) ? valuesIn(JSON.stringify(copy)) : [],
    }
  }

  function within(range: Range): Stored[] {
    const bounds = rangeBounds(range)
    if (bounds === undefined) return []
    const rows = rowsOf(range.store)
    const from = firstFrom(rows, bounds.lower)
    let to = from
    while (to < rows.length && compareKeys(rows[to]!.key, bounds.upper) <= 0) to += 1
    return rows.slice(from, to)
  }

  return {
    busyUntil: 0,
    commit({ durability, put = [], remove = [], add }) {
      const puts = put.map((row) => ({ store: row.store, row: toStored(row) }))
      const added = add && { store: add.store, row: toStored(add) }
      const removed = remove.flatMap((range) => within(range).map(({ key }) => ({ store: range.store, key })))
      if (added !== undefined) {
        const isSame = (other: { store: StoreName; key: Key }) =>
          other.store === added.store && compareKeys(other.key, added.row.key) === 0
        const isThere = find(added.store, added.row.key).row !== undefined
        const isPut = puts.some(({ store, row }) => isSame({ store, key: row.key }))
        if (isPut || (isThere && !removed.some(isSame))) return 'taken'
      }
      count += 1
      const undos = removed.map(({ store, key }) => replace(store, key, undefined))
      for (const { store, row } of added === undefined ? puts : [...puts, added]) {
        undos.push(replace(store, row.key, row))
      }
      if (added !== undefined) entries += 1
      if (durability === 'strict') {
        undurable = []
        durableCount = count
      } else undurable.push(undos)
      return 'stored'
    },
    read: (ranges) =>
      ranges.map((range) => {
        const rows = within(range)
        if (range.isReverse) rows.reverse()
        const { limit = rows.length } = range
        return rows.slice(0, limit).map((row) => (range.isKeys ? [...row.key] : copyOf(row.value)))
      }),
    get undurable() {
      return undurable.length
    },
    get entries() {
      return entries
    },
    powerCut(lost) {
      count += 1
      for (const undos of undurable.splice(undurable.length - lost).reverse()) {
        for (const { store, key, before } of undos.reverse()) replace(store, key, before)
      }
      undurable = []
      durableCount = count
    },
    damage(dice) {
      const store = dice.pick(damageable.filter((name) => rowsOf(name).length > 0))
      if (store === undefined) return undefined
      const row = dice.pick(rowsOf(store))
      row.value = withFlip(row.value, dice)
      // An entry and its chunks stand and fall together.
      const isEntry = store === 'journal' || store === 'chunks'
      const parts = isEntry ? (['journal', 'chunks'] as const) : [store]
      const prefix = isEntry ? row.key.slice(0, 2) : row.key
      const values = parts.flatMap((name) => within({ store: name, prefix }).flatMap((part) => part.values))
      return { store, key: row.key, values }
    },
    holds(value) {
      const place = placesByValue.get(value)
      if (place === undefined) return 'no'
      return place.since <= durableCount ? 'strict' : 'yes'
    },
    isDraft(value) {
      const place = placesByValue.get(value)
      return place !== undefined && place.drafts === place.rows
    },
  }
}

/** Index of the first row at or after a key. */
function firstFrom(rows: readonly Stored[], key: readonly unknown[]): number {
  let from = 0
  let to = rows.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (compareKeys(rows[middle]!.key, key) < 0) from = middle + 1
    else to = middle
  }
  return from
}

/** Part by part as IndexedDB does: numbers, then text, then the arrays that end a range. */
function compareKeys(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [left, right] = [a[i] as string, b[i] as string]
    if (left === right) continue
    const order = rankOf(left) - rankOf(right)
    return order !== 0 ? order : left < right ? -1 : 1
  }
  return a.length - b.length
}

function rankOf(part: unknown): number {
  return typeof part === 'number' ? 0 : typeof part === 'string' ? 1 : 2
}

/** A copy of plain data. Throws `storage-failed`, as a browser does, where there is something that cannot be kept. */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') throw notCloneable()
    return value
  }
  if (Array.isArray(value)) return value.map(copyOf) as T
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member)])) as T
}

function notCloneable(): unknown {
  return toStorageError(new DOMException('The value could not be cloned', 'DataCloneError'), 'use')
}

/** The value with one character of one of its texts changed. */
function withFlip(value: unknown, dice: Dice): unknown {
  if (typeof value === 'string') {
    if (value === '') return 'x'
    const at = dice.below(value.length)
    return `${value.slice(0, at)}${value[at] === 'x' ? 'y' : 'x'}${value.slice(at + 1)}`
  }
  const row = value as Record<string, unknown>
  const texts = Object.keys(row).filter((name) => typeof row[name] === 'string')
  if (texts.length === 0) return value
  const name = dice.pick(texts)
  return { ...row, [name]: withFlip(row[name], dice) }
}
