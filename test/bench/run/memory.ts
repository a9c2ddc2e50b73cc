import { createProfile, type Engine, openPage, removeProfile } from '../../support/engines.ts'
import { servePage } from '../../support/page-server.ts'
import type { MemoryPage } from '../page/memory.ts'
import type { Result } from '../page/result.ts'
import { benchPage } from './in-browser.ts'

declare const memoryPage: MemoryPage

/**
 * (i) What a hundred open sessions of 10 KB hold in the page's heap: after it was collected, less what it held before
 * they were opened. Chromium tells by its debugging protocol; the others have no such means.
 */
export async function measureMemory(
  engine: Engine,
  subjects: readonly string[],
  isQuick: boolean,
): Promise<Result[]> {
  const count = isQuick ? 20 : 100
  const of = { work: 'memory', size: `${count} sessions of 10 KB` }
  if (engine !== 'chromium') {
    const note = 'not measured: the engine tells no page, nor anyone outside, what its heap holds'
    return [{ ...of, subject: 'Waymark', note }]
  }
  const server = await servePage(benchPage, { isIsolated: true })
  const profileDir = createProfile(engine)
  const { page, context, kill } = await openPage(engine, { profileDir })
  const results: Result[] = []
  try {
    const protocol = await context.newCDPSession(page)
    const load = async () => {
      await page.goto('about:blank')
      await page.goto(`${server.url}?memory`)
      await page.waitForFunction(() => 'memoryPage' in window)
    }
    const heap = async () => {
      await protocol.send('HeapProfiler.collectGarbage')
      return (await protocol.send('Runtime.getHeapUsage')).usedSize
    }
    for (const subject of isQuick ? subjects.slice(0, 3) : subjects) {
      await load()
      await page.evaluate(([name, n]) => memoryPage.store(name, n), [subject, count] as const)
      await load()
      await page.evaluate((name) => memoryPage.connect(name), subject)
      const before = await heap()
      await page.evaluate((n) => memoryPage.open(n), count)
      await page.waitForTimeout(300)
      const bytes = (await heap()) - before
      results.push({ ...of, subject, counts: { bytes, bytesPerSession: Math.round(bytes / count) } })
    }
  } finally {
    await kill()
    await server.close()
    removeProfile(profileDir)
  }
  return results
}
