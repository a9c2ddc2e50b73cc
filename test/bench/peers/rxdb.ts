import { createRxDatabase, type RxCollection, type RxDocument } from 'rxdb/plugins/core'
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie'
import type { Answers, Rows } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

interface StoredStep {
  id: string
  step: string
  rows: Rows
}

/** One document per step, changed by `incrementalModify()`, which its documentation names for changes that may race. */
export const rxdb: Subject = {
  name: 'RxDB (Dexie storage)',
  acknowledges: 'durable',
  async connect(database) {
    const db = await createRxDatabase<{ steps: RxCollection<StoredStep> }>({
      name: database.toLowerCase().replace(/[^a-z0-9]/g, ''),
      storage: getRxStorageDexie(),
    })
    const { steps } = await db.addCollections({
      steps: {
        schema: {
          version: 0,
          primaryKey: 'id',
          type: 'object',
          properties: {
            id: { type: 'string', maxLength: 60 },
            step: { type: 'string' },
            rows: { type: 'object' },
          },
          required: ['id', 'step', 'rows'],
        },
      },
    })
    return {
      async open(session, shape) {
        const idOf = (step: string) => `${session}|${step}`
        const selector = { id: { $gte: idOf(''), $lt: `${session}}` } }
        await steps.bulkInsert(
          Object.entries(shape?.answers ?? {}).map(([step, rows]) => ({
            ...{ id: idOf(step), step, rows },
          })),
        )
        const docs = new Map<string, RxDocument<StoredStep>>()
        for (const doc of await steps.find({ selector }).exec()) docs.set(doc.step, doc)
        let reads = 0
        return {
          async change({ step, row, field, value }) {
            const doc = docs.get(step)
            if (doc === undefined) {
              const rows = { [row]: { [field]: value } }
              docs.set(step, await steps.insert({ id: idOf(step), step, rows }))
              return
            }
            await doc.incrementalModify((data) => ({
              ...data,
              rows: { ...data.rows, [row]: { ...data.rows[row], [field]: value } },
            }))
          },
          async restore() {
            // A query it has not been asked before: else it answers from its cache, which a new page has not got.
            reads += 1
            const found = await steps.find({ selector, limit: 1_000 + reads }).exec()
            return Object.fromEntries(found.map((doc) => [doc.step, doc.toJSON().rows])) as Answers
          },
          close() {},
        }
      },
      close: async () => void (await db.close()),
    }
  },
}
