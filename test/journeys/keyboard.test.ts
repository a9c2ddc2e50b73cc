/** The whole application with the keyboard alone, and what someone hears who does not see it. */
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DemoProcess, startDemoProcess } from '../support/demo-process.ts'
import { action, choice, field, launchBrowser, openApplication, see, seeStep, status } from './application.ts'

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

/** Someone who has no mouse. */
function handsOn(page: Page) {
  const { keyboard } = page
  const isFocused = (selector: string) =>
    page.evaluate((given) => document.activeElement?.matches(given) ?? false, selector)
  const hands = {
    isFocused,
    press: (key: string) => keyboard.press(key),
    /** Tab, or Shift+Tab, until the element has the focus. */
    async tabTo(selector: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
      for (let presses = 0; presses < 40; presses++) {
        await keyboard.press(key)
        if (await isFocused(selector)) return
      }
      throw new Error(`${key} does not lead to ${selector}`)
    },
    async type(name: string, text: string): Promise<void> {
      await hands.tabTo(field(name))
      await keyboard.type(text)
    },
    /** Tab to the group, Space on its first, arrows to the others. */
    async choose(name: string, value: string): Promise<void> {
      await hands.tabTo(`${field(name)}[type="radio"]`)
      await keyboard.press('Space')
      for (let presses = 0; presses < 5; presses++) {
        if (await isFocused(`${choice(name, value)}:checked`)) return
        await keyboard.press('ArrowDown')
      }
      throw new Error(`Arrows do not lead to ${value}`)
    },
    async go(name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
      await hands.tabTo(action(name), key)
      await keyboard.press('Enter')
    },
    /** A step has just come: its heading has the focus and the title says where one is. */
    async arriveAt(step: string, heading: string): Promise<void> {
      await page.locator(`[data-step="${step}"] h1`, { hasText: heading }).waitFor()
      expect({ step, isFocused: await isFocused('h1') }).toEqual({ step, isFocused: true })
      expect(await page.title()).toBe(`${heading} – Housing support`)
    },
    /** Goes on without answering: the summary has the focus, and each of its links leads to its field. */
    async goWrong(heading: string, fields: readonly string[]): Promise<void> {
      await hands.go('next')
      await page.locator('#error-summary').waitFor()
      expect(await isFocused('#error-summary')).toBe(true)
      expect(await page.title()).toBe(`Error: ${heading} – Housing support`)
      const links = await page.locator('#error-summary a').allInnerTexts()
      expect(links).toHaveLength(fields.length)
      for (const [i, name] of fields.entries()) {
        await hands.tabTo(`#error-summary li:nth-child(${i + 1}) a`, i === 0 ? 'Tab' : 'Shift+Tab')
        await keyboard.press('Enter')
        const described = await page.evaluate(() => {
          const at = document.activeElement as HTMLInputElement
          const holder = at.closest('[aria-describedby]')
          const ids = holder?.getAttribute('aria-describedby')?.split(' ') ?? []
          return {
            name: at.name,
            isInvalid: holder?.getAttribute('aria-invalid'),
            text: ids.map((id) => document.getElementById(id)?.textContent ?? `nothing is ${id}`).join(' '),
          }
        })
        expect(described).toMatchObject({ name, isInvalid: 'true' })
        expect(described.text).toContain(`Error: ${links[i]!.replace(/^Child \d+: /, '')}`)
      }
    },
  }
  return hands
}

