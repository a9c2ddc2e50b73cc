/**
 * The Store port over IndexedDB.
 *
 * Invariants
 * - One transaction per write, all of its requests in one task: puts and removes first, the one comparing `add` last,
 *   then `commit()`. In Firefox a failed `add` that is not last, followed by `commit()`, still completes.
 * - Acknowledged means every request succeeded and `complete` fired. A request that failed is a failure whatever the
 *   transaction says.
 * - A lost connection is dropped and opened again, at most `reopenLimit` times for one operation. `versionchange`
 *   closes at once, so another version's upgrade is never blocked by this page.
 * - Where the database was deleted and made anew, `generation` grows and what was begun before is rejected, so that
 *   nothing is appended after entries that are gone.
 * - In Chromium the first writes of a page are acknowledged once it has begun a fresh log, where it can (`fresh-log.ts`).
 * - Every operation has a watchdog: it settles even where the browser never answers.
 *
 * idb opens and upgrades; the hot path talks to the raw database (a wrapper costs 0.04-0.1 ms a write).
 */
import { type IDBPDatabase, openDB, unwrap } from 'idb'
import type { Clock } from '../base/clock.ts'
import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import { isServerLost, openInFreshFrame } from './fresh-frame.ts'
import { beginFreshLog, mayHaveTornLog } from './fresh-log.ts'
import { toStorageError } from './storage-error.ts'
import { type Range, rangeBounds, type Store, storeNames, type Write, type WriteOutcome } from './store.ts'

export interface IdbStoreOptions {
  /** Name of the database; one per namespace. */
  readonly name: string
  readonly clock: Clock
  /** After at most so many milliseconds, and no less than three quarters of them, an operation is given up. Default 10 000. */
  readonly timeoutMs?: number
  /** This page has stored in it before: a database that is made anew at opening has lost that. Default false. */
  readonly isKnown?: boolean
  /** Hears `storage-lost` where the browser says that it deleted what was stored here; only Chromium does. */
  readonly onError?: (error: WaymarkError) => void
}

/** Each version only adds stores: 1 had all but `keys`. */
const databaseVersion = 2
const reopenLimit = 3
/**
 * Waits between tries of the first opening. A browser that was just killed may hold its locks a moment longer: opening
 * too soon fails, and a page that then went on in memory would show an empty form to someone whose answers are there.
 */
const openAgainAfterMs = [100, 400, 1_600]

/**
 * Opens the database, creating what is missing; what may pass is tried again. Rejects with `storage-unavailable` where
 * the browser has none.
 */
