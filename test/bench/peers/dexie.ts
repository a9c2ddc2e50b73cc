import { Dexie, type Table, type UpdateSpec } from 'dexie'
import type { Answers, Rows } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

interface StoredStep {
  session: string
  step: string
  rows: Rows
}

/** One row per step, and `update()` of one key path, which is how its documentation changes a nested property. */
export const dexie: Subject = {
  name: 'Dexie',
  acknowledges: 'durable',
  async connect(database) {
    const db = new Dexie(database) as Dexie & { steps: Table<StoredStep, [string, string]> }
    db.version(1).stores({ steps: '[session+step]' })
    await db.open()
    return {
      async open(session, shape) {
        const rows = Object.entries(shape?.answers ?? {}).map(([step, rows]) => ({ session, step, rows }))
        await db.steps.bulkPut(rows)
        return {
          async change({ step, row, field, value }) {
            const changes = { [`rows.${row}.${field}`]: value } as object as UpdateSpec<StoredStep>
            const updated = await db.steps.update([session, step], changes)
            if (updated === 0) await db.steps.put({ session, step, rows: { [row]: { [field]: value } } })
          },
          async restore() {
            const range = [
              [session, Dexie.minKey],
              [session, Dexie.maxKey],
            ] as const
            const stored = await db.steps
              .where('[session+step]')
              .between(...range)
              .toArray()
            return Object.fromEntries(stored.map(({ step, rows }) => [step, rows])) as Answers
          },
          close() {},
        }
      },
      close: () => db.close(),
    }
  },
}
