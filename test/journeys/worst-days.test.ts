/**
 * What a page lives through besides being killed: a crash of its process, being frozen, its database deleted under it,
 * a disk that is full for a while. What it showed as saved is there afterwards, and it said so while it was not.
 */
import { describe, expect, onTestFinished, test } from 'vitest'
import { createProfile, type DrivenPage, openPage, removeProfile } from '../support/engines.ts'
import { type PageServer, servePage } from '../support/page-server.ts'

interface Report {
  round: number
  type: 'restored' | 'saved' | 'finished' | 'failed'
  n?: number
  typed?: number
  finished?: number[]
  problems?: string[]
}

async function setUp(engine: 'chromium' | 'firefox') {
  const server = await servePage<Report>('test/faults/typing-page.ts')
  const profileDir = createProfile(engine)
  const browser = await openPage(engine, { profileDir })
  onTestFinished(async () => {
    await browser.close()
    await server.close()
    removeProfile(profileDir)
  })
  return { server, browser }
}

const urlOf = (server: PageServer<Report>, round: number) =>
  `${server.url}?round=${round}&from=${round * 1_000_000}`

/** Waits until a page of that round showed so many more numbers as saved. */
function acknowledged(server: PageServer<Report>, round: number, count: number): Promise<Report> {
  let left = count + server.reports.filter((report) => report.round === round && isSaved(report)).length
  return server.waitFor((report) => report.round === round && isSaved(report) && --left <= 0, 60_000)
}

const isSaved = ({ type }: Report) => type === 'saved' || type === 'finished'

/** Opens the page once more and compares what it finds with everything that was shown as saved. */
async function expectAllThere(server: PageServer<Report>, browser: DrivenPage, round: number): Promise<void> {
  const shown = server.reports.filter(isSaved)
  const page = await browser.context.newPage()
  await page.goto(urlOf(server, round))
  const restored = await server.waitFor((report) => report.round === round && !isSaved(report), 60_000)
  expect(restored).toMatchObject({ type: 'restored' })
  const kept = new Set(restored.finished)
  expect(shown.filter(({ type, n }) => type === 'finished' && !kept.has(n!))).toEqual([])
  expect(restored.finished).toHaveLength(kept.size)
  const furthest = Math.max(restored.typed ?? 0, ...kept)
  expect(furthest).toBeGreaterThanOrEqual(Math.max(...shown.map(({ n }) => n!)))
  await page.close()
}

const words = (browser: DrivenPage) => browser.page.locator('output').textContent()

describe('chromium', () => {
  test('the page’s process crashes', async () => {
    const { server, browser } = await setUp('chromium')
    await browser.page.goto(urlOf(server, 1))
    await acknowledged(server, 1, 60)
    const cdp = await browser.context.newCDPSession(browser.page)
    const crashed = new Promise((resolve) => browser.page.once('crash', resolve))
    void cdp.send('Page.crash').catch(() => {})
    await crashed
    await expectAllThere(server, browser, 2)
  })

  test('a frozen tab holds nobody up, and goes on where it was', async () => {
    const { server, browser } = await setUp('chromium')
    await browser.page.goto(urlOf(server, 1))
    await acknowledged(server, 1, 40)
    const cdp = await browser.context.newCDPSession(browser.page)
    await cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
    const second = await browser.context.newPage()
    await second.goto(urlOf(server, 2))
    await acknowledged(server, 2, 60)
    const before = server.reports.filter(({ round }) => round === 1).length
    await second.close()
    await cdp.send('Page.setWebLifecycleState', { state: 'active' })
    await browser.page.bringToFront()
    await acknowledged(server, 1, 40)
    expect(server.reports.filter(({ round }) => round === 1).length).toBeGreaterThan(before)
    await browser.page.close()
    const finished = server.reports.filter(({ type }) => type === 'finished').map(({ n }) => n)
    const page = await browser.context.newPage()
    await page.goto(urlOf(server, 3))
    const restored = await server.waitFor(({ round }) => round === 3, 60_000)
    expect(restored.finished).toEqual(expect.arrayContaining(finished))
    expect(restored.problems).toEqual([])
  })

  test('a full disk is shown, nothing is called saved meanwhile, and it is well again by itself', async () => {
    const { server, browser } = await setUp('chromium')
    await browser.page.goto(urlOf(server, 1))
    await acknowledged(server, 1, 20)
    const cdp = await browser.context.newCDPSession(browser.page)
    const origin = new URL(server.url).origin
    await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 })
    await browser.page.waitForFunction(
      () => document.querySelector('output')?.textContent === 'At risk: storage-full',
    )
    const atFull = server.reports.length
    await browser.page.waitForTimeout(500)
    expect(server.reports.length).toBe(atFull)
    expect(await words(browser)).toBe('At risk: storage-full')
    await cdp.send('Storage.overrideQuotaForOrigin', { origin })
    await acknowledged(server, 1, 20)
    await browser.page.close()
    await expectAllThere(server, browser, 2)
  })
})

for (const engine of ['chromium', 'firefox'] as const) {
  test(`${engine}: the database is deleted under the page, which stores again what it holds`, async () => {
    const { server, browser } = await setUp(engine)
    await browser.page.goto(urlOf(server, 1))
    await acknowledged(server, 1, 60)
    await browser.page.evaluate(
      () =>
        new Promise<void>((resolve, reject) => {
          const request = indexedDB.deleteDatabase('waymark')
          request.onsuccess = () => resolve()
          request.onerror = () => reject(request.error)
        }),
    )
    await acknowledged(server, 1, 40)
    await browser.page.close()
    await expectAllThere(server, browser, 2)
  })
}