describe('the keyboard alone', () => {
  test('leads through the whole application', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await openApplication(page, demo.url, 'keys')
    const hands = handsOn(page)
    await seeStep(page, 'start')
    await hands.press('Tab')
    expect(await hands.isFocused('#skip')).toBe(true)
    await hands.press('Enter')
    await hands.arriveAt('start', 'Before you start')
    await hands.goWrong('Before you start', ['start.isAdult', 'start.reason'])
    await hands.tabTo('#error-summary li:first-child a', 'Shift+Tab')
    await hands.press('Enter')
    await hands.press('Space')
    await hands.choose('start.reason', 'changed')
    await hands.go('next')

    await hands.arriveAt('you', 'About you')
    await hands.goWrong('About you', ['you.fullName', 'you.birth.day', 'you.email', 'you.household'])
    await hands.tabTo(field('you.fullName'), 'Shift+Tab')
    await page.keyboard.type('A. Applicant')
    await hands.type('you.birth.day', '27')
    await hands.type('you.birth.month', '3')
    await hands.type('you.birth.year', '1984')
    await hands.type('you.email', 'someone@example.org')
    await hands.choose('you.household', 'partner')
    await hands.go('next')

    await hands.arriveAt('partner', 'Your partner')
    await hands.go('back')
    await hands.arriveAt('you', 'About you')
    await hands.go('next')
    await hands.arriveAt('partner', 'Your partner')
    await hands.type('partner.fullName', 'P. Partner')
    await hands.type('partner.birth.day', '3')
    await hands.type('partner.birth.month', '11')
    await hands.type('partner.birth.year', '1986')
    await hands.choose('partner.isWorking', 'no')
    await hands.go('next')

    await hands.arriveAt('children', 'Children who live with you')
    await hands.go('add')
    expect(await hands.isFocused('.item:nth-child(1) [name$=".firstName"]')).toBe(true)
    await page.keyboard.type('First')
    await hands.press('Tab')
    await page.keyboard.type('7')
    await hands.go('add')
    expect(await hands.isFocused('.item:nth-child(2) [name$=".firstName"]')).toBe(true)
    await hands.go('remove')
    expect(await hands.isFocused(action('add'))).toBe(true)
    expect(await page.locator('.item').count()).toBe(1)
    await hands.go('next')

    await hands.arriveAt('work', 'Your work')
    await hands.choose('work.situation', 'employed')
    await hands.go('next')
    await hands.arriveAt('pay', 'Your pay')
    await hands.type('pay.employer', 'A company')
    await hands.type('pay.monthly', '1950')
    await hands.press('Enter') // in a field, as everywhere on the web
    await hands.arriveAt('home', 'Your home')
    await hands.type('home.street', '1 Long Street')
    await hands.type('home.town', 'Town')
    await hands.type('home.postcode', 'AB1 2CD')
    await hands.choose('home.tenure', 'rent')
    await hands.go('next')
    await hands.arriveAt('rent', 'Your rent')
    await hands.type('rent.landlord', 'A landlord')
    await hands.type('rent.amount', '800')
    await hands.tabTo(field('rent.every'))
    await hands.press('ArrowDown')
    await hands.press('ArrowDown')
    await hands.go('next')
    await hands.arriveAt('bank', 'Where to pay you')
    await hands.type('bank.holder', 'A. Applicant')
    await hands.type('bank.sortCode', '309430')
    await hands.type('bank.number', '12345678')
    await hands.go('next')
    await hands.arriveAt('more', 'Anything else')
    await hands.go('skip')

    await hands.arriveAt('review', 'Check your answers')
    await hands.tabTo('[data-change="pay"]')
    await hands.press('Enter')
    await hands.arriveAt('pay', 'Your pay')
    await hands.go('next')
    await hands.arriveAt('review', 'Check your answers')
    await hands.tabTo(field('review.isTrue'))
    await hands.press('Space')
    await hands.go('next')
    await see(page, 'h1', 'Application received')
    await hands.arriveAt('done', 'Application received')

    const [{ submission } = { submission: undefined }] = await demo.sessions('keys')
    expect(submission?.answers).toMatchObject({ pay: { monthly: '1950' }, rent: { every: 'month' } })
    await context.close()
  })

  test('stays inside a dialog and comes back to where it was', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await openApplication(page, demo.url, 'dialogs')
    const hands = handsOn(page)
    await hands.choose('start.isAdult', 'yes')
    await page.locator('#status[data-device="yes"], #status[data-device="strict"]').waitFor()
    const expectTrapped = async (keyed: ReturnType<typeof handsOn>, of: Page) => {
      const visited = new Set<string>()
      for (const key of ['Tab', 'Tab', 'Tab', 'Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab']) {
        await keyed.press(key)
        // Between the last button and the first, the focus is on the browser itself: the page's body.
        visited.add(
          await of.evaluate(() => {
            const at = document.activeElement
            if (at === null || at === document.body) return 'browser'
            return at.closest('dialog:modal') === null
              ? `outside: ${at.outerHTML.slice(0, 60)}`
              : at.textContent!
          }),
        )
      }
      return visited
    }

    await hands.go('begin-again')
    await page.locator('dialog').waitFor()
    expect(await hands.isFocused(action('cancel-start-over'))).toBe(true)
    const inStartOver = await expectTrapped(hands, page)
    inStartOver.delete('browser')
    expect([...inStartOver].sort()).toEqual(['Clear and start over', 'Keep my answers'])
    await hands.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
    expect(await hands.isFocused(action('begin-again'))).toBe(true)
    expect(await page.locator(choice('start.isAdult', 'yes')).isChecked()).toBe(true)

    const tab = await context.newPage()
    await openApplication(tab, demo.url, 'dialogs')
    const there = handsOn(tab)
    await tab.locator('dialog').waitFor()
    expect(await there.isFocused(action('continue'))).toBe(true)
    const inResume = await expectTrapped(there, tab)
    inResume.delete('browser')
    expect([...inResume].sort()).toEqual(['Continue', 'Start over'])
    await there.tabTo(action('start-over'))
    await there.press('Enter')
    await tab.locator(action('cancel-start-over')).waitFor()
    await there.press('Enter')
    await tab.locator(action('cancel-start-over')).waitFor({ state: 'detached' })
    expect(await there.isFocused(action('start-over'))).toBe(true)
    await there.go('continue', 'Shift+Tab')
    await there.arriveAt('start', 'Before you start')
    expect(await tab.locator(choice('start.isAdult', 'yes')).isChecked()).toBe(true)
    await context.close()
  })
})

