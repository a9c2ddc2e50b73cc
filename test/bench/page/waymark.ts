import { createWaymark } from 'waymark'
import { type Answers, type Change, flow } from './shape.ts'
import type { Subject } from './subject.ts'

export const waymark: Subject = {
  name: 'Waymark',
  acknowledges: 'durable',
  async connect(database) {
    const opened = createWaymark({ flows: [flow], namespace: database })
    return {
      async open(key, shape) {
        let session = await opened.open('bench', { key })
        for (const [step, rows] of Object.entries(shape?.answers ?? {})) {
          session.set(step, rows)
          session.commit()
          await session.saved('device')
        }
        await session.saved('strict')
        const set = ({ step, row, field, value }: Change) => {
          const rows = session.getSnapshot().answers[step]
          session.set(step, { [row]: { ...rows?.[row], [field]: value } })
        }
        return {
          type: set,
          async change(change) {
            set(change)
            session.commit()
            const outcome = await session.saved('device')
            if (outcome.type !== 'saved') throw new Error(`not saved: ${outcome.type}`)
          },
          async restore() {
            await session.close()
            session = await opened.open('bench', { key })
            return session.getSnapshot().answers as Answers
          },
          close: () => session.close(),
        }
      },
      close: () => opened.close(),
    }
  },
}
