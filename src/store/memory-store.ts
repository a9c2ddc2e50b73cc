import { WaymarkError } from '../base/errors.ts'
import type { Key, Range, Row, Store, StoreName, Write } from './store.ts'

/**
 * Keeps everything in this page only: the last resort where the browser has no usable storage, and the fast store of
 * tests. All data is lost with the page.
 */
export function createMemoryStore(): Store {
  const rowsByStore = new Map<StoreName, Map<string, { key: Key; value: unknown }>>()
  let isClosed = false

  const rowsOf = (name: StoreName) => {
    const rows = rowsByStore.get(name) ?? new Map<string, { key: Key; value: unknown }>()
    rowsByStore.set(name, rows)
    return rows
  }
  const put = (row: Row) =>
    rowsOf(row.store).set(JSON.stringify(row.key), { key: row.key, value: structuredClone(row.value) })
  const within = (range: Range) =>
    [...rowsOf(range.store).values()]
      .filter((row) => isWithin(row.key, range))
      .sort((a, b) => compareKeys(a.key, b.key) * (range.isReverse ? -1 : 1))
      .slice(0, range.limit ?? Number.POSITIVE_INFINITY)
  const assertOpen = () => {
    if (isClosed) throw new WaymarkError('closed', 'The store was closed. Open Waymark again to go on.')
  }

  return {
    kind: 'memory',
    async write(write: Write) {
      assertOpen()
      if (write.add && rowsOf(write.add.store).has(JSON.stringify(write.add.key))) return 'taken'
      for (const range of write.remove ?? []) {
        for (const row of within(range)) rowsOf(range.store).delete(JSON.stringify(row.key))
      }
      for (const row of write.put ?? []) put(row)
      if (write.add) put(write.add)
      return 'stored'
    },
    async read(ranges) {
      assertOpen()
      return ranges.map((range) => within(range).map((row) => structuredClone(row.value)))
    },
    async close() {
      isClosed = true
    },
  }
}

function isWithin(key: Key, range: Range): boolean {
  if (key.length < range.prefix.length) return false
  if (range.prefix.some((part, i) => key[i] !== part)) return false
  const next = key[range.prefix.length]
  if (
    range.from !== undefined &&
    !(typeof next === 'string' || (typeof next === 'number' && next >= range.from))
  ) {
    return false
  }
  return range.to === undefined || (typeof next === 'number' && next <= range.to)
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
