/** What is on the page stays where it is: from step to step, and whatever the status line says. */
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DemoProcess, startDemoProcess } from '../support/demo-process.ts'
import {
  action,
  choice,
  field,
  fillStep,
  headline,
  launchBrowser,
  openApplication,
  path,
  press,
  seeStep,
  status,
  walkTo,
} from './application.ts'

let demo: DemoProcess
let browser: Browser
beforeAll(async () => {
  demo = await startDemoProcess()
  browser = await launchBrowser('chromium')
})
afterAll(async () => {
  await browser?.close()
  await demo?.remove()
})

interface LayoutShift extends PerformanceEntry {
  readonly value: number
}
type Watched = typeof globalThis & { shifts: number[]; takeShifts(): number }

/**
 * Adds up every shift. A browser's own figure leaves out what moves within half a second of a click or key, which here
 * would be all of it: each step change is asked for by one.
 */
function watchShifts(): void {
  const page = globalThis as Watched
  page.shifts = []
  const note = (entries: PerformanceEntryList) => {
    for (const entry of entries) page.shifts.push((entry as LayoutShift).value)
  }
  const observer = new PerformanceObserver((list) => note(list.getEntries()))
  observer.observe({ type: 'layout-shift', buffered: true })
  page.takeShifts = () => {
    note(observer.takeRecords())
    return page.shifts.splice(0).reduce((sum, value) => sum + value, 0)
  }
}

/** What has shifted since the last call, once everything under way is painted. */
const takeShifts = (page: Page) =>
  page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve, 150))
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    return (globalThis as Watched).takeShifts()
  })

/** Clicks without a pointer, which would scroll the page to the button first. */
const flip = (page: Page, name: string) =>
  page.evaluate((selector) => document.querySelector<HTMLElement>(selector)!.click(), action(name))

async function openAt(width: number, account: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 800 } })
  await context.addInitScript(watchShifts)
  const page = await context.newPage()
  await openApplication(page, demo.url, account)
  await seeStep(page, 'start')
  return page
}

const most = 0.05

describe.each([360, 1280])('at %i px', (width) => {
  test('a step change shifts less than 0.05, on, back and to the receipt', async () => {
    const page = await openAt(width, `steps-${width}`)
    const shifts = [{ what: 'page load', shift: await takeShifts(page) }]
    const move = async (name: string, to: (typeof path)[number] | 'done') => {
      await takeShifts(page)
      await press(page, name)
      await seeStep(page, to)
      shifts.push({ what: `${name} to ${to}`, shift: await takeShifts(page) })
    }
    for (const [i, step] of path.entries()) {
      await fillStep(page, step)
      await move('next', path[i + 1] ?? 'done')
      if (step === 'you' || step === 'more') {
        await move('back', step)
        await move('next', path[i + 1]!)
      }
    }
    expect(shifts).toHaveLength(path.length + 5)
    expect(shifts.filter(({ shift }) => shift >= most)).toEqual([])

    // That a shift would have been seen:
    await page.evaluate(() => {
      window.scrollTo(0, 0)
      document.body.prepend(Object.assign(document.createElement('div'), { style: 'height: 300px' }))
    })
    expect(await takeShifts(page)).toBeGreaterThan(most)
    await page.context().close()
  })

  test('nothing moves when the status words change', async () => {
    const page = await openAt(width, `words-${width}`)
    await walkTo(page, 'you')
    await page.locator(status('server')).waitFor()
    const places = () =>
      page.evaluate(() => {
        const marks = '.masthead, #progress, #main, h1, .label, input, .actions button'
        return [...document.querySelectorAll(marks)].map((one) => {
          const { x, y, width, height } = one.getBoundingClientRect()
          return `${one.tagName} ${[x, y, width, height].map(Math.round)}`
        })
      })
    const name = page.locator(field('you.fullName'))
    /** Types, and leaves the field so that it is sent at once. */
    const type = async (text: string) => {
      await name.press(text)
      await name.blur()
    }
    await type('a')
    await page.locator(status('server')).waitFor()
    const before = await places()
    await takeShifts(page)
    const words = new Map([['server', await headline(page).innerText()]])
    const look = async (state: string) => {
      await page.locator(status(state)).waitFor()
      words.set(state, await headline(page).innerText())
      expect({ state, places: await places() }).toEqual({ state, places: before })
    }
    await flip(page, 'go-offline')
    await type('b')
    await look('offline')
    await flip(page, 'go-offline')
    await look('server')
    await flip(page, 'stop-server')
    await type('c')
    await look('waiting')
    await flip(page, 'stop-server')
    await flip(page, 'try-now')
    await look('server')
    expect([...words.keys()]).toEqual(['server', 'offline', 'waiting'])
    // Only the words themselves, which stand in the middle of their line.
    expect(await takeShifts(page)).toBeLessThan(0.005)
    await page.context().close()
  })

  test('a warning that nothing can be stored moves the page once, by its own lines', async () => {
    const context = await browser.newContext({ viewport: { width, height: 800 } })
    await context.addInitScript(watchShifts)
    await context.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }))
    const page = await context.newPage()
    await openApplication(page, demo.url, `risk-${width}`)
    await takeShifts(page)
    await page.locator(choice('start.isAdult', 'yes')).click()
    await page.locator(status('server-only')).waitFor()
    await flip(page, 'go-offline')
    await page.locator(choice('start.reason', 'new')).click()
    await page.locator(status('not-saved')).waitFor()
    expect(await takeShifts(page)).toBeLessThan(most)
    await context.close()
  })
})
