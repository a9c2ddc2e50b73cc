import { openDB } from 'idb'
import { createWaymark } from 'waymark'
import { type Options, type Result, toResults } from '../result.ts'
import { flow } from '../shape.ts'
import { rotate } from '../timing.ts'

/** (e) What can be resumed, of many sessions, against one `getAll` of the same rows. */
export async function list({ isQuick }: Options): Promise<Result[]> {
  const count = isQuick ? 100 : 1_000
  const waymark = createWaymark({ flows: [flow], namespace: 'list' })
  for (let i = 0; i < count; i++) {
    const session = await waymark.start('bench')
    session.set('step0', { row0: { field0: String(i) } })
    await session.close()
  }
  const db = await openDB('list')
  const timings = await rotate(
    [
      { name: 'idb getAll', run: () => db.getAll('heads') },
      { name: 'Waymark', run: () => waymark.resumable() },
    ],
    isQuick ? { rounds: 20, warmUp: 3 } : { rounds: 60, warmUp: 5 },
  )
  db.close()
  await waymark.close()
  return toResults(timings, { work: 'list', size: `${count} sessions`, floor: 'idb getAll' })
}
