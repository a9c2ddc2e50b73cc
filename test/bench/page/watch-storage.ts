/**
 * Counts what goes to IndexedDB while `run` lasts: transactions that write, their requests, and the length of the
 * values; `localStorage` has no transactions, and its items count as records.
 */
export async function watchStorage<T>(
  run: () => Promise<T>,
): Promise<{ result: T; transactions: number; writes: number; records: number; length: number }> {
  const counts = { writes: 0, records: 0, length: 0 }
  // By the stores written to: a library may have taken `transaction` from the database before this began.
  const transactions = new Set<IDBTransaction>()
  const { add, put, delete: remove } = IDBObjectStore.prototype
  const { setItem } = Storage.prototype
  const counted = (method: typeof put): typeof put =>
    function (this: IDBObjectStore, ...args) {
      transactions.add(this.transaction)
      counts.writes += 1
      counts.records += 1
      counts.length += JSON.stringify(args[0]).length
      return method.apply(this, args)
    }
  IDBObjectStore.prototype.add = counted(add)
  IDBObjectStore.prototype.put = counted(put)
  IDBObjectStore.prototype.delete = function (...args) {
    transactions.add(this.transaction)
    counts.writes += 1
    return remove.apply(this, args)
  }
  Storage.prototype.setItem = function (name, value) {
    counts.writes += 1
    counts.records += 1
    counts.length += value.length
    return setItem.call(this, name, value)
  }
  try {
    return { result: await run(), transactions: transactions.size, ...counts }
  } finally {
    Object.assign(IDBObjectStore.prototype, { add, put, delete: remove })
    Object.assign(Storage.prototype, { setItem })
  }
}
