import { createProfile, type Engine, launchEngine, removeProfile } from '../../support/engines.ts'
import { servePage } from '../../support/page-server.ts'
import type { Report } from '../page/run-page.ts'

export const benchPage = 'test/bench/peers/bench-page.ts'
const patienceMs = 300_000

/** One work in one engine, in a browser of its own on an empty profile on disk. */
export async function runInBrowser(engine: Engine, work: string, isQuick: boolean): Promise<Report> {
  const server = await servePage<Report>(benchPage, { isIsolated: true })
  const profileDir = createProfile(engine)
  const browser = await launchEngine(engine, {
    profileDir,
    url: `${server.url}?work=${work}${isQuick ? '&quick' : ''}`,
  })
  try {
    return await server.waitFor(() => true, patienceMs)
  } catch (error) {
    return { type: 'failed', work, message: String(error) }
  } finally {
    await browser.kill()
    await server.close()
    removeProfile(profileDir)
  }
}
