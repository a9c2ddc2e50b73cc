/**
 * The demo: the wizard's pages, and the sync server they talk to, on an embedded PostgreSQL in a folder.
 *
 *   npm run demo                       http://localhost:5173/ or the next free port, data in .data/
 *   PORT=8080 npm run demo             that port or none; 0 for any
 *   WAYMARK_DEMO_DATA=/tmp/x npm …     another folder; WAYMARK_DEMO_HOST=0.0.0.0 for a phone on the same network
 *
 * The pages are built once at start and served with a strict content security policy, as they would be in production:
 * nothing reloads by itself, so the server may be killed and started again under an open page.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { build, type PreviewServer, preview } from 'vite'
import { createSyncHandler, deliverSubmissions, fromPglite, postgresStore } from 'waymark/server'
import { housing } from './flow.ts'
import { answerWith } from './server/answer-with.ts'
import { claimFolder } from './server/claim-folder.ts'
import { createSwitch } from './server/switch.ts'

export interface DemoOptions {
  /** Default: 5173, or the next that is free. A port that is given is used or the start fails; 0 takes any. */
  readonly port?: number
  /** Where the database and the built pages are kept. Default: `.data` in the repository. */
  readonly dataDir?: string
  /** The interface to listen on. Default: `localhost`. */
  readonly host?: string
  /** Hears what happens, one line each, never an answer. Default: nobody. */
  readonly log?: (line: string) => void
}

export interface Demo {
  readonly url: string
  close(): Promise<void>
}

const root = fileURLToPath(new URL('.', import.meta.url))
const syncPath = '/waymark'
const defaultPort = 5173

/** Everything from this origin, nothing inline, nothing evaluated. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ')

export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const { port, host = 'localhost', log = () => {} } = options
  const dataDir = resolve(options.dataDir ?? join(root, '../.data'))
  mkdirSync(dataDir, { recursive: true })
  const release = await claimFolder(dataDir)
  let database: PGlite | undefined
  try {
    const pages = join(dataDir, 'pages')
    const [opened] = await Promise.all([PGlite.create(join(dataDir, 'database')), buildPages(pages)])
    database = opened
    const { handler, stopTimer } = await openSyncServer(opened, log)
    const server = await serve({ pages, handler, host, port })
    return {
      url: urlOf(server),
      async close() {
        stopTimer()
        await server.close()
        await opened.close()
        await release()
      },
    }
  } catch (error) {
    await database?.close()
    await release()
    throw error
  }
}

async function openSyncServer(database: PGlite, log: (line: string) => void) {
  const store = postgresStore(fromPglite(database))
  await store.migrate()
  const onSubmit = ({ session }: { session: string }) => log(`received application ${session}`)
  const onError = (error: unknown) => log(`sync server: ${error instanceof Error ? error.message : 'failed'}`)
  const handler = createSyncHandler({
    store,
    basePath: syncPath,
    flows: [housing],
    onSubmit,
    onError,
    // Open to anyone, who may call themselves what they like: this is a demo. A real app looks up the signed-in
    // account from its session cookie or token here, and answers 401 (`undefined`) where there is none.
    authorize(request) {
      const account = request.headers.get('x-demo-account')
      return account !== null && /^[\w-]{1,40}$/.test(account) ? { account } : undefined
    },
  })
  const redeliver = () => deliverSubmissions({ store, onSubmit, onError }).catch(onError)
  await redeliver()
  const timer = setInterval(redeliver, 60_000).unref()
  return { handler, stopTimer: () => clearInterval(timer) }
}

async function buildPages(outDir: string): Promise<void> {
  const inputs = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.html'),
  )
  await build({
    configFile: false,
    root,
    publicDir: false,
    logLevel: 'error',
    resolve: { tsconfigPaths: true },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      sourcemap: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: inputs.map((name) => join(root, name)) },
    },
  })
}

async function serve(options: {
  readonly pages: string
  readonly handler: (request: Request) => Promise<Response>
  readonly host: string
  readonly port: number | undefined
}): Promise<PreviewServer> {
  const { pages, handler, host, port } = options
  const { whileOn, control } = createSwitch()
  return preview({
    configFile: false,
    root,
    appType: 'mpa',
    logLevel: 'warn',
    build: { outDir: pages },
    preview: {
      host,
      port: port ?? defaultPort,
      strictPort: port !== undefined,
      headers: {
        'content-security-policy': contentSecurityPolicy,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      },
    },
    plugins: [
      {
        name: 'demo-server',
        configurePreviewServer({ middlewares }) {
          middlewares.use('/demo/server', answerWith(control))
          middlewares.use(syncPath, answerWith(whileOn(handler)))
        },
      },
    ],
  })
}

function urlOf(server: PreviewServer): string {
  const { local = [], network = [] } = server.resolvedUrls ?? {}
  return local[0] ?? network[0]!
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { PORT, WAYMARK_DEMO_DATA, WAYMARK_DEMO_HOST } = process.env
  try {
    const demo = await startDemo({
      log: console.log,
      ...(PORT ? { port: Number(PORT) } : {}),
      ...(WAYMARK_DEMO_DATA ? { dataDir: WAYMARK_DEMO_DATA } : {}),
      ...(WAYMARK_DEMO_HOST ? { host: WAYMARK_DEMO_HOST } : {}),
    })
    console.log(`Waymark demo: ${demo.url}`)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        demo.close().then(
          () => process.exit(0),
          () => process.exit(1),
        )
      })
    }
  } catch (error) {
    console.error(`Waymark demo: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  }
}
