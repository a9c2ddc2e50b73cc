/**
 * The Store port: named stores of values by key, one atomic write, one consistent read.
 *
 * Invariants every store keeps (the conformance cases check them)
 * - `write` is atomic: all of it or none, and it resolves `stored` only once every part succeeded and the commit is
 *   confirmed. Requests are issued in the task of the call where the store is open, so a write begun is not held
 *   back by a promise.
 * - Within a write removes come first, then puts, then the `add`. A write of nothing is `stored`.
 * - `add` is the only thing that compares: where its key is taken, nothing of the write happens and it says `taken`.
 * - `strict` resolves only once the platform says the bytes are on the disk; `relaxed` once they survive the process.
 * - Values come back as equal plain data, bytes and, in `keys`, CryptoKeys included; the store never looks into them.
 * - A failure rejects with a coded `WaymarkError`: `storage-full`, `storage-unavailable` or `storage-failed`.
 */
export type StoreName =
  | 'heads'
  | 'journal'
  | 'chunks'
  | 'drafts'
  | 'checkpoints'
  | 'parts'
  | 'sync'
  | 'parked'
  | 'quarantine'
  | 'keys'

export const storeNames: readonly StoreName[] = [
  'heads',
  'journal',
  'chunks',
  'drafts',
  'checkpoints',
  'parts',
  'sync',
  'parked',
  'quarantine',
  'keys',
]

/** Where the newest key ring lies in `keys`; the keys of a session lie under its id. */
export const ringPrefix = '~ring'

/** Compared part by part: numbers before strings, a prefix before what it begins. */
export type Key = readonly (string | number)[]

export interface Row {
  readonly store: StoreName
  readonly key: Key
  readonly value: unknown
}

/** Every key that begins with `prefix` and, where given, whose next part is a number from `from` on or up to `to`. */
export interface Range {
  readonly store: StoreName
  readonly prefix: Key
  readonly from?: number
  readonly to?: number
  /** Highest keys first. Default false. */
  readonly isReverse?: boolean
  /** At most so many values; default all. */
  readonly limit?: number
  /** Gives the keys in place of the values. Default false. */
  readonly isKeys?: boolean
}

export type Durability = 'relaxed' | 'strict'

export interface Write {
  readonly durability: Durability
  readonly put?: readonly Row[]
  /** Whole ranges: `limit` and `isReverse` say nothing here. */
  readonly remove?: readonly Range[]
  readonly add?: Row
}

export type WriteOutcome = 'stored' | 'taken'

export interface Store {
  /** `memory` keeps nothing beyond the page: the status never says saved for it. */
  readonly kind: 'indexeddb' | 'memory'
  /**
   * Grows when what was stored is gone and an empty store has taken its place, as when a person clears site data under
   * an open page. Operations begun before then are rejected: whoever holds the data stores it again.
   */
  readonly generation: number
  write(write: Write): Promise<WriteOutcome>
  /** Values by range, in key order, all from one moment. */
  read(ranges: readonly Range[]): Promise<readonly (readonly unknown[])[]>
  /** Idempotent. Waits for writes under way. */
  close(): Promise<void>
}

/**
 * The lowest and the highest key of a range; `undefined` where it can hold none. IndexedDB sorts arrays after numbers
 * and text, so `[]` comes after any part of a key.
 */
export function rangeBounds(range: Range): { lower: unknown[]; upper: unknown[] } | undefined {
  const { prefix, from, to } = range
  if (from === undefined && to === undefined) return { lower: [...prefix], upper: [...prefix, []] }
  const [lowest, highest] = [from ?? Number.NEGATIVE_INFINITY, to ?? Number.POSITIVE_INFINITY]
  return lowest > highest ? undefined : { lower: [...prefix, lowest], upper: [...prefix, highest, []] }
}
