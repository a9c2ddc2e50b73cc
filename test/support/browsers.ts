/**
 * Where the three engines are on this machine, and `npm run browsers`: gets the ones that are missing, and only those.
 *
 * On Debian the distribution's own packages are used (as root, or through a sudo that asks nothing); everywhere else
 * Playwright's download. WebKit on Debian is WebKitGTK's MiniBrowser, driven over WebDriver under a virtual display.
 * It exits 0 only when all three engines are there.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, firefox, webkit } from 'playwright'

export const engines = ['chromium', 'firefox', 'webkit'] as const
export type Engine = (typeof engines)[number]

export interface EngineFiles {
  /** `system`: a package of the distribution. `playwright`: its own download, which Playwright drives itself. */
  source: 'system' | 'playwright'
  executable: string
}

const debianPackages: Record<Engine, readonly string[]> = {
  chromium: ['chromium', 'chromium-driver', 'fonts-liberation', 'fonts-noto-color-emoji'],
  firefox: ['firefox-esr'],
  webkit: ['webkit2gtk-driver', 'libwebkit2gtk-4.1-0', 'xvfb', 'xauth'],
}

/** Chromium without its sandbox where it runs as root, and without everything that talks to the network by itself. */
export const chromiumFlags: readonly string[] = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const isDebian = /^ID=debian$/m.test(readIfThere('/etc/os-release'))

/** The engine's executable, or `undefined` where this machine lacks it or something it needs to run. */
export function findEngine(engine: Engine): EngineFiles | undefined {
  const system = isDebian ? findSystemEngine(engine) : undefined
  if (system !== undefined) return { source: 'system', executable: system }
  const downloaded = playwrightPath(engine)
  return downloaded !== undefined && isExecutable(downloaded)
    ? { source: 'playwright', executable: downloaded }
    : undefined
}

/** As `findEngine`, but a missing engine is an error that names the command to type. */
export function requireEngine(engine: Engine): EngineFiles {
  const found = findEngine(engine)
  if (found === undefined) throw new Error(`${engine} is not installed. Type: npm run browsers`)
  return found
}

/** Launch options with which Playwright starts the engine found on this machine. */
export function playwrightOptions(engine: Engine, found: EngineFiles | undefined) {
  const isSystem = found?.source === 'system'
  return {
    ...(isSystem ? { executablePath: found.executable } : {}),
    ...(isSystem && engine === 'firefox' ? { channel: 'moz-firefox' } : {}),
    ...(engine === 'chromium' ? { args: [...chromiumFlags] } : {}),
  }
}

/** The first executable of that name on PATH. */
export function findOnPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

function findSystemEngine(engine: Engine): string | undefined {
  if (engine === 'chromium') return findOnPath('chromium')
  if (engine === 'firefox') return findOnPath('firefox-esr')
  const driver = findOnPath('WebKitWebDriver')
  const display = process.env['DISPLAY'] ?? findOnPath('Xvfb')
  return driver !== undefined && display !== undefined ? findMiniBrowser() : undefined
}

function findMiniBrowser(): string | undefined {
  const folders = listIfThere('/usr/lib').map((triplet) => `/usr/lib/${triplet}/webkit2gtk-4.1/MiniBrowser`)
  return folders.find(isExecutable)
}

/** Playwright names a path for every engine it can download here, whether or not it is downloaded; else it throws. */
function playwrightPath(engine: Engine): string | undefined {
  try {
    return { chromium, firefox, webkit }[engine].executablePath()
  } catch {
    return undefined
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listIfThere(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function getMissingEngines(): number {
  const missing = engines.filter((engine) => findEngine(engine) === undefined)
  if (missing.length === 0) {
    console.log(`browsers: ${engines.join(', ')} are installed, nothing to do`)
    return 0
  }
  const names = missing.join(', ')
  const packages = missing.flatMap((engine) => debianPackages[engine])
  const asRoot = process.getuid?.() === 0 ? [] : canSudo() ? ['sudo', '-n'] : undefined
  if (isDebian && asRoot !== undefined) {
    console.log(`browsers: ${names} missing, installing Debian's ${packages.join(' ')}`)
    const apt = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y']
    run([...apt, 'update'])
    run([...apt, '--no-install-recommends', 'install', ...packages])
  } else {
    console.log(`browsers: ${names} missing, downloading Playwright's build`)
    run(['npx', 'playwright', 'install', ...missing])
  }
  const still = engines.filter((engine) => findEngine(engine) === undefined)
  if (still.length === 0) return 0
  const command = isDebian
    ? `sudo apt-get update && sudo apt-get install -y ${still.flatMap((e) => debianPackages[e]).join(' ')}`
    : `npx playwright install --with-deps ${still.join(' ')}`
  console.error(`browsers: could not get ${still.join(', ')}. Type: ${command}`)
  return 1
}

function canSudo(): boolean {
  return findOnPath('sudo') !== undefined && spawnSync('sudo', ['-n', 'true']).status === 0
}

function run(command: readonly string[]): void {
  spawnSync(command[0]!, command.slice(1), { stdio: ['ignore', 'inherit', 'inherit'] })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = getMissingEngines()
