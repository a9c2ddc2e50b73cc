/**
 * Real browsers on profiles that stay on disk, for tests that end them with SIGKILL and start them again.
 *
 * `launchEngine` starts any engine on a page that drives itself and reports over HTTP. `openPage` gives a Playwright
 * page on such a profile, for Chromium and Firefox. (WebKitGTK under automation keeps nothing on disk: real keys there
 * go through `openWebDriver`, without a kill.)
 *
 * A kill is SIGKILL to every process of the browser at once: its process group, and whatever else carries our mark in
 * its environment. It resolves when none of them is left, so the same profile can be opened again.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, firefox, type Page, webkit } from 'playwright'
import { chromiumFlags, type Engine, playwrightOptions, requireEngine } from './browsers.ts'
import { killGroup, waitUntil, webkitEnvironment } from './webdriver.ts'

export { type Engine, engines } from './browsers.ts'

export interface RunningEngine {
  /** The browser's main process. */
  readonly pid: number
  /** SIGKILL to the whole browser, at once; resolves when all of it is gone. */
  kill(): Promise<void>
  /** SIGKILL to the processes of it whose name begins so; returns how many there were. */
  killPart(name: string): number
  /** Ends it the polite way, then makes sure of it. */
  close(): Promise<void>
}

export interface DrivenPage extends RunningEngine {
  readonly page: Page
  readonly context: BrowserContext
}

export interface LaunchOptions {
  /** Kept between launches; created if missing. */
  profileDir: string
  url: string
  /** Default true; WebKitGTK has no headless mode and runs on a virtual display. */
  headless?: boolean
}

export interface OpenPageOptions {
  profileDir: string
  headless?: boolean
  viewport?: { width: number; height: number }
  colorScheme?: 'light' | 'dark'
  reducedMotion?: 'reduce' | 'no-preference'
}

/** A new, empty profile folder; `removeProfile` deletes it. */
export function createProfile(engine: Engine): string {
  return mkdtempSync(join(tmpdir(), `waymark-${engine}-`))
}

export function removeProfile(profileDir: string): void {
  rmSync(profileDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

/** Starts the engine on `url`, not automated. */
export async function launchEngine(engine: Engine, options: LaunchOptions): Promise<RunningEngine> {
  const { profileDir, url, headless = true } = options
  const found = requireEngine(engine)
  mkdirSync(profileDir, { recursive: true })
  if (engine === 'webkit' && found.source === 'playwright') {
    const opened = await openPersistent(engine, { profileDir, headless })
    await (opened.context.pages()[0] ?? (await opened.context.newPage())).goto(url)
    return opened
  }
  const mark = createMark()
  const browser = spawn(found.executable, argumentsFor(engine, profileDir, url, headless), {
    stdio: 'ignore',
    detached: true,
    env: { ...(await environmentFor(engine, profileDir)), ...mark.variables },
  })
  await new Promise<void>((resolve, reject) => {
    browser.once('spawn', resolve)
    browser.once('error', reject)
  })
  const pid = browser.pid!
  const kill = ender(pid, mark)
  return {
    pid,
    kill,
    killPart: (name) => killPart(mark, name),
    async close() {
      browser.kill('SIGTERM')
      await waitUntil(() => browser.exitCode !== null || browser.signalCode !== null, 5000).catch(() => {})
      await kill()
    },
  }
}

/** A Playwright page on a profile that stays on disk. */
export async function openPage(
  engine: 'chromium' | 'firefox',
  options: OpenPageOptions,
): Promise<DrivenPage> {
  const opened = await openPersistent(engine, options)
  const page = opened.context.pages()[0] ?? (await opened.context.newPage())
  return { ...opened, page }
}

async function openPersistent(
  engine: Engine,
  options: OpenPageOptions,
): Promise<RunningEngine & { context: BrowserContext }> {
  const { profileDir, headless = true, ...view } = options
  const mark = createMark()
  const context = await { chromium, firefox, webkit }[engine].launchPersistentContext(profileDir, {
    ...playwrightOptions(engine, requireEngine(engine)),
    ...(engine === 'firefox' ? { firefoxUserPrefs: firefoxPreferences } : {}),
    ...view,
    headless,
    env: { ...process.env, ...mark.variables } as Record<string, string>,
  })
  const pid = mark.findProcesses()[0]
  if (pid === undefined) throw new Error(`The process of ${engine} cannot be found on this system`)
  const kill = ender(pid, mark)
  return {
    context,
    pid,
    killPart: (name) => killPart(mark, name),
    kill: async () => {
      await kill()
      // Nothing is left to close, but Playwright has files of its own to put away.
      await context.close().catch(() => {})
    },
    close: async () => {
      await context.close().catch(() => {})
      await kill()
    },
  }
}

function argumentsFor(engine: Engine, profileDir: string, url: string, headless: boolean): string[] {
  switch (engine) {
    case 'chromium':
      return [
        ...(headless ? ['--headless'] : []),
        ...chromiumFlags,
        '--no-default-browser-check',
        '--disable-breakpad',
        '--hide-crash-restore-bubble',
        `--user-data-dir=${profileDir}`,
        url,
      ]
    case 'firefox':
      writeFileSync(
        join(profileDir, 'user.js'),
        Object.entries(firefoxPreferences)
          .map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`)
          .join(''),
      )
      return [...(headless ? ['--headless'] : []), '--no-remote', '--profile', profileDir, url]
    case 'webkit':
      return ['--features=+StorageAPI,+StorageAPIEstimate', url]
  }
}

/** A killed browser must come back with one page and no question. */
const firefoxPreferences: Record<string, string | number | boolean> = {
  'app.normandy.enabled': false,
  'app.update.auto': false,
  'browser.aboutwelcome.enabled': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.startup.max_resumed_crashes': -1,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
}

async function environmentFor(engine: Engine, profileDir: string): Promise<NodeJS.ProcessEnv> {
  if (engine === 'firefox') return { ...process.env, MOZ_CRASHREPORTER_DISABLE: '1' }
  if (engine === 'chromium') return process.env
  return {
    ...(await webkitEnvironment()),
    HOME: profileDir,
    XDG_CACHE_HOME: join(profileDir, 'cache'),
    XDG_CONFIG_HOME: join(profileDir, 'config'),
    XDG_DATA_HOME: join(profileDir, 'data'),
  }
}

interface Mark {
  variables: Record<string, string>
  /** The processes that carry it, the oldest first. */
  findProcesses(): number[]
}

/** A variable no other process has, inherited by every process the browser starts. */
function createMark(): Mark {
  const value = randomUUID()
  return {
    variables: { WAYMARK_TEST_BROWSER: value },
    findProcesses: () =>
      listProcesses()
        .filter((pid) => readEnvironment(pid).includes(value))
        .sort((a, b) => a - b),
  }
}

function ender(pid: number, mark: Mark): () => Promise<void> {
  const strike = () => {
    killGroup(pid)
    for (const left of mark.findProcesses()) killOne(left)
  }
  process.once('exit', strike)
  let ended: Promise<void> | undefined
  return () => {
    ended ??= waitUntil(() => {
      strike()
      return mark.findProcesses().length === 0
    }, 10_000).finally(() => process.off('exit', strike))
    return ended
  }
}

function killPart(mark: Mark, name: string): number {
  const found = mark.findProcesses().filter((pid) => readName(pid).startsWith(name))
  for (const pid of found) killOne(pid)
  return found.length
}

function readName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8')
  } catch {
    return ''
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Every process id, from /proc; none where there is no /proc: there the process group has to do. */
function listProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}
