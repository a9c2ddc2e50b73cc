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
import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { type BrowserContext, chromium, firefox, type Page, webkit } from 'playwright'
import { chromiumFlags, type Engine, playwrightOptions, requireEngine } from './browsers.ts'
import { type DevTools, openDevTools } from './dev-tools.ts'
import { killGroup, waitUntil, webkitEnvironment } from './webdriver.ts'

export { type Engine, engines } from './browsers.ts'

/** The engines, and Chromium with the backend for IndexedDB that is to take the place of its LevelDB. */
export const variants = ['chromium', 'chromium-sqlite', 'firefox', 'webkit'] as const
export type Variant = (typeof variants)[number]

export function engineOf(variant: Variant): Engine {
  return variant === 'chromium-sqlite' ? 'chromium' : variant
}

export interface RunningEngine {
  /** The browser's main process. */
  readonly pid: number
  /** SIGKILL to the whole browser, at once; resolves when all of it is gone. */
  kill(): Promise<void>
  /** SIGKILL to the processes of it whose name begins so, or whose command line has it; returns how many there were. */
  killPart(name: string): number
  /** Its processes: name, state and the seconds of CPU time each has had. */
  describe(): string[]
  /** The end of what it wrote to its standard output and error, the page's console among it; empty under Playwright. */
  output(): string
  /** Where `hasDevTools` was asked for. */
  readonly devTools?: DevTools
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
  /** Chromium only. Default false. */
  hasDevTools?: boolean
}

export interface OpenPageOptions {
  profileDir: string
  headless?: boolean
  viewport?: { width: number; height: number }
  colorScheme?: 'light' | 'dark'
  reducedMotion?: 'reduce' | 'no-preference'
}

/** A new, empty profile folder; `removeProfile` deletes it. */
export function createProfile(variant: Variant): string {
  return mkdtempSync(join(tmpdir(), `waymark-${variant}-`))
}

