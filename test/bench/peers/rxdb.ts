import { createRxDatabase } from 'rxdb/plugins/core'
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie'
import type { Rows } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

/** One document per step, patched incrementally. */
export const rxdb: Subject = {
  name: 'RxDB (Dexie storage)',
  acknowledges: 'durable',
  async open(name, shape) {
    const db = await createRxDatabase({
      name: name.replace(/[^a-z0-9]/g, ''),
      storage: getRxStorageDexie(),
      multiInstance: false,
    })
    const { steps } = await db.addCollections({
      steps: {
        schema: {
          version: 0,
          primaryKey: 'step',
          type: 'object',
          properties: { step: { type: 'string', maxLength: 20 }, rows: { type: 'object' } },
        },
      },
    })
    await steps.bulkInsert(Object.entries(shape.answers).map(([step, rows]) => ({ step, rows })))
    const docs = new Map(
      await Promise.all(
        Object.keys(shape.answers).map(async (step) => [step, await steps.findOne(step).exec()] as const),
      ),
    )
    return {
      async change({ step, row, field, value }) {
        const doc = docs.get(step)
        const rows = doc.getLatest().toJSON().rows as Rows
        await doc.incrementalPatch({ rows: { ...rows, [row]: { ...rows[row], [field]: value } } })
      },
      restore: async () => (await steps.find().exec()).map((doc: { toJSON(): unknown }) => doc.toJSON()),
      close: async () => void (await db.close()),
    }
  },
}
