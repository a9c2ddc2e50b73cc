import { createProfile, type Engine, launchEngine, removeProfile } from '../../support/engines.ts'
import { servePage } from '../../support/page-server.ts'
import type { LossesReport } from '../page/losses.ts'
import type { Result } from '../page/result.ts'
import { benchPage } from './in-browser.ts'

const minAcknowledged = 20
const longestExtraMs = 400
const patienceMs = 60_000

/**
 * (j) Ends a whole browser with SIGKILL, again and again, while a subject counts up, and counts the numbers it had
 * acknowledged and a new page does not find. Every subject has a browser and a profile of its own.
 */
export async function measureLosses(
  engine: Engine,
  subject: string,
  options: { readonly kills: number },
): Promise<Result> {
  const server = await servePage<LossesReport>(benchPage)
  const profileDir = createProfile(engine)
  const counts = { kills: 0, acknowledged: 0, lost: 0 }
  // Acknowledged and not yet found or missed.
  let open: number[] = []
  let from = 0
  try {
    for (let round = 1; round <= options.kills + 1; round++) {
      const url = `${server.url}?losses=${encodeURIComponent(subject)}&round=${round}&from=${from}`
      const browser = await launchEngine(engine, { profileDir, url })
      const ofRound = () => server.reports.filter((report) => report.round === round)
      const acknowledged = () =>
        ofRound().flatMap((report) => (report.type === 'acknowledged' ? report.n : []))
      try {
        const first = await server.waitFor((report) => report.round === round, patienceMs)
        if (first.type !== 'restored') throw new Error(`${first.type} in round ${round}`)
        counts.lost += open.filter((n) => n > first.n).length
        open = []
        if (round > options.kills) break
        await server.waitFor(
          (report) =>
            report.round === round && (report.type === 'failed' || acknowledged().length >= minAcknowledged),
          patienceMs,
        )
        await new Promise((resolve) => setTimeout(resolve, Math.random() * longestExtraMs))
      } finally {
        await browser.kill()
      }
      // Reports still on their way when the browser died count too: it had been acknowledged.
      await new Promise((resolve) => setTimeout(resolve, 20))
      const failed = ofRound().find((report) => report.type === 'failed')
      if (failed?.type === 'failed') throw new Error(failed.message)
      counts.kills += 1
      open = acknowledged()
      counts.acknowledged += open.length
      from = Math.max(from, ...open) + 1_000
    }
  } finally {
    await server.close()
    removeProfile(profileDir)
  }
  return { work: 'losses', subject, size: `${options.kills} kills`, counts }
}