export function removeProfile(profileDir: string): void {
  rmSync(profileDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

/** As the engine names itself, such as `Chromium 156.0.8078.79`. */
export async function versionOf(variant: Variant): Promise<string> {
  const engine = engineOf(variant)
  const { executable, source } = requireEngine(engine)
  const env = engine === 'webkit' ? await webkitEnvironment() : process.env
  const said = execFileSync(executable, ['--version'], { encoding: 'utf8', env, stdio: 'pipe' })
  const version = /^.*?\d+(?:\.\d+)+\w*/m.exec(said)?.[0] ?? said.trim()
  return source === 'playwright' ? `Playwright's ${version}` : version
}

/** How Chromium keeps IndexedDB in this profile, by the files that are there. */
export function chromiumBackendIn(profileDir: string): 'leveldb' | 'sqlite' | 'none' {
  const folder = join(profileDir, 'Default', 'IndexedDB')
  if (!existsSync(folder)) return 'none'
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  if (names.some((name) => name.endsWith('.leveldb'))) return 'leveldb'
  const isSqlite = (name: string) => readStart(join(folder, name)).startsWith('SQLite format 3')
  return names.some(isSqlite) ? 'sqlite' : 'none'
}

/** Starts the engine on `url`, not automated. */
export async function launchEngine(variant: Variant, options: LaunchOptions): Promise<RunningEngine> {
  const { profileDir, url, headless = true, hasDevTools = false } = options
  const engine = engineOf(variant)
  const found = requireEngine(engine)
  mkdirSync(profileDir, { recursive: true })
  if (engine === 'webkit' && found.source === 'playwright') {
    const opened = await openPersistent(variant, { profileDir, headless })
    await (opened.context.pages()[0] ?? (await opened.context.newPage())).goto(url)
    return opened
  }
  const mark = createMark()
  const given = argumentsFor(variant, profileDir, url, headless)
  const browser = spawn(found.executable, [...(hasDevTools ? ['--remote-debugging-pipe'] : []), ...given], {
    stdio: ['ignore', 'pipe', 'pipe', ...(hasDevTools ? (['pipe', 'pipe'] as const) : [])],
    detached: true,
    env: { ...(await environmentFor(engine, profileDir)), ...mark.variables },
  })
  await new Promise<void>((resolve, reject) => {
    browser.once('spawn', resolve)
    browser.once('error', reject)
  })
  let output = ''
  for (const stream of [browser.stdout, browser.stderr]) {
    stream!.on('data', (text: Buffer) => (output = (output + text).slice(-4_000)))
  }
  const pid = browser.pid!
  const kill = ender(pid, mark)
  return {
    pid,
    kill,
    killPart: (name) => killPart(mark, name),
    describe: () => mark.findProcesses().map(describeProcess),
    output: () => output,
    ...(hasDevTools
      ? { devTools: openDevTools(browser.stdio[3] as Writable, browser.stdio[4] as unknown as Readable) }
      : {}),
    async close() {
      browser.kill('SIGTERM')
      await waitUntil(() => browser.exitCode !== null || browser.signalCode !== null, 5000).catch(() => {})
      await kill()
    },
  }
}

/** A Playwright page on a profile that stays on disk. */
export async function openPage(
  variant: Exclude<Variant, 'webkit'>,
  options: OpenPageOptions,
): Promise<DrivenPage> {
  const opened = await openPersistent(variant, options)
  const page = opened.context.pages()[0] ?? (await opened.context.newPage())
  return { ...opened, page }
}

async function openPersistent(
  variant: Variant,
  options: OpenPageOptions,
): Promise<RunningEngine & { context: BrowserContext }> {
  const { profileDir, headless = true, ...view } = options
  const engine = engineOf(variant)
  const mark = createMark()
  const given = playwrightOptions(engine, requireEngine(engine))
  const context = await { chromium, firefox, webkit }[engine].launchPersistentContext(profileDir, {
    ...given,
    ...(engine === 'chromium' ? { args: [...(given.args ?? []), ...featuresOf(variant)] } : {}),
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
    describe: () => mark.findProcesses().map(describeProcess),
    output: () => '',
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

/** Chromium 156 moves IndexedDB from LevelDB to SQLite by field trial; the feature behind it is named here. */
function featuresOf(variant: Variant): string[] {
  return variant === 'chromium-sqlite' ? ['--enable-features=IdbSqliteBackingStore'] : []
}

function argumentsFor(variant: Variant, profileDir: string, url: string, headless: boolean): string[] {
  switch (variant) {
    case 'chromium':
    case 'chromium-sqlite':
      return [
        ...(headless ? ['--headless'] : []),
        ...chromiumFlags,
        ...featuresOf(variant),
        '--enable-logging=stderr',
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
      return [
        '--features=+StorageAPI,+StorageAPIEstimate',
        '--enable-write-console-messages-to-stdout=true',
        url,
      ]
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
  'devtools.console.stdout.content': true,
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
  /** The processes that carry it and what they started (Chromium's wipe theirs), the oldest first. */
  findProcesses(): number[]
}

/** A variable no other process has, inherited by every process the browser starts. */
function createMark(): Mark {
  const value = randomUUID()
  return {
    variables: { WAYMARK_TEST_BROWSER: value },
    findProcesses() {
      const all = listProcesses()
      const found = new Set(all.filter((pid) => readProcess(pid, 'environ').includes(value)))
      for (const parent of found) for (const pid of all) if (parentOf(pid) === parent) found.add(pid)
      return [...found].sort((a, b) => a - b)
    },
  }
}

function ender(pid: number, mark: Mark): () => Promise<void> {
  const strike = () => {
    killGroup(pid)
    for (const left of mark.findProcesses()) killOne(left)
  }
  // Before whatever else is done at the end: a profile is removed once nobody writes to it.
  process.prependOnceListener('exit', strike)
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
  const isIt = (pid: number) =>
    readProcess(pid, 'comm').startsWith(name) || readProcess(pid, 'cmdline').includes(name)
  const found = mark.findProcesses().filter(isIt)
  for (const pid of found) killOne(pid)
  return found.length
}

const clockTicksPerSecond = 100

function parentOf(pid: number): number {
  return Number(statusOf(pid).fields[1])
}

/** The name of a process, and what /proc says of it from its state on. */
function statusOf(pid: number): { name: string; fields: string[] } {
  const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(readProcess(pid, 'stat')) ?? []
  return { name, fields: rest.split(' ') }
}

function describeProcess(pid: number): string {
  const { name, fields } = statusOf(pid)
  const cpu = (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond
  const waitsIn = readProcess(pid, 'wchan')
  return `${name} ${fields[0]} ${cpu.toFixed(1)} s${/^0?$/.test(waitsIn) ? '' : ` in ${waitsIn}`}`
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

function readProcess(pid: number, what: 'cmdline' | 'comm' | 'environ' | 'stat' | 'wchan'): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1')
  } catch {
    return ''
  }
}

/** The first bytes of a file; nothing of a folder. */
function readStart(path: string): string {
  try {
    return readFileSync(path, 'latin1').slice(0, 16)
  } catch {
    return ''
  }
}
