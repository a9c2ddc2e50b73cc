/** Every state the demo's pages can be seen in, one after the other; whoever tours says what to look at in each. */
import type { Browser, BrowserContextOptions, Page } from 'playwright'
import {
  action,
  choice,
  field,
  fillStep,
  goOn,
  jumpTo,
  openApplication,
  path,
  press,
  see,
  seeStep,
  status,
} from './application.ts'

export interface Tour {
  readonly browser: Browser
  readonly url: string
  readonly account: string
  readonly context: BrowserContextOptions
  /** Runs in every page before its own scripts. */
  readonly init?: () => void
  readonly look: (page: Page, state: string) => Promise<void>
}

/** The wizard from its first step to the receipt, with what can come between. */
export async function tourWizard({ browser, url, account, context, init, look }: Tour): Promise<void> {
  const device = await browser.newContext(context)
  const other = await browser.newContext(context)
  try {
    if (init !== undefined) for (const one of [device, other]) await one.addInitScript(init)
    const page = await device.newPage()
    const wrong = async (state: string) => {
      await press(page, 'next')
      await see(page, '#error-summary')
      await look(page, `${state}, with errors`)
    }
    await openApplication(page, url, account)
    for (const [i, step] of path.entries()) {
      await seeStep(page, step)
      await look(page, step)
      if (step === 'children') {
        await press(page, 'add')
        await look(page, 'children, one')
        await wrong('children, one')
        await press(page, 'remove')
      } else if (step === 'more') {
        await page.locator(field('more.notes')).fill('too long '.repeat(500))
        await wrong(step)
        await press(page, 'next')
      } else await wrong(step)
      if (step === 'review') break
      if (step === 'work' || step === 'home') {
        const [question, answer, branch] =
          step === 'work'
            ? (['work.situation', 'self-employed', 'business'] as const)
            : (['home.tenure', 'own', 'mortgage'] as const)
        await fillStep(page, step)
        await page.locator(choice(question, answer)).click()
        await goOn(page, branch)
        await look(page, branch)
        await wrong(branch)
        await press(page, 'back')
        await seeStep(page, step)
      }
      await fillStep(page, step)
      if (step === 'children') await look(page, 'children, two')
      await goOn(page, path[i + 1]!)
    }
    await tourReview(page, look)
    await tourConnection(page, look)

    const phone = await other.newPage()
    await openApplication(phone, url, account)
    await tourConflict(page, phone, look)
    await phone.close()

    // Loaded anew: for a second after a jump, the page takes every move for its answer.
    await jumpTo(page, 'pay')
    await page.reload()
    await seeStep(page, 'pay')
    const tab = await device.newPage()
    await openApplication(tab, url, account)
    await see(tab, 'dialog [data-resume="step"]')
    await look(tab, 'resume dialog')
    await press(tab, 'start-over')
    await see(tab, action('confirm-start-over'))
    await look(tab, 'resume dialog, start over')
    await press(tab, 'cancel-start-over')
    await press(tab, 'continue')
    await seeStep(tab, 'pay')
    await tourOtherTab(page, tab, look)
    await tab.close()

    await tourEnd(page, look)
  } finally {
    await device.close()
    await other.close()
  }
}

async function tourReview(page: Page, look: Tour['look']): Promise<void> {
  await page.locator('[data-change="children"]').click()
  await seeStep(page, 'children')
  await press(page, 'remove')
  await press(page, 'remove')
  await goOn(page, 'review')
  await look(page, 'review, no children')
  await press(page, 'begin-again')
  await see(page, 'dialog')
  await look(page, 'start over')
  await press(page, 'cancel-start-over')
}

async function tourConnection(page: Page, look: Tour['look']): Promise<void> {
  await page.locator('[data-change="more"]').click()
  await seeStep(page, 'more')
  await press(page, 'go-offline')
  await note(page, 'Written offline.')
  await page.locator(status('offline')).waitFor()
  await look(page, 'offline')
  await press(page, 'go-offline')
  await page.locator(status('server')).waitFor()
  await look(page, 'saved on the server')

  await press(page, 'stop-server')
  await note(page, 'Written while the server was stopped.')
  await page.locator(status('waiting')).waitFor()
  await look(page, 'server stopped')
  await press(page, 'stop-server')
  await press(page, 'try-now')
  await page.locator(status('server')).waitFor()

  await note(page, 'x'.repeat(1_100_000))
  await page.locator(status('not-saved')).waitFor()
  await look(page, 'refused')

  await refusePushes(page)
  await note(page, 'Written for a server that does not want it.')
  await page.locator(`[data-parked]`).waitFor()
  await look(page, 'parked')
  await acceptPushes(page)
  await press(page, 'discard')
  await page.locator('[data-parked]').waitFor({ state: 'detached' })
  await page.waitForFunction(
    (selector) =>
      document.querySelector<HTMLTextAreaElement>(selector)?.value ===
      'Written while the server was stopped.',
    field('more.notes'),
  )
  await page.locator(status('server')).waitFor()
  await note(page, 'Written once more.')
  await page.locator(status('server')).waitFor()
}

