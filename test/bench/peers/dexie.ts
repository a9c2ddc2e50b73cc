import { Dexie, type EntityTable } from 'dexie'
import type { Rows } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

interface StoredStep {
  step: string
  rows: Rows
}

/** One row per step, updated as a whole: the finest grain its own change API keeps simple. */
export const dexie: Subject = {
  name: 'Dexie',
  acknowledges: 'durable',
  async open(name, shape) {
    const db = new Dexie(name) as Dexie & { steps: EntityTable<StoredStep, 'step'> }
    db.version(1).stores({ steps: 'step' })
    const answers: { [step: string]: Rows } = { ...shape.answers }
    await db.steps.bulkPut(Object.entries(answers).map(([step, rows]) => ({ step, rows })))
    return {
      async change({ step, row, field, value }) {
        const rows = { ...answers[step], [row]: { ...answers[step]![row], [field]: value } }
        answers[step] = rows
        await db.steps.put({ step, rows })
      },
      restore: () => db.steps.toArray(),
      close: () => db.close(),
    }
  },
}
