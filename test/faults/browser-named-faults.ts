/**
 * What a page lives through besides being killed with its browser. Each fault happens once while a page types, then the
 * page is opened anew and must hold everything that was shown as saved; what a person saw meanwhile is kept in words.
 */
import {
  createProfile,
  type DrivenPage,
  launchEngine,
  openPage,
  type RunningEngine,
  removeProfile,
  type Variant,
} from '../support/engines.ts'
import { type PageServer, servePage } from '../support/page-server.ts'
import {
  acknowledgements,
  firstReport,
  judge,
  note,
  pageOf,
  type Report,
  type Restored,
} from './browser-rounds.ts'

export interface FaultOutcome {
  /** Numbers the page showed as saved, before the fault, during it and after. */
  acknowledged: number
  lost: number
  doubled: number
  /** Everything else that is wrong, in words. */
  violations: string[]
  /** What whoever sat there saw, in order: the words of the page, and what the browser did in brackets. */
  saw: string[]
}

export type FaultName =
  | 'page-crash'
  | 'frozen-tab'
  | 'disk-full'
  | 'database-deleted'
  | 'storage-process-killed'
  | 'gpu-process-killed'

export interface NamedFault {
  name: FaultName
  variants: readonly Variant[]
  /** How the browser is reached. Default by Playwright; WebKit is never, which keeps nothing on disk when it is driven. */
  hands?: 'playwright' | 'dev-tools' | 'none'
  /** Provokes it under the page of round 1, which types, and is the last to type where there is another. */
  provoke(scene: Scene): Promise<void>
}

interface Scene {
  variant: Variant
  server: PageServer<Report>
  browser: RunningEngine
  /** Only where Playwright drives the browser. */
  driven(): DrivenPage
  saw(words: string): void
  /** What is wrong beside what the page restores. */
  isWrong(words: string): void
}

const typingRounds = [1, 2]
const afterwards = 9

const chromiums = ['chromium', 'chromium-sqlite'] as const
const pageProcesses: Record<Variant, readonly string[]> = {
  chromium: ['--type=renderer'],
  'chromium-sqlite': ['--type=renderer'],
  firefox: ['Isolated Web Co', 'Web Content'],
  webkit: ['WebKitWebProces'],
}

export const namedFaults: readonly NamedFault[] = [
  {
    name: 'page-crash',
    variants: ['chromium', 'chromium-sqlite', 'firefox', 'webkit'],
    hands: 'none',
    async provoke({ server, variant, browser, saw, isWrong }) {
      await acknowledgements(server, 1, 60)
      const killed = pageProcesses[variant].reduce((sum, name) => sum + browser.killPart(name), 0)
      if (killed === 0) isWrong('no process of a page was found')
      if (!(await fallsSilent(server))) isWrong('the page did not crash')
      saw('[the tab crashed]')
    },
  },
  {
    name: 'frozen-tab',
    variants: chromiums,
    hands: 'dev-tools',
    async provoke({ server, browser, saw, isWrong }) {
      const devTools = browser.devTools!
      await acknowledgements(server, 1, 40)
      const first = await devTools.attach(pageOf(server, 1))
      await devTools.send('Page.setWebLifecycleState', { state: 'frozen' }, first)
      await new Promise((resolve) => setTimeout(resolve, 100))
      const reportsOfFirst = () => server.reports.filter(({ round }) => round === 1).length
      const atFreezing = reportsOfFirst()
      saw('[the tab was frozen, another was opened]')
      const url = pageOf(server, 2)
      const { targetId } = await devTools.send<{ targetId: string }>('Target.createTarget', { url })
      await acknowledgements(server, 2, 60)
      saw('in the other: Saved on this device')
      if (reportsOfFirst() > atFreezing) isWrong('it was not frozen')
      await devTools.send('Target.closeTarget', { targetId })
      await devTools.send('Page.setWebLifecycleState', { state: 'active' }, first)
      await devTools.send('Page.bringToFront', {}, first)
      saw('[the tab was shown again]')
      await acknowledgements(server, 1, 40)
    },
  },
  {
    name: 'disk-full',
    variants: chromiums,
    async provoke({ server, driven, saw, isWrong }) {
      const { page, context } = driven()
      await acknowledgements(server, 1, 20)
      const devTools = await context.newCDPSession(page)
      const origin = new URL(server.url).origin
      await devTools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 })
      saw('[the quota was used up]')
      await server.waitFor(({ type }) => type === 'words', 90_000)
      const atFull = server.reports.length
      await new Promise((resolve) => setTimeout(resolve, 500))
      if (server.reports.length > atFull) isWrong('something was called saved while the disk was full')
      const words = await page.locator('output').textContent()
      if (words !== 'At risk: storage-full') isWrong(`while the disk was full the page said: ${words}`)
      saw('[there was room again]')
      await devTools.send('Storage.overrideQuotaForOrigin', { origin })
      await acknowledgements(server, 1, 20)
    },
  },
  {
    name: 'database-deleted',
    variants: ['chromium', 'chromium-sqlite', 'firefox'],
    async provoke({ server, driven, saw }) {
      await acknowledgements(server, 1, 60)
      await driven().page.evaluate(deleteDatabase)
      saw('[the database was deleted]')
      await acknowledgements(server, 1, 40)
    },
  },
  {
    name: 'storage-process-killed',
    variants: ['chromium', 'chromium-sqlite', 'webkit'],
    provoke: (scene) =>
      killUnderThePage(
        scene,
        scene.variant === 'webkit' ? 'WebKitNetworkPr' : 'storage.mojom.StorageService',
      ),
  },
  {
    name: 'gpu-process-killed',
    variants: chromiums,
    provoke: (scene) => killUnderThePage(scene, '--type=gpu-process'),
  },
]