export async function openIdbStore(options: IdbStoreOptions): Promise<Store> {
  const { name, clock, timeoutMs = 10_000, isKnown = false, onError = () => {} } = options
  let db: IDBDatabase | undefined
  let opening: Promise<IDBDatabase> | undefined
  let isClosed = false
  let freshLog: Promise<void> | undefined
  let isLogFresh = !mayHaveTornLog()
  let generation = isKnown ? 0 : -1
  const underWay = new Set<Promise<unknown>>()
  const watch = createWatchdog(clock, timeoutMs)

  const connect = (): Promise<IDBDatabase> => {
    if (opening !== undefined) return opening
    const late = openDatabase(
      name,
      (lost) => {
        if (db === lost) db = undefined
      },
      () => (generation += 1),
      () => onError(storageLost(name)),
    )
    opening = watch(late)
      .then((opened) => (db = opened))
      .catch((error: unknown) => {
        late.then(
          (opened) => opened.close(),
          () => {},
        )
        throw toStorageError(error, 'open')
      })
      .finally(() => (opening = undefined))
    return opening
  }

  /** Starts at once where the connection is there; opens it first where it is not. */
  const run = <T>(start: (database: IDBDatabase) => Promise<T>): Promise<T> => {
    if (isClosed) {
      return Promise.reject(new WaymarkError('closed', 'The store was closed. Open Waymark again to go on.'))
    }
    const begunIn = generation
    const attempt = async (left: number): Promise<T> => {
      const database = db ?? (await connect())
      if (generation !== begunIn) {
        throw new WaymarkError(
          'storage-failed',
          'What this page had stored was deleted, as by clearing site data. What it still holds is stored again.',
          { isRetryable: true },
        )
      }
      try {
        return await start(database)
      } catch (error) {
        if (!isConnectionLost(error) || left === 0) throw error
        if (db === database) db = undefined
        return attempt(left - 1)
      }
    }
    const running = watch(attempt(reopenLimit)).catch((error: unknown) => {
      throw toStorageError(error, 'use')
    })
    underWay.add(running)
    const settled = () => underWay.delete(running)
    running.then(settled, settled)
    return running
  }

  /** The write is handed over at once; only its acknowledgement may have to wait. */
  const storeIn = (database: IDBDatabase, write: Write): Promise<WriteOutcome> => {
    const stored = writeAll(database, write)
    if (isLogFresh) return stored
    freshLog ??= beginFreshLog(name, clock).then(() => {
      isLogFresh = true
    })
    return Promise.all([stored, freshLog]).then(([outcome]) => outcome)
  }

  for (let tries = 0; db === undefined; tries++) {
    try {
      await connect()
    } catch (error) {
      const waitMs = openAgainAfterMs[tries]
      if (waitMs === undefined || !(isWaymarkError(error) && error.isRetryable)) throw error
      await new Promise<void>((resolve) => clock.after(waitMs, resolve))
    }
  }
  if (!isKnown) generation = 0
  return {
    kind: 'indexeddb',
    get generation() {
      return generation
    },
    write: (write) => run((database) => storeIn(database, write)),
    read: async (ranges) => (ranges.length === 0 ? [] : run((database) => readAll(database, ranges))),
    async close() {
      isClosed = true
      await Promise.allSettled(underWay)
      db?.close()
      db = undefined
    },
  }
}

async function openDatabase(
  name: string,
  onLost: (lost?: IDBDatabase) => void,
  onMade: () => void,
  onDataLost: () => void,
): Promise<IDBDatabase> {
  if (typeof indexedDB === 'undefined' || indexedDB === null) {
    throw new DOMException('IndexedDB is missing', 'NotSupportedError')
  }
  const onUpgrade = (database: IDBDatabase, oldVersion: number) => {
    if (oldVersion === 0) onMade()
    for (const store of storeNames) {
      if (!database.objectStoreNames.contains(store)) database.createObjectStore(store)
    }
  }
  const onBlocking = (database: IDBDatabase) => {
    database.close()
    onLost(database)
  }
  const callbacks = {
    upgrade(database: IDBPDatabase, oldVersion: number, ...[, , event]: [unknown, unknown, Event]) {
      if ((event as { dataLoss?: string }).dataLoss === 'total') onDataLost()
      onUpgrade(unwrap(database), oldVersion)
    },
    blocking: (_current: number, _blocked: number | null, event: IDBVersionChangeEvent) =>
      onBlocking(event.target as IDBDatabase),
    terminated: () => onLost(opened),
  }
  let opened: IDBDatabase | undefined
  try {
    opened = unwrap(await openDB(name, databaseVersion, callbacks))
    return opened
  } catch (error) {
    if (isServerLost(error)) return openInFreshFrame(name, { onUpgrade, onBlocking, onLost })
    // Written by newer code: open it as it is; what this version does not know ends its writing, record by record.
    if ((error as DOMException).name !== 'VersionError') throw error
    opened = unwrap(await openDB(name, undefined, callbacks))
    return opened
  }
}

function storageLost(name: string): WaymarkError {
  return new WaymarkError(
    'storage-lost',
    'The browser found its storage damaged and deleted what this site had stored. What a server received is there.',
    { details: { database: name } },
  )
}

