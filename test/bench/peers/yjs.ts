import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import type { Subject } from '../page/subject.ts'

/** A nested map per step and row; the provider writes every update and tells nobody when it has. */
export const yjs: Subject = {
  name: 'Yjs + y-indexeddb',
  acknowledges: 'memory',
  async open(name, shape) {
    const doc = new Y.Doc()
    const provider = new IndexeddbPersistence(name, doc)
    await provider.whenSynced
    doc.transact(() => {
      for (const [step, rows] of Object.entries(shape.answers)) {
        for (const [row, fields] of Object.entries(rows)) {
          const map = new Y.Map<string>()
          doc.getMap(step).set(row, map)
          for (const [field, value] of Object.entries(fields)) map.set(field, value)
        }
      }
    })
    return {
      change: ({ step, row, field, value }) =>
        void (doc.getMap(step).get(row) as Y.Map<string>).set(field, value),
      async restore() {
        const fresh = new Y.Doc()
        const reader = new IndexeddbPersistence(name, fresh)
        await reader.whenSynced
        await reader.destroy()
        return fresh.toJSON()
      },
      close: () => provider.destroy(),
    }
  },
}
