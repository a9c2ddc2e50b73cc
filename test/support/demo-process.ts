/** The demo as a person runs it: a process of its own on a folder of its own, to be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, killGroup, waitUntil } from './webdriver.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface DemoProcess {
  readonly url: string
  /** SIGKILL. */
  kill(): Promise<void>
  /** Again on the same port and data. */
  start(): Promise<void>
  /** What the server holds of an account's sessions, whole. */
  sessions(account?: string): Promise<readonly ServerSession[]>
  /** Kills it and deletes its data. */
  remove(): Promise<void>
}

export interface ServerSession {
  readonly session: string
  readonly status: string
  readonly answers: Readonly<Record<string, unknown>>
  readonly submission?: { readonly answers: Readonly<Record<string, unknown>> }
}

export async function startDemoProcess(): Promise<DemoProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'waymark-demo-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  let child: ChildProcess | undefined
  let said = ''

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ['--import', 'tsx', 'demo/server.ts'], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PORT: String(port), WAYMARK_DEMO_DATA: dataDir, WAYMARK_DEMO_HOST: '127.0.0.1' },
    })
    child = started
    said = ''
    for (const stream of [started.stdout, started.stderr])
      stream?.on('data', (text: Buffer) => (said += text))
    await waitUntil(async () => {
      if (started.exitCode !== null) throw new Error(`The demo ended: ${said}`)
      return (await fetch(url)).ok
    }, 40_000)
  }

  async function kill(): Promise<void> {
    const ended = child
    child = undefined
    if (ended?.pid === undefined) return
    killGroup(ended.pid)
    await waitUntil(() => ended.exitCode !== null || ended.signalCode !== null, 5_000)
  }

  await start()
  return {
    url,
    kill,
    start,
    async sessions(account = 'demo') {
      const headers = { 'x-demo-account': account }
      const list = (await (await fetch(`${url}waymark/sessions`, { headers })).json()) as {
        sessions: { session: string }[]
      }
      return Promise.all(
        list.sessions.map(async ({ session }) => {
          const response = await fetch(`${url}waymark/sessions/${session}`, { headers })
          return (await response.json()) as ServerSession
        }),
      )
    },
    async remove() {
      await kill()
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}
