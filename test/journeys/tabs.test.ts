/** One application in two tabs and on two devices; the browser's own buttons; no connection, no server. */
import type { Browser, BrowserContext, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type DemoProcess, startDemoProcess } from '../support/demo-process.ts'
import { waitUntil } from '../support/webdriver.ts'
import {
  addChild,
  choice,
  field,
  fillStep,
  goOn,
  headline,
  jumpTo,
  launchBrowser,
  openApplication,
  press,
  see,
  seeStep,
  status,
  walkTo,
} from './application.ts'

let demo: DemoProcess
beforeAll(async () => {
  demo = await startDemoProcess()
})
afterAll(() => demo?.remove())

const onServer = (page: Page) => page.locator(status('server')).waitFor()
const onDevice = (page: Page) =>
  page.locator('#status:is([data-device="yes"], [data-device="strict"])').waitFor()

const textIn = (page: Page, name: string) => page.locator(field(name)).inputValue()

const seeValue = (page: Page, name: string, value: string) =>
  waitUntil(async () => {
    const shown = await textIn(page, name)
    if (shown !== value)
      throw new Error(`${name} shows ${JSON.stringify(shown)}, not ${JSON.stringify(value)}`)
    return true
  }, 10_000)

/** Where the caret is, and in what. */
const caret = (page: Page) =>
  page.evaluate(() => {
    const { name, selectionStart, selectionEnd, value } = document.activeElement as HTMLInputElement
    return { name, selectionStart, selectionEnd, value }
  })

const answersOf = async (account: string) => (await demo.sessions(account))[0]?.answers ?? {}