export async function runFault(fault: NamedFault, variant: Variant): Promise<FaultOutcome> {
  const outcome: FaultOutcome = { acknowledged: 0, lost: 0, doubled: 0, violations: [], saw: [] }
  const server = await servePage<Report>('test/faults/typing-page.ts')
  const profileDir = createProfile(variant)
  const open: RunningEngine[] = []
  let told = 0
  const saw = (words: string) => {
    const unusual = server.reports.filter((report) => report.type === 'words' && report.round === 1)
    for (const report of unusual.slice(told)) outcome.saw.push((report as { words: string }).words)
    told = unusual.length
    outcome.saw.push(words)
  }
  try {
    const { browser, driven } = await sitDown(fault, variant, profileDir, server, 1)
    open.push(browser)
    await acknowledgements(server, 1, 1)
    saw('Saved on this device')
    await fault.provoke({
      variant,
      server,
      browser,
      driven: () => driven!,
      saw,
      isWrong: (words) => outcome.violations.push(words),
    })
    if (driven === undefined) {
      await browser.kill()
      const again = await sitDown(fault, variant, profileDir, server, afterwards)
      open.push(again.browser)
    } else {
      await driven.page.close()
      const page = await driven.context.newPage()
      await page.goto(pageOf(server, afterwards))
    }
    const restored = await firstReport(server, afterwards)
    if (restored === undefined) throw new Error('opened anew, the page gave no report')
    compare(restored, server.reports, outcome)
    saw('[opened anew] Saved on this device')
  } catch (error) {
    outcome.violations.push(error instanceof Error ? error.message : String(error))
  } finally {
    for (const browser of open) await browser.kill()
    await server.close()
    removeProfile(profileDir)
  }
  return outcome
}

async function sitDown(
  fault: NamedFault,
  variant: Variant,
  profileDir: string,
  server: PageServer<Report>,
  round: number,
): Promise<{ browser: RunningEngine; driven?: DrivenPage }> {
  const url = pageOf(server, round)
  const { hands = 'playwright' } = fault
  if (variant === 'webkit' || hands !== 'playwright') {
    return { browser: await launchEngine(variant, { profileDir, url, hasDevTools: hands === 'dev-tools' }) }
  }
  const driven = await openPage(variant, { profileDir })
  await driven.page.goto(url)
  return { browser: driven, driven }
}

/** Each page by itself: the list holds the numbers of both, the field those of the one that typed last. */
function compare(restored: Restored, reports: readonly Report[], outcome: FaultOutcome): void {
  for (const round of typingRounds) {
    const isLast = round === typingRounds[0]
    const shown = { typed: new Set<number>(), finished: new Set<number>() }
    outcome.acknowledged += note(reports, round, shown)
    const isOfRound = (n: number) => Math.floor(n / 1_000_000) === round
    const found = judge(
      {
        typed: isLast ? restored.typed : 0,
        finished: restored.finished.filter(isOfRound),
        problems: isLast ? restored.problems : [],
      },
      { typed: isLast ? shown.typed : new Set(), finished: shown.finished },
      afterwards * 1_000_000,
    )
    outcome.lost += found.lost
    outcome.doubled += found.doubled
    outcome.violations.push(...found.violations)
  }
  for (const report of reports) if (report.type === 'failed') outcome.violations.push(report.message)
}

async function killUnderThePage({ server, browser, saw, isWrong }: Scene, process: string): Promise<void> {
  await acknowledgements(server, 1, 20)
  if (browser.killPart(process) === 0) isWrong(`there is no process ${process}`)
  saw('[the process was killed]')
  await acknowledgements(server, 1, 40)
}

/** Half a second without a report, however long those take that were on their way. */
async function fallsSilent(server: PageServer<Report>): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    const before = server.reports.length
    await new Promise((resolve) => setTimeout(resolve, 500))
    if (server.reports.length === before) return true
  }
  return false
}

function deleteDatabase(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase('waymark')
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })
}
