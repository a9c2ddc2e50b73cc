/** The demo's application on a Playwright page, filled in by someone with a partner, two children, a job and a rent. */
import { type Browser, chromium, firefox, type Locator, type Page } from 'playwright'
import { playwrightOptions, requireEngine } from '../support/browsers.ts'

export type PlaywrightEngine = 'chromium' | 'firefox'

/** The steps this applicant comes through, in order. */
export const path = [
  'start',
  'you',
  'partner',
  'children',
  'work',
  'pay',
  'home',
  'rent',
  'bank',
  'more',
  'review',
] as const
export type Step = (typeof path)[number] | 'business' | 'mortgage'

/** A browser of its own; every context in it is a device of its own. */
export function launchBrowser(
  engine: PlaywrightEngine,
  firefoxUserPrefs: Record<string, string | number | boolean> = {},
): Promise<Browser> {
  const options = playwrightOptions(engine, requireEngine(engine))
  return engine === 'chromium'
    ? chromium.launch(options)
    : firefox.launch({
        ...options,
        firefoxUserPrefs: { 'datareporting.policy.dataSubmissionEnabled': false, ...firefoxUserPrefs },
      })
}

export const field = (name: string) => `[name="${name}"]`
export const choice = (name: string, value: string) => `${field(name)}[value="${value}"]`
export const action = (name: string) => `[data-action="${name}"]`
export const status = (state: string) => `#status[data-state="${state}"]`

/** Waits until the step is shown. */
export const seeStep = (page: Page, step: Step | 'done') => page.locator(`[data-step="${step}"] h1`).waitFor()

export const see = (page: Page, selector: string, text: string | RegExp = /(?:)/): Promise<void> =>
  page.locator(selector).filter({ hasText: text }).filter({ visible: true }).first().waitFor()

export const press = (page: Page, name: string) =>
  page.locator(action(name)).filter({ visible: true }).first().click()

export const headline = (page: Page): Locator => page.locator('#status-headline')

/** Loads the page for an account; `at` names a step in the URL. */
export async function openApplication(page: Page, url: string, account: string, at?: string): Promise<void> {
  await page.goto(`${url}?account=${account}${at === undefined ? '' : `#${at}`}`)
  await page.locator('html[data-ready], dialog[open]').first().waitFor()
}

/** Finishes the step that is shown, as filled in, and waits for the one that follows. */
export async function goOn(page: Page, to: Step | 'done'): Promise<void> {
  await press(page, 'next')
  await seeStep(page, to)
}

/** As a deep link or a bookmark does: by the step in the URL. */
export async function jumpTo(page: Page, step: Step): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash
  }, step)
  await seeStep(page, step)
}

export async function addChild(page: Page, firstName: string, age: string): Promise<void> {
  await press(page, 'add')
  const item = page.locator('.item').last()
  await item.locator('[name$=".firstName"]').fill(firstName)
  await item.locator('[name$=".age"]').fill(age)
}

const texts = async (page: Page, step: Step, answers: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(answers)) await page.locator(field(`${step}.${name}`)).fill(text)
}

const fillers: { readonly [step in Step]: (page: Page) => Promise<unknown> } = {
  async start(page) {
    await page.locator(choice('start.isAdult', 'yes')).click()
    await page.locator(choice('start.reason', 'moved')).click()
  },
  async you(page) {
    await texts(page, 'you', { fullName: 'A. Applicant', email: 'someone@example.org' })
    await texts(page, 'you', { 'birth.day': '27', 'birth.month': '3', 'birth.year': '1984' })
    await page.locator(choice('you.household', 'partner')).click()
  },
  async partner(page) {
    await texts(page, 'partner', { fullName: 'P. Partner' })
    await texts(page, 'partner', { 'birth.day': '3', 'birth.month': '11', 'birth.year': '1986' })
    await page.locator(choice('partner.isWorking', 'no')).click()
  },
  async children(page) {
    await addChild(page, 'First', '7')
    await addChild(page, 'Second', '4')
  },
  work: (page) => page.locator(choice('work.situation', 'employed')).click(),
  pay: (page) => texts(page, 'pay', { employer: 'A company', monthly: '1,950.50' }),
  business: (page) => texts(page, 'business', { trade: 'Painting houses', monthly: '1,200' }),
  async home(page) {
    await texts(page, 'home', { street: '1 Long Street', town: 'Town', postcode: 'AB1 2CD' })
    await page.locator(choice('home.tenure', 'rent')).click()
  },
  async rent(page) {
    await texts(page, 'rent', { landlord: 'A landlord', amount: '800' })
    await page.locator(field('rent.every')).selectOption('month')
  },
  mortgage: (page) => texts(page, 'mortgage', { lender: 'A lender', monthly: '950' }),
  bank: (page) => texts(page, 'bank', { holder: 'A. Applicant', sortCode: '30 94 30', number: '12345678' }),
  more: (page) => texts(page, 'more', { notes: 'My work changes with the season.' }),
  review: (page) => page.locator(field('review.isTrue')).check(),
}

/** Answers every question of the step that is shown. */
export async function fillStep(page: Page, step: Step): Promise<void> {
  await fillers[step](page)
}

/** From a fresh application, or wherever on the path the page is, to `step`, everything before it filled in. */
export async function walkTo(
  page: Page,
  step: (typeof path)[number],
  from: (typeof path)[number] = 'start',
): Promise<void> {
  await seeStep(page, from)
  for (let i = path.indexOf(from); i < path.indexOf(step); i++) {
    await fillStep(page, path[i]!)
    await goOn(page, path[i + 1]!)
  }
}
