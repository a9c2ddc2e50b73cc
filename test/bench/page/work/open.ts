import { createWaymark } from 'waymark'
import { openFloor } from '../floor.ts'
import type { Options, Result } from '../result.ts'
import { flow, nestedShape } from '../shape.ts'
import type { Opened, Subject } from '../subject.ts'
import { rotate } from '../timing.ts'

/** Entries past a checkpoint at most: one less than what makes the next. */
const worstTail = 15

/** (d) From `open()` to the restored state, the database open, behind few and many changes, at the worst tail. */
export async function open({ isQuick, subjects }: Options): Promise<Result[]> {
  const results: Result[] = []
  const shape = nestedShape('100 KB', 10)
  for (const behind of isQuick ? [1, 100] : [1, 100, 5_000]) {
    const waymark = createWaymark({ flows: [flow], namespace: `open-${behind}` })
    let session = await waymark.open('bench')
    for (const [step, rows] of Object.entries(shape.answers)) session.set(step, rows)
    session.commit()
    await session.saved('device')
    for (let n = 0; n < behind; n++) {
      const { step, row, field, value } = shape.change(n)
      session.set(step, { [row]: { ...session.getSnapshot().answers[step]![row], [field]: value } })
      session.commit()
      await session.saved('device')
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
    if (behind > worstTail) {
      await session.next()
      await new Promise((resolve) => setTimeout(resolve, 300))
      for (let n = 0; n < worstTail; n++) {
        session.set('step0', { row0: { field0: `tail ${n}` } })
        session.commit()
        await session.saved('device')
      }
    }
    const floor = await openFloor(`open-floor-${behind}`, 0, 'relaxed')
    await floor.putObject(session.getSnapshot().answers)
    const others: (Subject & Opened)[] = []
    if (behind === 1) {
      for (const subject of subjects.slice(1)) {
        others.push({ ...subject, ...(await subject.open(`open-${subject.name}`, shape)) })
      }
    }
    const timings = await rotate(
      [
        { name: 'idb get', run: () => floor.getObject() },
        {
          name: 'Waymark',
          prepare: () => session.close(),
          async run() {
            session = await waymark.open('bench')
            session.getSnapshot()
          },
        },
        ...others.map(({ name, restore }) => ({ name, run: restore })),
      ],
      isQuick ? { rounds: 20, warmUp: 3 } : { rounds: 80, warmUp: 8 },
    )
    const base = timings.get('idb get')!
    for (const [subject, timing] of timings) {
      results.push({
        ...{ work: 'open', subject, size: `${shape.size}, ${behind} changes`, timing },
        ...{ floorP50Ms: base.p50Ms, floorP99Ms: base.p99Ms },
      })
    }
    floor.close()
    for (const one of others) await one.close()
    await waymark.close()
  }
  return results
}
