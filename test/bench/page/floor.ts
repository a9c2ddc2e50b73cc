import { openDB } from 'idb'

/** One put in a transaction of its own, through idb, of as many characters as Waymark stores for the same change. */
export async function openFloor(name: string, length: number, durability: 'relaxed' | 'strict') {
  const db = await openDB(name, 1, { upgrade: (database) => void database.createObjectStore('rows') })
  const value = 'x'.repeat(length)
  return {
    async put(): Promise<void> {
      const tx = db.transaction('rows', 'readwrite', { durability })
      tx.store.put(value, 'row')
      await tx.done
    },
    async putObject(object: unknown): Promise<void> {
      await db.put('rows', object, 'object')
    },
    getObject: (): Promise<unknown> => db.get('rows', 'object'),
    close: () => db.close(),
  }
}
