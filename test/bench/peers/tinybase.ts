import { createStore } from 'tinybase'
import { createIndexedDbPersister } from 'tinybase/persisters/persister-indexed-db'
import type { Subject } from '../page/subject.ts'

/** A cell per field; the persister is asked to save, which is the only way to know when it has. */
export const tinybase: Subject = {
  name: 'TinyBase',
  acknowledges: 'durable',
  async connect(database) {
    return {
      async open(key, shape) {
        const name = `${database}-${key}`
        const store = createStore()
        const persister = createIndexedDbPersister(store, name)
        await persister.load()
        if (shape !== undefined) {
          store.transaction(() => {
            for (const [step, rows] of Object.entries(shape.answers)) {
              for (const [row, cells] of Object.entries(rows)) store.setRow(step, row, cells)
            }
          })
          await persister.save()
        }
        return {
          async change({ step, row, field, value }) {
            store.setCell(step, row, field, value)
            await persister.save()
          },
          async restore() {
            const fresh = createStore()
            const reader = createIndexedDbPersister(fresh, name)
            await reader.load()
            await reader.destroy()
            return fresh.getTables() as never
          },
          close: async () => void (await persister.destroy()),
        }
      },
      close() {},
    }
  },
}
