import { createWaymark } from 'waymark'
import type { Options, Result } from '../result.ts'
import { flow, nestedShape } from '../shape.ts'
import { timingOf } from '../timing.ts'
import { watchStorage } from '../watch-storage.ts'

/** (g) Ten thousand entries one after another: the cost of the last against the first, and what is stored. */
export async function growth({ isQuick }: Options): Promise<Result[]> {
  const count = isQuick ? 500 : 10_000
  const shape = nestedShape('10 KB', 1)
  const waymark = createWaymark({ flows: [flow], namespace: 'growth' })
  const session = await waymark.open('bench')
  for (const [step, rows] of Object.entries(shape.answers)) session.set(step, rows)
  session.commit()
  await session.saved('device')
  const samples: number[] = []
  const { transactions, records, length } = await watchStorage(async () => {
    for (let n = 0; n < count; n++) {
      const { step, row, field, value } = shape.change(n)
      const start = performance.now()
      session.set(step, { [row]: { ...session.getSnapshot().answers[step]![row], [field]: value } })
      session.commit()
      await session.saved('device')
      samples.push(performance.now() - start)
    }
  })
  await waymark.close()
  const tenth = count / 10
  const of = { subject: 'Waymark' }
  const counts = { transactions, records, length }
  return Array.from({ length: 10 }, (_, i) => ({
    ...{ work: 'growth', ...of, size: `entries ${i * tenth + 1} to ${(i + 1) * tenth}` },
    timing: timingOf(samples.slice(i * tenth, (i + 1) * tenth)),
    ...(i === 9 ? { counts } : {}),
  }))
}