/** Writes notes and leaves the field, so that they are sent at once. */
async function note(page: Page, text: string): Promise<void> {
  const notes = page.locator(field('more.notes'))
  await notes.fill(text)
  await notes.blur()
}

/**
 * The server's answer to changes it does not want, as `waymark/server` words it, until `acceptPushes`. In the page
 * itself: Playwright does not see what Firefox posts.
 */
export const refusePushes = (page: Page) =>
  page.evaluate(() => {
    const accept = fetch
    const refuse = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
      if (!(input instanceof Request) || !input.url.endsWith('/waymark/sync')) return accept(input, init)
      const { protocol, items } = (await input.json()) as {
        protocol: number
        items: readonly { session: string }[]
      }
      const issues = [{ step: 'more', path: '/notes', message: 'Not accepted today' }]
      const refused = items.map(({ session }) => ({
        type: 'rejected',
        session,
        reason: 'step-invalid',
        issues,
      }))
      return Response.json({ protocol, now: Date.now(), items: refused })
    }
    Object.assign(window, { fetch: refuse, accept })
  })

export const acceptPushes = (page: Page) =>
  page.evaluate(() => {
    window.fetch = (window as unknown as { accept: typeof fetch }).accept
  })

async function tourConflict(page: Page, phone: Page, look: Tour['look']): Promise<void> {
  await seeStep(phone, 'more')
  await press(page, 'go-offline')
  await note(page, 'Here it says one thing.')
  await page.locator(status('offline')).waitFor()
  await note(phone, 'There it says another.')
  await phone.locator(status('server')).waitFor()
  await press(page, 'go-offline')
  await see(page, '.offer[data-conflict]')
  await look(page, 'conflict')
  await press(page, 'keep')
  await page.locator('.offer').waitFor({ state: 'detached' })
  await goOn(page, 'review')
  await page.locator(status('server')).waitFor()
}

/** A tab is on a step when another takes that step away. */
async function tourOtherTab(page: Page, tab: Page, look: Tour['look']): Promise<void> {
  await jumpTo(tab, 'work')
  await tab.locator(choice('work.situation', 'none')).click()
  await see(page, '.notice')
  await look(page, 'moved by another tab')
  await tab.locator(choice('work.situation', 'employed')).click()
  await page.locator(`${choice('work.situation', 'employed')}:checked`).waitFor()
  await jumpTo(page, 'review')
  await fillStep(page, 'review')
  await press(page, 'next')
  await seeStep(page, 'work')
  await see(page, '.notice', 'not finished yet')
  await look(page, 'blocked')
  await goOn(page, 'pay')
}

async function tourEnd(page: Page, look: Tour['look']): Promise<void> {
  await jumpTo(page, 'review')
  await press(page, 'go-offline')
  await goOn(page, 'done')
  await see(page, 'h1', 'not sent yet')
  await look(page, 'done, not sent')
  await press(page, 'go-offline')
  await see(page, 'h1', 'Application received')
  await look(page, 'done')
}

/** Storage is missing: what is typed lives in the page. */
export async function tourAtRisk({ browser, url, account, context, init, look }: Tour): Promise<void> {
  const device = await browser.newContext(context)
  try {
    if (init !== undefined) await device.addInitScript(init)
    await device.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }))
    const page = await device.newPage()
    await openApplication(page, url, account)
    await press(page, 'go-offline')
    await page.locator(choice('start.isAdult', 'yes')).click()
    await page.locator(status('not-saved')).waitFor()
    await look(page, 'at risk, nowhere')
    await press(page, 'go-offline')
    await page.locator(status('server-only')).waitFor()
    await look(page, 'at risk, on the server')
    await page.goto(`${url}react/`)
    await page.getByLabel('Full name').pressSequentially('A.')
    await see(page, '[role="alert"]')
    await look(page, 'card: at risk')
  } finally {
    await device.close()
  }
}

/** The small demo in React. */
export async function tourCard({ browser, url, context, init, look }: Tour): Promise<void> {
  const device = await browser.newContext(context)
  try {
    if (init !== undefined) await device.addInitScript(init)
    const page = await device.newPage()
    const go = (name: string) => page.getByRole('button', { name, exact: true }).click()
    // Key by key: React overlooks a value that Playwright sets in Firefox.
    const type = (label: string, text: string) => page.getByLabel(label).pressSequentially(text)
    await page.goto(`${url}react/`)
    await see(page, 'h1', 'About you')
    await look(page, 'card: you')
    await go('Continue')
    await see(page, '[aria-invalid="true"]')
    await look(page, 'card: you, with errors')
    await type('Full name', 'A. Reader')
    await type('Email address', 'reader@example.org')
    await go('Continue')
    await see(page, 'h1', 'Your card')
    await look(page, 'card: card')
    await page.reload()
    await see(page, 'h1', 'Continue where you left off')
    await look(page, 'card: resume')
    await go('Continue')
    await type('The library you use most', 'Ashford')
    await go('Continue')
    await see(page, 'h1', 'Check your answers')
    await look(page, 'card: review')
    await go('Send')
    await see(page, 'h1', 'Thank you')
    await look(page, 'card: done')
  } finally {
    await device.close()
  }
}
