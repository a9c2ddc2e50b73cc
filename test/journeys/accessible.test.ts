/**
 * Every state of the demo as axe sees it, light and dark, and at 320 px, in one tour per engine. Chromium changes its
 * colours on demand; Firefox under Playwright keeps those it was launched with, so it tours in the dark.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DemoProcess, startDemoProcess } from '../support/demo-process.ts'
import { launchBrowser } from './application.ts'
import { type Tour, tourAtRisk, tourCard, tourWizard } from './tour.ts'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let demo: DemoProcess
beforeAll(async () => {
  demo = await startDemoProcess()
})
afterAll(() => demo?.remove())

interface Seen {
  readonly state: string
  readonly axe: readonly string[]
  /** How far it can be scrolled sideways at 320 px. */
  readonly scrolls: number
  readonly stickingOut: readonly string[]
  readonly moving: readonly string[]
}

type Watched = typeof globalThis & { axe: { run(options: RunOptions): Promise<AxeResults> }; moved: string[] }

/** Notes every animation and transition that starts. */
function watchMotion(): void {
  const page = globalThis as Watched
  page.moved = []
  for (const type of ['transitionrun', 'animationstart'])
    document.addEventListener(
      type,
      ({ target }) => page.moved.push(`${type} ${(target as Element).className}`),
      true,
    )
}

async function runAxe(page: Page, options: RunOptions): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource)
  return page.evaluate(async (given) => {
    const { violations, incomplete } = await (globalThis as Watched).axe.run(given)
    const lines = (results: typeof violations, word: string) =>
      results.flatMap(({ id, nodes }) =>
        nodes.map(({ target, any }) => `${word}${id}: ${target} ${any[0]?.message ?? ''}`),
      )
    // What is scrolled under something, and the demo's switches on nearly black stripes, axe cannot work out.
    const undecided = lines(incomplete, 'undecided ').filter(
      (line) => !/overlap|aside > h2|action="(go-offline|stop-server)"/.test(line),
    )
    return [...lines(violations, ''), ...undecided]
  }, options)
}

const everything: RunOptions = { rules: { 'target-size': { enabled: true } } }
const colours: RunOptions = { runOnly: ['color-contrast', 'link-in-text-block'] }

async function lookAt(page: Page, state: string, isDarkToo: boolean): Promise<Seen> {
  const axe = await runAxe(page, everything)
  if (isDarkToo) {
    await page.emulateMedia({ colorScheme: 'dark' })
    axe.push(...(await runAxe(page, colours)).map((line) => `dark: ${line}`))
    await page.emulateMedia({ colorScheme: 'light' })
  }
  const size = page.viewportSize()!
  await page.setViewportSize({ width: 320, height: 640 })
  const narrow = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    const all = [...document.querySelectorAll<HTMLElement>('body *:not(.unseen, .unseen *)')]
    const stickingOut = all.filter((one) => {
      const { left, right, width } = one.getBoundingClientRect()
      return width > 0 && (right > clientWidth + 0.5 || left < -0.5)
    })
    return {
      scrolls: scrollWidth - clientWidth,
      stickingOut: stickingOut.map(
        (one) => `${one.tagName.toLowerCase()}.${one.className} ${one.textContent?.slice(0, 30)}`,
      ),
    }
  })
  await page.setViewportSize(size)
  const moving = await page.evaluate(() => [
    ...(globalThis as Watched).moved.splice(0),
    ...document.getAnimations().map(({ playState }) => `getAnimations: ${playState}`),
    ...(getComputedStyle(document.documentElement).scrollBehavior === 'smooth' ? ['smooth scrolling'] : []),
  ])
  return { state, axe, ...narrow, moving }
}

const only = <T>(seen: readonly Seen[], pick: (one: Seen) => T, isFine: (picked: T) => boolean) =>
  Object.fromEntries(
    seen.map((one) => [one.state, pick(one)] as const).filter(([, picked]) => !isFine(picked)),
  )

for (const engine of ['chromium', 'firefox'] as const) {
  describe(`the demo in ${engine}`, () => {
    const seen: Seen[] = []

    beforeAll(async () => {
      const dark = { 'layout.css.prefers-color-scheme.content-override': 0, 'ui.prefersReducedMotion': 1 }
      const browser = await launchBrowser(engine, dark)
      const look: Tour['look'] = async (page, state) => {
        seen.push(await lookAt(page, state, engine === 'chromium'))
      }
      const tour: Tour = {
        ...{ browser, url: demo.url, account: `tour-${engine}`, init: watchMotion, look },
        context: { viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' },
      }
      try {
        await tourWizard(tour)
        await tourAtRisk({ ...tour, account: `risk-${engine}` })
        await tourCard(tour)
      } finally {
        await browser.close()
      }
    }, 180_000)

    test('has been seen in every state', () => {
      expect(new Set(seen.map(({ state }) => state)).size).toBe(seen.length)
      expect(seen.length).toBe(51)
    })

    test('axe finds nothing', () => {
      expect(
        only(
          seen,
          ({ axe }) => axe,
          (lines) => lines.length === 0,
        ),
      ).toEqual({})
    })

    test('nothing has to be scrolled sideways at 320 px', () => {
      expect(
        only(
          seen,
          ({ scrolls, stickingOut }) => ({ scrolls, stickingOut }),
          ({ scrolls, stickingOut }) => scrolls <= 0 && stickingOut.length === 0,
        ),
      ).toEqual({})
    })

    test('nothing moves for who asked for reduced motion', () => {
      expect(
        only(
          seen,
          ({ moving }) => moving,
          (lines) => lines.length === 0,
        ),
      ).toEqual({})
    })
  })
}
