/**
 * A small W3C WebDriver client for WebKitGTK's MiniBrowser: just what the rig and the journeys use.
 * An automated MiniBrowser keeps nothing on disk; for on-disk profiles see `engines.ts`.
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { requireEngine } from './browsers.ts'
import { openDisplay } from './display.ts'

const elementKey = 'element-6066-11e4-a52e-4f735466cecf'

export interface WebDriver {
  /** Process id of the driver, whose group holds the browser too. */
  readonly pid: number
  open(url: string): Promise<void>
  /** The element's id for `click` and `type`; waits up to `timeoutMs` (default 5000) for it to appear. */
  find(selector: string, timeoutMs?: number): Promise<string>
  click(element: string): Promise<void>
  /** Presses real keys with the element focused. */
  type(element: string, text: string): Promise<void>
  /** Presses and releases each key in turn wherever the focus is; see `keys`. */
  press(...keys: string[]): Promise<void>
  /** Runs a function body in the page; `arguments[0]`… are `args`. A returned promise is awaited. */
  execute<T>(body: string, ...args: unknown[]): Promise<T>
  url(): Promise<string>
  title(): Promise<string>
  back(): Promise<void>
  forward(): Promise<void>
  reload(): Promise<void>
  setSize(width: number, height: number): Promise<void>
  /** A PNG of the viewport. */
  screenshot(): Promise<Buffer>
  close(): Promise<void>
}

export const keys = {
  tab: '\uE004',
  enter: '\uE007',
  shift: '\uE008',
  escape: '\uE00C',
  space: ' ',
  backspace: '\uE003',
  arrowUp: '\uE013',
  arrowDown: '\uE015',
  arrowLeft: '\uE012',
  arrowRight: '\uE014',
} as const

/** Starts a driver and one ephemeral browser session with it. */
export async function openWebDriver(): Promise<WebDriver> {
  const { executable } = requireEngine('webkit')
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const driver = spawn('WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
    stdio: 'ignore',
    detached: true,
    env: await webkitEnvironment(),
  })
  const pid = driver.pid!
  const endGroup = () => killGroup(pid)
  process.once('exit', endGroup)

  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(base + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const { value } = (await response.json()) as { value: T }
    if (!response.ok) throw new Error(`WebDriver ${method} ${path}: ${JSON.stringify(value).slice(0, 300)}`)
    return value
  }

  const end = () => {
    process.off('exit', endGroup)
    endGroup()
  }
  let session: string
  try {
    await waitUntil(async () => (await fetch(`${base}/status`)).ok, 10_000)
    const created = await call<{ sessionId: string }>('POST', '/session', {
      capabilities: {
        alwaysMatch: {
          browserName: 'MiniBrowser',
          'webkitgtk:browserOptions': {
            binary: executable,
            args: ['--automation', '--features=+StorageAPI,+StorageAPIEstimate'],
          },
        },
      },
    })
    session = `/session/${created.sessionId}`
  } catch (error) {
    end()
    throw error
  }

  return {
    pid,
    open: (url) => call('POST', `${session}/url`, { url }),
    async find(selector, timeoutMs = 5000) {
      let found: Record<string, string> | undefined
      await waitUntil(async () => {
        found = await call('POST', `${session}/element`, { using: 'css selector', value: selector })
        return true
      }, timeoutMs)
      return found![elementKey]!
    },
    click: (element) => call('POST', `${session}/element/${element}/click`, {}),
    type: (element, text) => call('POST', `${session}/element/${element}/value`, { text }),
    press: (...pressed) =>
      call('POST', `${session}/actions`, {
        actions: [
          {
            type: 'key',
            id: 'keyboard',
            actions: pressed.flatMap((value) => [
              { type: 'keyDown', value },
              { type: 'keyUp', value },
            ]),
          },
        ],
      }),
    execute: (script, ...args) => call('POST', `${session}/execute/sync`, { script, args }),
    url: () => call('GET', `${session}/url`),
    title: () => call('GET', `${session}/title`),
    back: () => call('POST', `${session}/back`, {}),
    forward: () => call('POST', `${session}/forward`, {}),
    reload: () => call('POST', `${session}/refresh`, {}),
    setSize: (width, height) => call('POST', `${session}/window/rect`, { width, height }),
    screenshot: async () => Buffer.from(await call<string>('GET', `${session}/screenshot`), 'base64'),
    async close() {
      await call('DELETE', session).catch(() => undefined)
      end()
    },
  }
}

/** What WebKitGTK needs: a display, no bubblewrap (it refuses root), no GPU, no accessibility bus. */
export async function webkitEnvironment(): Promise<NodeJS.ProcessEnv> {
  return {
    ...process.env,
    DISPLAY: await openDisplay(),
    GDK_BACKEND: 'x11',
    NO_AT_BRIDGE: '1',
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
  }
}

/** SIGKILL to a whole process group; one that has already ended is fine. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Calls `isDone` until it is true; what it throws counts as not yet, and is thrown when the time is up. */
export async function waitUntil(isDone: () => Promise<boolean> | boolean, timeoutMs: number): Promise<void> {
  const end = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      if (await isDone()) return
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw last ?? new Error(`Not so within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
