/**
 * Chromium's LevelDB appends to a log, and writes the head and the body of a record one after the other. A browser killed
 * in between leaves a torn end. The next start ignores it, but goes on writing behind it into the same log; the start
 * after that reads "checksum mismatch" and deletes every database of the origin (Chromium 156, seen at one kill in some
 * hundreds). Deleting a database, even an empty one, has it put what its log holds into a table and begin a new log.
 */

/** Whether this browser is a Chromium: only there an upgrade says whether data was lost. */
export function mayHaveTornLog(): boolean {
  return typeof IDBVersionChangeEvent !== 'undefined' && 'dataLoss' in IDBVersionChangeEvent.prototype
}

/** What was stored before is out of the log then. Resolves also where it did not work: then it is as it was. */
export function beginFreshLog(name: string): Promise<void> {
  return new Promise((resolve) => {
    const passing = `${name} log`
    const opening = indexedDB.open(passing)
    opening.onerror = () => resolve()
    opening.onsuccess = () => {
      opening.result.close()
      const deleting = indexedDB.deleteDatabase(passing)
      deleting.onsuccess = () => resolve()
      deleting.onerror = () => resolve()
    }
  })
}
