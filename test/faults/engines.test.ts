/**
 * The rig itself: a killed browser keeps every IndexedDB transaction that completed, so what is lost is our fault. (But
 * for Chromium's torn log, at one kill in some hundreds: `torn-log.test.ts`.)
 */
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { findOnPath } from '../support/browsers.ts'
import { startVirtualDisplay } from '../support/display.ts'
import {
  chromiumBackendIn,
  createProfile,
  launchEngine,
  openPage,
  removeProfile,
  type Variant,
  variants,
  versionOf,
} from '../support/engines.ts'
import { type PageServer, servePage } from '../support/page-server.ts'
import { openWebDriver } from '../support/webdriver.ts'

type Report = { launch: string; restored: number } | { launch: string; n: number }

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function setUp(engine: Variant) {
  const server = await servePage<Report>('test/faults/counting-page.ts')
  cleanups.push(() => server.close())
  const profileDir = createProfile(engine)
  cleanups.push(() => removeProfile(profileDir))
  return { server, profileDir }
}

const backends = {
  chromium: 'leveldb',
  'chromium-sqlite': 'sqlite',
  firefox: 'none',
  webkit: 'none',
} as const

describe('engines keep what they completed', () => {
  test.each(variants)('%s, launched on a profile and killed', async (engine) => {
    const { server, profileDir } = await setUp(engine)
    for (const launch of ['1', '2', '3']) {
      const completed = highest(server)
      const browser = await launchEngine(engine, { profileDir, url: `${server.url}?launch=${launch}` })
      cleanups.push(() => browser.kill())
      expect(await restoredIn(server, launch)).toBeGreaterThanOrEqual(completed)
      await server.waitFor((report) => 'n' in report && report.launch === launch, 20_000)
      await server.waitFor((report) => 'n' in report && report.n >= completed + 30, 20_000)
      await browser.kill()
    }
    expect(chromiumBackendIn(profileDir)).toBe(backends[engine])
  })

  test.each(['chromium', 'chromium-sqlite', 'firefox'] as const)(
    '%s, driven by Playwright and killed',
    async (engine) => {
      const { server, profileDir } = await setUp(engine)
      for (const launch of ['1', '2']) {
        const completed = highest(server)
        const browser = await openPage(engine, { profileDir })
        cleanups.push(() => browser.kill())
        await browser.page.goto(`${server.url}?launch=${launch}`)
        await browser.page.locator('input').pressSequentially('typed')
        expect(await browser.page.locator('input').inputValue()).toBe('typed')
        expect(await restoredIn(server, launch)).toBeGreaterThanOrEqual(completed)
        await server.waitFor((report) => 'n' in report && report.n >= completed + 30, 20_000)
        await browser.kill()
      }
      expect(chromiumBackendIn(profileDir)).toBe(backends[engine])
    },
  )
})

test('a WebDriver session presses real keys in WebKit', async () => {
  const { server } = await setUp('webkit')
  const driver = await openWebDriver()
  cleanups.push(() => driver.close())
  await driver.open(`${server.url}?launch=1`)
  const input = await driver.find('input')
  await driver.click(input)
  await driver.type(input, 'héllo')
  expect(await driver.execute('return document.querySelector("input").value')).toBe('héllo')
})

test.each([
  ['chromium-sqlite', /Chromium \d+(\.\d+){3}$/],
  ['firefox', /Firefox \d+\.\d+/],
  ['webkit', /WebKit.* \d+\.\d+/],
] as const)('%s says which version it is', async (variant, version) => {
  expect(await versionOf(variant)).toMatch(version)
})

test('the virtual display takes a browser the moment after the last one left', async (context) => {
  if (findOnPath('Xvfb') === undefined) return context.skip('WebKit needs no virtual display here')
  const { display, end } = await startVirtualDisplay()
  cleanups.push(end)
  const answers: string[] = []
  for (let i = 0; i < 200; i++) {
    answers.push(await greet(display))
    await new Promise((resolve) => setTimeout(resolve, i % 4))
  }
  expect(answers.filter((answer) => answer !== 'welcome')).toEqual([])
})

/** Connects to a display as every program does, X11 in little-endian without a cookie, and leaves at once. */
function greet(display: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(`/tmp/.X11-unix/X${display.slice(1)}`)
    socket.once('connect', () => socket.write(Buffer.from([0x6c, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])))
    socket.once('error', (error) => resolve(error.message))
    socket.once('data', ([isWelcome]) => {
      socket.destroy()
      resolve(isWelcome === 1 ? 'welcome' : 'turned away')
    })
  })
}

async function restoredIn(server: PageServer<Report>, launch: string): Promise<number> {
  const report = await server.waitFor((report) => 'restored' in report && report.launch === launch, 20_000)
  return (report as { restored: number }).restored
}

function highest(server: PageServer<Report>): number {
  return Math.max(0, ...server.reports.map((report) => ('n' in report ? report.n : 0)))
}
