import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import type { Answers } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

/** A nested map per step and row; the provider writes every update and tells nobody when it has. */
export const yjs: Subject = {
  name: 'Yjs + y-indexeddb',
  acknowledges: 'memory',
  async connect(database) {
    return {
      async open(key, shape) {
        const name = `${database}-${key}`
        const doc = new Y.Doc()
        const provider = new IndexeddbPersistence(name, doc)
        await provider.whenSynced
        if (shape !== undefined) {
          doc.transact(() => {
            for (const [step, rows] of Object.entries(shape.answers)) {
              for (const [row, fields] of Object.entries(rows)) {
                doc.getMap<Y.Map<string>>(step).set(row, new Y.Map<string>(Object.entries(fields)))
              }
            }
          })
        }
        return {
          change({ step, row, field, value }) {
            const rows = doc.getMap<Y.Map<string>>(step)
            const fields = rows.get(row)
            if (fields === undefined) rows.set(row, new Y.Map<string>([[field, value]]))
            else fields.set(field, value)
          },
          async restore() {
            const fresh = new Y.Doc()
            const reader = new IndexeddbPersistence(name, fresh)
            await reader.whenSynced
            // What is read has no type until it is asked for as one.
            for (const step of [...fresh.share.keys()]) fresh.getMap(step)
            const answers = fresh.toJSON() as Answers
            await reader.destroy()
            return answers
          },
          close: () => provider.destroy(),
        }
      },
      close() {},
    }
  },
}