function writeAll(database: IDBDatabase, write: Write): Promise<WriteOutcome> {
  return new Promise((resolve, reject) => {
    const names = new Set<string>()
    for (const row of write.put ?? []) names.add(row.store)
    for (const range of write.remove ?? []) names.add(range.store)
    if (write.add) names.add(write.add.store)
    if (names.size === 0) return resolve('stored')
    const tx = database.transaction([...names], 'readwrite', { durability: write.durability })
    let failure: DOMException | undefined
    let isTaken = false
    const note = (request: IDBRequest) => {
      request.onerror = () => {
        failure ??= request.error ?? undefined
      }
    }
    tx.oncomplete = () => {
      if (isTaken) resolve('taken')
      else if (failure) reject(failure)
      else resolve('stored')
    }
    tx.onabort = () => {
      if (isTaken) resolve('taken')
      else reject(failure ?? tx.error ?? new DOMException('The transaction was aborted', 'AbortError'))
    }
    try {
      for (const range of write.remove ?? []) {
        const keys = toKeyRange(range)
        if (keys !== undefined) note(tx.objectStore(range.store).delete(keys))
      }
      for (const row of write.put ?? [])
        note(tx.objectStore(row.store).put(row.value, row.key as IDBValidKey))
      if (write.add) {
        const request = tx.objectStore(write.add.store).add(write.add.value, write.add.key as IDBValidKey)
        request.onerror = (event) => {
          if (request.error?.name === 'ConstraintError') isTaken = true
          else failure ??= request.error ?? undefined
          event.stopPropagation()
        }
      }
      tx.commit()
    } catch (error) {
      failure = error as DOMException
      try {
        tx.abort()
      } catch {
        reject(error) // already finished: nothing will fire
      }
    }
  })
}

function readAll(database: IDBDatabase, ranges: readonly Range[]): Promise<unknown[][]> {
  return new Promise((resolve, reject) => {
    if (ranges.length === 0) return resolve([])
    const tx = database.transaction([...new Set(ranges.map((range) => range.store))], 'readonly')
    const results: unknown[][] = ranges.map(() => [])
    tx.oncomplete = () => resolve(results)
    tx.onabort = () => reject(tx.error ?? new DOMException('The transaction was aborted', 'AbortError'))
    ranges.forEach((range, i) => {
      const keys = toKeyRange(range)
      if (keys === undefined || range.limit === 0) return
      const store = tx.objectStore(range.store)
      if (!range.isReverse) {
        const request = range.isKeys ? store.getAllKeys(keys, range.limit) : store.getAll(keys, range.limit)
        request.onsuccess = () => (results[i] = request.result)
        return
      }
      const request = store.openCursor(keys, 'prev')
      request.onsuccess = () => {
        const cursor = request.result
        if (cursor === null || results[i]!.length === range.limit) return
        results[i]!.push(range.isKeys ? cursor.key : cursor.value)
        if (results[i]!.length !== range.limit) cursor.continue()
      }
    })
    // Else it ends when this page has seen the last result: a tab frozen before that would keep others from writing.
    if (!ranges.some((range) => range.isReverse)) tx.commit()
  })
}

function toKeyRange(range: Range): IDBKeyRange | undefined {
  const bounds = rangeBounds(range)
  return bounds && IDBKeyRange.bound(bounds.lower, bounds.upper)
}

/** The handle is dead, not the data: drop it and open again. */
function isConnectionLost(error: unknown): boolean {
  // By name: what a fresh frame opened throws errors of that frame.
  return (error as Partial<DOMException> | null)?.name === 'InvalidStateError' || isServerLost(error)
}

/** Rejects what takes too long. One timer for all of it, where a timer for each would cost a tenth of a write. */
function createWatchdog(clock: Clock, timeoutMs: number): <T>(work: Promise<T>) => Promise<T> {
  const looks = 4
  const watched = new Set<{ seen: number; giveUp(): void }>()
  let isWatching = false

  function watchOn(): void {
    isWatching = watched.size > 0
    if (isWatching) clock.after(timeoutMs / looks, look)
  }

  function look(): void {
    for (const one of watched) {
      one.seen += 1
      if (one.seen < looks) continue
      watched.delete(one)
      one.giveUp()
    }
    watchOn()
  }

  return (work) =>
    new Promise((resolve, reject) => {
      const giveUp = () => reject(new DOMException('No answer in time', 'TimeoutError'))
      const one = { seen: 0, giveUp }
      watched.add(one)
      if (!isWatching) watchOn()
      work.then(resolve, reject).finally(() => watched.delete(one))
    })
}
