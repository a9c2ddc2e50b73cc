import { createWaymark } from 'waymark'
import { flow } from './shape.ts'
import type { Subject } from './subject.ts'

export const waymark: Subject = {
  name: 'Waymark',
  acknowledges: 'durable',
  async open(name, shape) {
    const opened = createWaymark({ flows: [flow], namespace: name })
    let session = await opened.open('bench')
    for (const [step, rows] of Object.entries(shape.answers)) {
      session.set(step, rows)
      session.commit()
      await session.saved('device')
    }
    await session.saved('strict')
    return {
      async change({ step, row, field, value }) {
        const rows = session.getSnapshot().answers[step]!
        session.set(step, { [row]: { ...rows[row], [field]: value } })
        session.commit()
        const outcome = await session.saved('device')
        if (outcome.type !== 'saved') throw new Error(`not saved: ${outcome.type}`)
      },
      async restore() {
        await session.close()
        session = await opened.open('bench')
        return session.getSnapshot().answers
      },
      close: () => opened.close(),
    }
  },
}