type Listening = typeof globalThis & { heard: { at: number; text: string }[] }

/** Notes what the live region of the status says. */
function listen(): void {
  const page = globalThis as Listening
  page.heard = []
  document.addEventListener('DOMContentLoaded', () => {
    const region = document.getElementById('live-status')!
    new MutationObserver(() => {
      page.heard.push({ at: performance.now(), text: region.textContent! })
    }).observe(region, { childList: true, characterData: true, subtree: true })
  })
}

describe('what is announced', () => {
  test('once per change of status, and at most once in ten seconds of typing', async () => {
    const context = await browser.newContext()
    await context.addInitScript(listen)
    const page = await context.newPage()
    await openApplication(page, demo.url, 'listener')
    const heard = () => page.evaluate(() => (globalThis as Listening).heard)
    const toggle = (name: string) =>
      page.evaluate((selector) => document.querySelector<HTMLElement>(selector)!.click(), action(name))
    const hands = handsOn(page)
    await hands.choose('start.isAdult', 'yes')
    await hands.choose('start.reason', 'new')
    await hands.go('next')
    await seeStep(page, 'you')
    await page.locator(status('server')).waitFor()
    await page.waitForFunction(() => (globalThis as Listening).heard.length > 0)
    expect((await heard()).map(({ text }) => text)).toEqual(['Saved on this device and on the server.'])

    // Sixty keys, the connection going and coming meanwhile: long enough apart for each change to settle.
    await hands.tabTo(field('you.fullName'))
    for (let key = 0; key < 60; key++) {
      if (key % 20 === 10) await toggle('go-offline')
      await page.keyboard.type('abcdefghij'[key % 10]!, { delay: 90 })
    }
    const whileTyping = await heard()
    expect(whileTyping.length).toBeLessThanOrEqual(2)
    await page.waitForFunction(
      () => (globalThis as Listening).heard.at(-1)?.text.startsWith('Offline') === true,
      undefined,
      { timeout: 15_000 },
    )
    const all = await heard()
    all.slice(1).forEach(({ at }, i) => {
      expect(at - all[i]!.at).toBeGreaterThan(9_900)
    })
    all.slice(1).forEach(({ text }, i) => {
      expect(text).not.toBe(all[i]!.text)
    })
    await context.close()
  })

  test('is polite, and not the whole status line with its seconds', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await openApplication(page, demo.url, 'polite')
    const live = await page
      .locator('[role="status"], [role="alert"], [aria-live]')
      .evaluateAll((all) =>
        all.map((one) => [one.id, one.getAttribute('role'), one.getAttribute('aria-live')]),
      )
    expect(live.filter(([, role]) => role !== 'alert')).toEqual([
      ['live-status', 'status', null],
      ['live-news', 'status', null],
    ])
    expect(
      await page.locator('#status').evaluate((one) => one.closest('[aria-live], [role="status"]') === null),
    ).toBe(true)
    await context.close()
  })
})
