/**
 * IndexedDB over memory that ends transactions as Firefox does: once `commit()` was called, a request that fails ends
 * nothing where others follow it, and the transaction completes with what is left. And one row that cannot be put.
 */
import 'fake-indexeddb/auto'

/** A row with this value fails when it is put. */
export const unstorable = 'cannot be put'

interface Internals {
  readonly _state: string
  readonly _requests: readonly unknown[]
  _abort(this: Internals, reason: string | null): void
  _execRequestAsync(request: { readonly source: unknown; readonly operation: () => void }): IDBRequest
}

export function behaveAsFirefox(): void {
  const transactions = IDBTransaction.prototype as unknown as Internals
  const { _abort: abort } = transactions
  transactions._abort = function (reason) {
    const isCompletedAllTheSame = reason !== null && this._state === 'committing' && this._requests.length > 0
    if (!isCompletedAllTheSame) abort.call(this, reason)
  }
  const { put } = IDBObjectStore.prototype
  IDBObjectStore.prototype.put = function (value, key) {
    if (value !== unstorable) return put.call(this, value, key)
    return (this.transaction as unknown as Internals)._execRequestAsync({
      source: this,
      operation() {
        throw new DOMException('The row could not be put', 'UnknownError')
      },
    })
  }
}
