import { WaymarkError } from '../base/errors.ts'
import { toStorageError } from './storage-error.ts'
import type { Key, Range, Row, Store, StoreName, Write } from './store.ts'

/**
 * Keeps everything in this page only: the last resort where the browser has no usable storage, and the fast store of
 * tests. All data is lost with the page.
 */
export function createMemoryStore(): Store {
  const rowsByStore = new Map<StoreName, Map<string, Row>>()
  let isClosed = false

  const rowsOf = (name: StoreName) => {
    const rows = rowsByStore.get(name) ?? new Map<string, Row>()
    rowsByStore.set(name, rows)
    return rows
  }
  const put = (row: Row) => rowsOf(row.store).set(JSON.stringify(row.key), row)
  const within = (range: Range) => [...rowsOf(range.store).values()].filter((row) => isWithin(row.key, range))
  const listed = (range: Range) =>
    within(range)
      .sort((a, b) => compareKeys(a.key, b.key) * (range.isReverse ? -1 : 1))
      .slice(0, range.limit ?? Number.POSITIVE_INFINITY)
  const assertOpen = () => {
    if (isClosed) throw new WaymarkError('closed', 'The store was closed. Open Waymark again to go on.')
  }

  return {
    kind: 'memory',
    generation: 0,
    async write(write: Write) {
      assertOpen()
      const puts = (write.put ?? []).map(copyRow)
      const add = write.add && copyRow(write.add)
      const gone = new Set((write.remove ?? []).flatMap(within))
      if (add !== undefined) {
        const before = rowsOf(add.store).get(JSON.stringify(add.key))
        const isPut = puts.some((row) => row.store === add.store && isSameKey(row.key, add.key))
        if (isPut || (before !== undefined && !gone.has(before))) return 'taken'
      }
      for (const row of gone) rowsOf(row.store).delete(JSON.stringify(row.key))
      for (const row of puts) put(row)
      if (add) put(add)
      return 'stored'
    },
    async read(ranges) {
      assertOpen()
      return ranges.map((range) =>
        listed(range).map((row) => (range.isKeys ? [...row.key] : structuredClone(row.value))),
      )
    },
    async close() {
      isClosed = true
    },
  }
}

function copyRow(row: Row): Row {
  try {
    return { ...row, value: structuredClone(row.value) }
  } catch (error) {
    throw toStorageError(error, 'use')
  }
}

function isSameKey(a: Key, b: Key): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function isWithin(key: Key, { prefix, from, to }: Range): boolean {
  if (key.length < prefix.length || prefix.some((part, i) => key[i] !== part)) return false
  if (from === undefined && to === undefined) return true
  const next = key[prefix.length]
  return (
    typeof next === 'number' &&
    next >= (from ?? Number.NEGATIVE_INFINITY) &&
    next <= (to ?? Number.POSITIVE_INFINITY)
  )
}

function compareKeys(a: Key, b: Key): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const left = a[i]!
    const right = b[i]!
    if (left === right) continue
    if (typeof left !== typeof right) return typeof left === 'number' ? -1 : 1
    return left < right ? -1 : 1
  }
  return a.length - b.length
}
