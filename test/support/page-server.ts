/** Serves one page, bundled from a TypeScript module, and collects what it reports; the origin outlives the browser. */
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface PageServer<Report> {
  readonly url: string
  /** Everything posted to `/report`, in the order of arrival. */
  readonly reports: readonly Report[]
  /** What was asked for besides, in the order of arrival; `at` is in ms since 1970. */
  readonly requests: readonly { readonly path: string; readonly at: number }[]
  /** The first report of this or a later time that `matches`. */
  waitFor(matches: (report: Report) => boolean, timeoutMs: number): Promise<Report>
  close(): Promise<void>
}

export interface PageOptions {
  /** Cross-origin isolated, which gives the page a fine clock. Default false. */
  readonly isIsolated?: boolean
}

const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

/** `module` is a path from the root of the repository; it may import `waymark` and runs as the page's only script. */
export async function servePage<Report>(
  module: string,
  options: PageOptions = {},
): Promise<PageServer<Report>> {
  const script = await bundle(module)
  const isolation = options.isIsolated ? isolated : {}
  const reports: Report[] = []
  const requests: { path: string; at: number }[] = []
  const listeners = new Set<() => void>()
  const server = createServer((request, response) => {
    if (request.method !== 'POST') requests.push({ path: request.url ?? '/', at: Date.now() })
    if (request.method === 'POST') {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        reports.push(JSON.parse(Buffer.concat(chunks).toString()))
        for (const listener of [...listeners]) listener()
        response.writeHead(204).end()
      })
    } else if (request.url === '/page.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    } else if (request.url === '/favicon.ico') {
      response.writeHead(204).end()
    } else {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...isolation }).end(html)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }

  return {
    url: `http://127.0.0.1:${port}/`,
    reports,
    requests,
    waitFor(matches, timeoutMs) {
      let next = 0
      return new Promise((resolve, reject) => {
        const look = () => {
          while (next < reports.length) {
            const report = reports[next++]!
            if (matches(report)) return finish(() => resolve(report))
          }
        }
        const finish = (settle: () => void) => {
          clearTimeout(timer)
          listeners.delete(look)
          settle()
        }
        const timer = setTimeout(
          () => finish(() => reject(new Error(`No such report within ${timeoutMs} ms`))),
          timeoutMs,
        )
        listeners.add(look)
        look()
      })
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Waymark test page</title>
<body>
<script type="module" src="/page.js"></script>
</body>
</html>
`

async function bundle(module: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [module],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    tsconfig: 'tsconfig.json',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}
