/** Counts what goes to IndexedDB while `run` lasts: transactions, requests that write, and the length of their values. */
export async function watchStorage<T>(
  run: () => Promise<T>,
): Promise<{ result: T; transactions: number; writes: number; records: number; length: number }> {
  const counts = { transactions: 0, writes: 0, records: 0, length: 0 }
  const { transaction } = IDBDatabase.prototype
  const { add, put, delete: remove } = IDBObjectStore.prototype
  IDBDatabase.prototype.transaction = function (...args) {
    counts.transactions += args[1] === 'readwrite' ? 1 : 0
    return transaction.apply(this, args)
  }
  const counted = (method: typeof put): typeof put =>
    function (this: IDBObjectStore, ...args) {
      counts.writes += 1
      counts.records += 1
      counts.length += JSON.stringify(args[0]).length
      return method.apply(this, args)
    }
  IDBObjectStore.prototype.add = counted(add)
  IDBObjectStore.prototype.put = counted(put)
  IDBObjectStore.prototype.delete = function (...args) {
    counts.writes += 1
    return remove.apply(this, args)
  }
  try {
    return { result: await run(), ...counts }
  } finally {
    Object.assign(IDBDatabase.prototype, { transaction })
    Object.assign(IDBObjectStore.prototype, { add, put, delete: remove })
  }
}
