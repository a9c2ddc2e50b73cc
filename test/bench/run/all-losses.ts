import type { Engine } from '../../support/engines.ts'
import { toRow } from '../report/rows.ts'
import { subjectNotes } from '../report/subject-notes.ts'
import type { RunOutcome } from './all-works.ts'
import { installPeers } from './install-peers.ts'
import { measureLosses } from './losses.ts'

/** Every subject after another; the engines side by side. */
export async function runLosses(options: {
  readonly engines: readonly Engine[]
  readonly kills: number
  readonly onProgress: (line: string) => void
}): Promise<RunOutcome> {
  installPeers()
  const outcome: RunOutcome = { rows: [], failures: [] }
  for (const subject of Object.keys(subjectNotes)) {
    await Promise.all(
      options.engines.map(async (engine) => {
        try {
          const result = await measureLosses(engine, subject, options)
          outcome.rows.push(toRow(engine, result))
          options.onProgress(`${engine} ${subject}: ${JSON.stringify(result.counts)}`)
        } catch (error) {
          outcome.failures.push(`${engine} ${subject}: ${error}`)
        }
      }),
    )
  }
  outcome.rows.sort(
    (a, b) => options.engines.indexOf(a.engine as Engine) - options.engines.indexOf(b.engine as Engine),
  )
  return outcome
}
