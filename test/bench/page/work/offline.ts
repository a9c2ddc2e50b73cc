import { type Backend, createWaymark } from 'waymark'
import { memoryBackend } from 'waymark/backends'
import type { Options, Result } from '../result.ts'
import { flow, nestedShape } from '../shape.ts'
import { timingOf } from '../timing.ts'

/** (f) A thousand changes made offline, then sent: requests, their length, and how long until the server has all. */
export async function offline({ isQuick }: Options): Promise<Result[]> {
  const count = isQuick ? 200 : 1_000
  const shape = nestedShape('10 KB', 1)
  const inner = memoryBackend()
  const counts = { requests: 0, length: 0 }
  const backend: Backend = {
    exchange(items, options) {
      counts.requests += 1
      counts.length += JSON.stringify(items).length
      return inner.exchange(items, options)
    },
  }
  const waymark = createWaymark({
    flows: [flow],
    namespace: 'offline',
    account: 'a',
    backend,
    isSyncing: false,
  })
  const session = await waymark.open('bench')
  for (let n = 0; n < count; n++) {
    const { step, row, field, value } = shape.change(n)
    session.set(step, { [row]: { [field]: value } })
    session.commit()
    await session.saved('device')
  }
  const start = performance.now()
  waymark.sync.start()
  const { type } = await session.saved('server')
  const took = performance.now() - start
  await waymark.close()
  if (type !== 'saved') throw new Error(`not sent: ${type}`)
  const of = { subject: 'Waymark', size: `${count} changes` }
  return [{ work: 'offline, then sent', ...of, timing: timingOf([took]), counts }]
}
