import type { Plant } from './plant.ts'

const file = 'src/store/idb-store.ts'
const net = 'store'

export const plantsOfStorage: readonly Plant[] = [
  {
    name: 'acknowledges on complete although a request failed',
    ...{ net, file },
    find: `      else if (failure) reject(failure)
      else resolve('stored')`,
    replace: `      else resolve('stored')`,
  },
  {
    name: 'commits although requests follow the add that may fail',
    ...{ net, file },
    find: `      for (const row of write.put ?? [])
        note(tx.objectStore(row.store).put(row.value, row.key as IDBValidKey))
      if (write.add) {`,
    replace: `      if (write.add) {`,
    also: [
      {
        file,
        find: `      tx.commit()
    } catch (error) {`,
        replace: `      for (const row of write.put ?? [])
        note(tx.objectStore(row.store).put(row.value, row.key as IDBValidKey))
      tx.commit()
    } catch (error) {`,
      },
    ],
  },
]