for (const engine of ['chromium', 'firefox'] as const) {
  describe(engine, () => {
    let browser: Browser
    const devices: BrowserContext[] = []
    beforeAll(async () => {
      browser = await launchBrowser(engine)
    })
    afterEach(async () => {
      // Whatever a failed test left: the switch is one for all.
      const body = JSON.stringify({ isStopped: false })
      await fetch(`${demo.url}demo/server`, { method: 'POST', body })
      for (const device of devices.splice(0)) await device.close()
    })
    afterAll(() => browser?.close())

    const newDevice = async () => {
      const device = await browser.newContext()
      devices.push(device)
      return device
    }
    const accountOf = (name: string) => `${name}-${engine}`
    const open = async (device: BrowserContext, account: string, at?: string) => {
      const page = await device.newPage()
      await openApplication(page, demo.url, account, at)
      return page
    }
    /** One more tab, past its question whether to continue. */
    const openAgain = async (device: BrowserContext, account: string, at?: string) => {
      const page = await open(device, account, at)
      await press(page, 'continue')
      await page.locator('html[data-ready]').waitFor()
      return page
    }

    test('typing in one tab appears in the other and leaves its caret alone', async () => {
      const account = accountOf('typing')
      const device = await newDevice()
      const one = await open(device, account)
      await walkTo(one, 'you')
      const two = await openAgain(device, account)
      await seeStep(two, 'you')

      await two.locator(field('you.phone')).focus()
      await two.keyboard.type('020 0000')
      for (let i = 0; i < 4; i++) await two.keyboard.press('ArrowLeft')
      const before = await caret(two)
      expect(before).toMatchObject({ name: 'you.phone', selectionStart: 4 })
      await one.locator(field('you.fullName')).pressSequentially('Ada Lovelace')
      await seeValue(two, 'you.fullName', 'Ada Lovelace')
      expect(await caret(two)).toEqual(before)
      await two.keyboard.type('7946 ')
      expect(await textIn(two, 'you.phone')).toBe('020 7946 0000')
      await seeValue(one, 'you.phone', '020 7946 0000')

      // Both in one field: what is under someone's caret stays as they see it.
      await one.locator(field('you.phone')).fill('030 1234')
      await onDevice(one)
      await seeValue(one, 'you.fullName', 'Ada Lovelace')
      expect(await caret(two)).toMatchObject({ name: 'you.phone', value: '020 7946 0000', selectionStart: 9 })
    })

    test('a tab that went back stays there while the other types', async () => {
      const account = accountOf('back')
      const device = await newDevice()
      const one = await open(device, account)
      await walkTo(one, 'you')
      const two = await openAgain(device, account)
      await seeStep(two, 'you')
      await press(two, 'back')
      await seeStep(two, 'start')
      await one.locator(field('you.fullName')).pressSequentially('Ada')
      await one.locator(choice('you.household', 'partner')).click()
      await two.locator('[data-for="partner"][data-step-state="todo"]').waitFor()
      await seeStep(two, 'start')
      expect(new URL(two.url()).hash).toBe('#start')
      expect(await two.locator('.notice').isVisible()).toBe(false)
    })

    test('Back, Forward, reload and deep links move between steps', async () => {
      const account = accountOf('history')
      const device = await newDevice()
      const page = await open(device, account)
      await walkTo(page, 'partner')
      await page.goBack()
      await seeStep(page, 'you')
      expect(await page.title()).toBe('About you – Housing support')
      expect(await page.locator('h1').evaluate((one) => one === document.activeElement)).toBe(true)
      await page.goBack()
      await seeStep(page, 'start')
      await page.goForward()
      await seeStep(page, 'you')
      await page.goForward()
      await seeStep(page, 'partner')
      expect(new URL(page.url()).hash).toBe('#partner')

      await page.locator(field('partner.fullName')).pressSequentially('Half a wo')
      await onDevice(page)
      await page.reload()
      await seeStep(page, 'partner')
      expect(await textIn(page, 'partner.fullName')).toBe('Half a wo')
      expect(await page.locator('dialog').count()).toBe(0)
      await page.goBack()
      await seeStep(page, 'you')
      await page.goForward()
      await seeStep(page, 'partner')

      await jumpTo(page, 'start')
      await page.evaluate(() => {
        location.hash = 'bank'
      })
      await waitUntil(() => new URL(page.url()).hash === '#start', 5_000)
      await seeStep(page, 'start')

      const visited = await openAgain(device, account, 'you')
      await seeStep(visited, 'you')
      expect(await visited.locator('.notice').isVisible()).toBe(false)
      const unvisited = await openAgain(device, account, 'bank')
      await waitUntil(() => new URL(unvisited.url()).hash !== '#bank', 5_000)
      expect(await unvisited.locator('[data-step="bank"]').count()).toBe(0)
      const hash = new URL(unvisited.url()).hash.slice(1)
      await seeStep(unvisited, hash as 'partner')
      expect(['start', 'you', 'partner']).toContain(hash)
    })

    test('no URL ever holds an answer', async () => {
      const account = accountOf('urls')
      const page = await (await newDevice()).newPage()
      const urls: string[] = []
      page.on('framenavigated', (frame) => urls.push(frame.url()))
      page.on('request', (request) => urls.push(request.url()))
      await openApplication(page, demo.url, account)
      await walkTo(page, 'partner')
      await page.locator(field('partner.fullName')).pressSequentially('Quodlibet')
      await onServer(page)
      await press(page, 'next')
      await see(page, '#error-summary')
      await page.locator('#error-summary a').first().click()
      urls.push(page.url())
      const secrets = ['Applicant', 'someone', 'example.org', '1984', 'Quodlibet', 'moved', 'fullName']
      expect(
        urls.filter((url) => secrets.some((secret) => decodeURIComponent(url).includes(secret))),
      ).toEqual([])
      expect(urls.map((url) => new URL(url).hash)).toEqual(expect.arrayContaining(['#you', '#partner']))
    })

    test('what was entered offline arrives once', async () => {
      const account = accountOf('offline')
      const page = await open(await newDevice(), account)
      await walkTo(page, 'children')
      await onServer(page)
      const before = await answersOf(account)
      await press(page, 'go-offline')
      await addChild(page, 'First', '7')
      await addChild(page, 'Second', '4')
      await goOn(page, 'work')
      await fillStep(page, 'work')
      await page.locator(status('offline')).waitFor()
      expect(await headline(page).innerText()).toBe('Offline: saved on this device, will be sent')
      expect(await answersOf(account)).toEqual(before)
      await press(page, 'go-offline')
      await onServer(page)
      expect(await headline(page).innerText()).toBe('Saved on this device and on the server')
      expect(await demo.sessions(account)).toHaveLength(1)
      expect(await answersOf(account)).toMatchObject({
        children: [
          { firstName: 'First', age: '7' },
          { firstName: 'Second', age: '4' },
        ],
        work: { situation: 'employed' },
      })
    })

    test('a stopped server is said, tried again and caught up with', async () => {
      const account = accountOf('stopped')
      const page = await open(await newDevice(), account)
      await walkTo(page, 'you')
      await onServer(page)
      await press(page, 'stop-server')
      await page.locator(field('you.fullName')).fill('Ada')
      await page.locator(field('you.fullName')).blur()
      await page.locator(status('waiting')).waitFor()
      expect(await headline(page).innerText()).toBe('Saved on this device')
      expect(await page.locator('#status-detail').innerText()).toMatch(/^Waiting to retry in \d+ s$/)
      await press(page, 'stop-server')
      await press(page, 'try-now')
      await onServer(page)
      expect(await answersOf(account)).toMatchObject({ you: { fullName: 'Ada' } })
      expect(await demo.sessions(account)).toHaveLength(1)
    })

    test('a second device goes on, and what both wrote can be had back', async () => {
      const account = accountOf('devices')
      const here = await open(await newDevice(), account)
      await walkTo(here, 'you')
      await here.locator(field('you.fullName')).fill('Ada')
      await here.locator(field('you.fullName')).blur()
      await onServer(here)
      const there = await open(await newDevice(), account)
      await see(there, `[data-for="you"]`)
      await jumpTo(there, 'you')
      await seeValue(there, 'you.fullName', 'Ada')

      await press(here, 'go-offline')
      await here.locator(field('you.fullName')).fill('Ada Lovelace')
      await here.locator(field('you.email')).fill('ada@example.org')
      await here.locator(field('you.email')).blur()
      await here.locator(status('offline')).waitFor()
      await there.locator(field('you.fullName')).fill('A. Byron')
      await there.locator(field('you.fullName')).blur()
      await onServer(there)
      await press(here, 'go-offline')
      await see(here, '.offer[data-conflict] h2', 'Written in two places: Full name')
      await see(here, '.offer[data-conflict]', 'Ada Lovelace')
      await seeValue(here, 'you.fullName', 'A. Byron')
      expect(await textIn(here, 'you.email')).toBe('ada@example.org')
      await press(here, 'restore')
      await here.locator('.offer').waitFor({ state: 'detached' })
      await seeValue(here, 'you.fullName', 'Ada Lovelace')
      await onServer(here)
      expect(await answersOf(account)).toMatchObject({
        you: { fullName: 'Ada Lovelace', email: 'ada@example.org' },
      })
      expect(await demo.sessions(account)).toHaveLength(1)
    })

    test('one list on two devices goes together, and one item’s other value can be had back', async () => {
      const account = accountOf('list')
      const here = await open(await newDevice(), account)
      await walkTo(here, 'children')
      await fillStep(here, 'children')
      await here.locator('h1').click()
      await onServer(here)
      const there = await open(await newDevice(), account)
      await jumpTo(there, 'children')
      const ages = (page: Page) => page.locator('.item [name$=".age"]')
      const names = (page: Page) =>
        page
          .locator('.item [name$=".firstName"]')
          .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value))
      await press(here, 'go-offline')
      await ages(here).nth(1).fill('5')
      await addChild(here, 'Third', '2')
      await here.locator('h1').click()
      await here.locator(status('offline')).waitFor()
      await ages(there).nth(1).fill('6')
      await there.locator('.item').first().locator('[data-action="remove"]').click()
      await onServer(there)
      await press(here, 'go-offline')
      await see(here, '.offer[data-conflict] h2', 'Age in years, Child 1')
      expect(await names(here)).toEqual(['Second', 'Third'])
      await onServer(here)
      await there.reload()
      await see(there, '.offer[data-conflict] h2', 'Age in years, Child 1')
      await press(there, 'restore')
      await there.locator('.offer').waitFor({ state: 'detached' })
      await onServer(there)
      await here.reload()
      await here.locator('.offer').waitFor({ state: 'detached' })
      expect(await answersOf(account)).toMatchObject({
        children: [
          { firstName: 'Second', age: '5' },
          { firstName: 'Third', age: '2' },
        ],
      })
    })

    test('what was entered elsewhere after an application was sent begins another', async () => {
      const account = accountOf('fork')
      const here = await open(await newDevice(), account)
      await walkTo(here, 'review')
      await onServer(here)
      const there = await open(await newDevice(), account)
      await jumpTo(there, 'review')
      await jumpTo(here, 'more')
      await press(here, 'go-offline')
      await here.locator(field('more.notes')).fill('Too late.')
      await here.locator(field('more.notes')).blur()
      await here.locator(status('offline')).waitFor()
      await fillStep(there, 'review')
      await goOn(there, 'done')
      await see(there, 'h1', 'Application received')
      await press(here, 'go-offline')
      await seeStep(here, 'done')
      await see(here, '.offer[data-fork] h2', /Already sent on \w+ \d+ \w+ at \d\d:\d\d/)
      await see(here, '.offer[data-fork] li', 'Anything else: “Too late.”')
      await press(here, 'start-fork')
      await seeStep(here, 'start')
      await jumpTo(here, 'start')
      expect(await here.locator(choice('start.reason', 'moved')).isChecked()).toBe(true)
      await onServer(here)
      const applications = await demo.sessions(account)
      expect(applications.map(({ status: now }) => now).sort()).toEqual(['done', 'running'])
      const [begun] = applications.filter(({ status: now }) => now === 'running')
      expect(begun?.answers).toMatchObject({ more: { notes: 'Too late.' } })
    })

    test('a sent application is sent in every tab, and nobody else sees it', async () => {
      const account = accountOf('sent')
      const device = await newDevice()
      const one = await open(device, account)
      await walkTo(one, 'review')
      const two = await openAgain(device, account)
      await seeStep(two, 'review')
      await fillStep(one, 'review')
      await goOn(one, 'done')
      await see(one, 'h1', 'Application received')
      await see(two, 'h1', 'Application received')
      expect(await two.locator('#reference').innerText()).toBe(await one.locator('#reference').innerText())
      const [{ status: sent } = { status: '' }, ...more] = await demo.sessions(account)
      expect({ sent, more }).toEqual({ sent: 'done', more: [] })

      const stranger = accountOf('stranger')
      const other = await open(device, stranger)
      await seeStep(other, 'start')
      expect(await other.locator('dialog').count()).toBe(0)
      expect(await other.locator('input:checked').count()).toBe(0)
      expect(await headline(other).innerText()).toBe('Nothing to save yet')
      expect(await demo.sessions(stranger)).toEqual([])
    })
  })
}
