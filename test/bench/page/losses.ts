import { nestedShape } from './shape.ts'
import type { Subject } from './subject.ts'

export type LossesReport =
  | { readonly round: number; readonly type: 'restored'; readonly n: number }
  | { readonly round: number; readonly type: 'acknowledged'; readonly n: number }
  | { readonly round: number; readonly type: 'failed'; readonly message: string }

/**
 * (j) Counts up in one field and reports each number the moment the subject acknowledges it, while the next is on its
 * way; first what it found. `run/losses.ts` kills the browser meanwhile.
 */
export async function countUp(subjects: readonly Subject[], query: URLSearchParams): Promise<void> {
  const round = Number(query.get('round'))
  const field = { step: 'step0', row: 'row0', field: 'field0' }
  const report = async (type: 'restored' | 'acknowledged', n: number) => {
    await fetch('/report', { method: 'POST', body: JSON.stringify({ round, type, n }) })
  }
  try {
    const subject = subjects.find(({ name }) => name === query.get('losses'))!
    const connection = await subject.connect('losses')
    let session = await connection.open('session', round === 1 ? nestedShape('10 KB', 1) : undefined)
    const found = Number.parseInt((await session.restore())['step0']?.['row0']?.['field0'] ?? '0', 10) || 0
    await report('restored', found)
    // What lost all of it begins again; the numbers go on, so that none is counted twice.
    if (round > 1 && found === 0) session = await connection.open('session', nestedShape('10 KB', 1))
    let reported = Promise.resolve()
    for (let n = Number(query.get('from')) + 1; ; n++) {
      await session.change({ ...field, value: `${n}`.padEnd(80, ' .') })
      await reported
      reported = report('acknowledged', n)
      await new Promise((resolve) => setTimeout(resolve))
    }
  } catch (error) {
    const message = error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
    await fetch('/report', { method: 'POST', body: JSON.stringify({ round, type: 'failed', message }) })
  }
}
