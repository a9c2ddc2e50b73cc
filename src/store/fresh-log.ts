/**
 * Chromium's LevelDB appends to a log, and writes the head and the body of a record one after the other. A browser killed
 * in between leaves a torn end. The next start ignores it, but goes on writing behind it into the same log; the start
 * after that reads "checksum mismatch" and deletes every database of the origin (Chromium 156, seen at one kill in some
 * hundreds). Deleting a database, even an empty one, has it put what its log holds into a table and begin a new log.
 *
 * Invariant: no database is deleted that holds anything.
 */
import type { Clock } from '../base/clock.ts'

/** Takes some 10 to 60 ms; where it takes longer another tab is in the way, and that one has begun a log. */
const patienceMs = 1_000

/** Whether this browser is a Chromium: only there an upgrade says whether data was lost. */
export function mayHaveTornLog(): boolean {
  return typeof IDBVersionChangeEvent !== 'undefined' && 'dataLoss' in IDBVersionChangeEvent.prototype
}

/** What was stored before is out of the log then. Resolves also where it did not work: then it is as it was. */
export function beginFreshLog(name: string, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(patienceMs, resolve)
    const end = () => {
      cancel()
      resolve()
    }
    const passing = `waymark: log of ${name}`
    const opening = indexedDB.open(passing)
    opening.onerror = end
    opening.onsuccess = () => {
      const database = opening.result
      // One that is left over from a page that ended here is as empty.
      const isEmpty = database.version === 1 && database.objectStoreNames.length === 0
      database.close()
      if (!isEmpty) return end()
      const deleting = indexedDB.deleteDatabase(passing)
      deleting.onsuccess = end
      deleting.onerror = end
      deleting.onblocked = end
    }
  })
}
