/** A copy of the answers, as a file in the person's hands, whatever the network does. */
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DemoProcess, startDemoProcess } from '../support/demo-process.ts'
import {
  choice,
  launchBrowser,
  openApplication,
  type PlaywrightEngine,
  press,
  status,
} from './application.ts'

let demo: DemoProcess
beforeAll(async () => {
  demo = await startDemoProcess()
})
afterAll(() => demo?.remove())

type Watched = typeof globalThis & { copies: { name: string; blob: Blob }[] }

/** Notes what links with a name of a file lead to, when they are followed. */
function watchCopies(): void {
  const copies: Watched['copies'] = []
  const blobByUrl = new Map<string, Blob>()
  const create = URL.createObjectURL
  URL.createObjectURL = (blob) => {
    const url = create(blob)
    blobByUrl.set(url, blob as Blob)
    return url
  }
  const click = HTMLAnchorElement.prototype.click
  HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement) {
    copies.push({ name: this.download, blob: blobByUrl.get(this.href)! })
    click.call(this)
  }
  ;(globalThis as Watched).copies = copies
}

/** The file that comes of it. Playwright hears of downloads in Chromium only: in Firefox what the page hands over counts. */
async function taken(engine: PlaywrightEngine, page: Page, ask: () => Promise<void>) {
  if (engine === 'chromium') {
    const [file] = await Promise.all([page.waitForEvent('download'), ask()])
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') }
  }
  await ask()
  await page.waitForFunction(() => (globalThis as Watched).copies.length > 0)
  return page.evaluate(async () => {
    const { name, blob } = (globalThis as Watched).copies.pop()!
    return { name, text: await blob.text() }
  })
}

describe.each<PlaywrightEngine>(['chromium', 'firefox'])('%s: Download a copy', (engine) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser(engine)
  })
  afterAll(() => browser?.close())

  test('hands over what was typed a moment ago, offline too', async () => {
    const page = await (await browser.newContext({ acceptDownloads: true })).newPage()
    await openApplication(page, demo.url, `copy-${engine}`)
    await page.evaluate(watchCopies)
    const control = page.getByRole('button', { name: 'Download a copy of your answers' })
    const take = async () => {
      const { name, text } = await taken(engine, page, () => control.click())
      expect(name).toMatch(/^housing-support-\d{4}-\d\d-\d\d\.json$/)
      return JSON.parse(text)
    }
    await page.locator(choice('start.isAdult', 'yes')).click()
    const copy = await take()
    expect(copy).toMatchObject({
      format: 'waymark-export',
      v: 1,
      sessions: [{ session: { quarantine: [] } }],
    })
    expect(JSON.stringify(copy)).toContain('isAdult')
    await press(page, 'go-offline')
    await page.locator(choice('start.reason', 'moved')).click()
    await page.locator(status('offline')).waitFor()
    expect(JSON.stringify(await take())).toContain('moved')
    await page.context().close()
  })

  test('says so where the code for it cannot be fetched', async () => {
    const page = await (await browser.newContext()).newPage()
    await page.route(/portability/, (route) => route.abort())
    await openApplication(page, demo.url, `no-copy-${engine}`)
    await page.locator(choice('start.isAdult', 'yes')).click()
    await press(page, 'download-copy')
    await page.locator('#status-detail').filter({ hasText: 'No copy was made' }).waitFor()
    await page.locator('#live-news').filter({ hasText: 'No copy was made' }).waitFor({ state: 'attached' })
    await page.context().close()
  })
})
