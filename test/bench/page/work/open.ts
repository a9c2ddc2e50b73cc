import { createWaymark } from 'waymark'
import { openFloor } from '../floor.ts'
import { openAll } from '../open-all.ts'
import { type Options, type Result, toResults } from '../result.ts'
import { flow, nestedShape } from '../shape.ts'
import { rotate } from '../timing.ts'

/** Entries past a checkpoint at most: one less than what makes the next. */
const worstTail = 15

/** Above this many changes only Waymark is made to have them: some peers take 10 ms for each. */
const mostForPeers = 1_000

/** (d) From `open()` to the restored state, the database open, behind few and many changes, at the worst tail. */
export async function open({ isQuick, subjects }: Options): Promise<Result[]> {
  const results: Result[] = []
  const shape = nestedShape('100 KB', 10)
  for (const behind of isQuick ? [1, 100] : [1, 100, 1_000, 5_000]) {
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
    await checkpointed()
    if (behind > worstTail) {
      await session.next()
      await checkpointed()
      for (let n = 0; n < worstTail; n++) {
        session.set('step0', { row0: { field0: `tail ${n}` } })
        session.commit()
        await session.saved('device')
      }
    }
    const floor = await openFloor(`open-floor-${behind}`, 0, 'relaxed')
    await floor.putObject(session.getSnapshot().answers)
    const peers = await openAll(behind > mostForPeers ? [] : subjects.slice(1), `open-${behind}`, shape)
    for (let n = 0; n < behind; n++) {
      for (const peer of peers.opened) await peer.change(shape.change(n))
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
        ...peers.opened.map(({ name, restore }) => ({ name, run: restore })),
      ],
      isQuick ? { rounds: 15, warmUp: 3 } : { rounds: 60, warmUp: 8 },
    )
    const size = `${shape.size}, ${behind} changes`
    results.push(...toResults(timings, { work: 'open', size, floor: 'idb get' }))
    floor.close()
    await peers.close()
    await waymark.close()
  }
  return results
}

/** A checkpoint is written when the page has been idle for 50 ms. */
function checkpointed(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300))
}
