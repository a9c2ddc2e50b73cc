/**
 * Bundles an entry by esbuild and by rolldown, minified, and weighs what is loaded at once and what later: gzip -9 and
 * brotli 11, per file. A weight is the larger of the two.
 */
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build as bundleWithEsbuild } from 'esbuild'
import { rolldown } from 'rolldown'

export interface Weight {
  gzip: number
  brotli: number
}

export interface Bundled extends Weight {
  lazyGzip: number
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const define = { 'process.env.NODE_ENV': '"production"' }

/** `left` names the packages that stay outside; `folder` is where the entry finds the others. */
export async function bundle(entry: string, left: readonly string[], folder = root): Promise<Bundled> {
  const weights = [await throughEsbuild(entry, left, folder), await throughRolldown(entry, left, folder)]
  return {
    gzip: Math.max(...weights.map((weight) => weight.gzip)),
    brotli: Math.max(...weights.map((weight) => weight.brotli)),
    lazyGzip: Math.max(...weights.map((weight) => weight.lazyGzip)),
  }
}

async function throughEsbuild(entry: string, left: readonly string[], folder: string): Promise<Bundled> {
  const { outputFiles, metafile } = await bundleWithEsbuild({
    stdin: { contents: entry, resolveDir: folder, sourcefile: 'entry.js' },
    bundle: true,
    minify: true,
    splitting: true,
    metafile: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: `${folder}dist/sizes`,
    absWorkingDir: folder,
    // The package imports itself by name here; the paths of tsconfig.json would lead to its source instead.
    tsconfigRaw: '{}',
    define,
    external: [...left],
    legalComments: 'none',
  })
  const importsOf = (name: string) =>
    metafile.outputs[name]!.imports.filter((one) => one.kind === 'import-statement' && !one.external).map(
      (one) => one.path,
    )
  const first = Object.keys(metafile.outputs).find(
    (name) => metafile.outputs[name]!.entryPoint !== undefined,
  )!
  const loaded = closure(first, importsOf)
  return weighLoads(
    outputFiles.map((file): [string, Uint8Array] => [
      file.path.slice(folder.length).replaceAll('\\', '/'),
      file.contents,
    ]),
    loaded,
  )
}

async function throughRolldown(entry: string, left: readonly string[], folder: string): Promise<Bundled> {
  const bundle = await rolldown({
    input: 'entry',
    cwd: folder,
    platform: 'browser',
    external: (id) => left.some((name) => id === name || id.startsWith(`${name}/`)),
    tsconfig: false,
    transform: { define, target: 'es2022' },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? `${folder}entry.js` : null),
        load: (id) => (id === `${folder}entry.js` ? entry : null),
      },
    ],
    logLevel: 'silent',
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  await bundle.close()
  const chunks = new Map(
    output.flatMap((one) => (one.type === 'chunk' ? [[one.fileName, one] as const] : [])),
  )
  const first = [...chunks.values()].find((chunk) => chunk.isEntry)!.fileName
  const loaded = closure(first, (name) => chunks.get(name)?.imports ?? [])
  return weighLoads(
    [...chunks].map(([name, { code }]): [string, Uint8Array] => [name, Buffer.from(code)]),
    loaded,
  )
}

/** What the first load fetches: an entry and everything it imports statically. */
function closure(first: string, importsOf: (name: string) => readonly string[]): Set<string> {
  const loaded = new Set<string>()
  const visit = (name: string) => {
    if (loaded.has(name)) return
    loaded.add(name)
    importsOf(name).forEach(visit)
  }
  visit(first)
  return loaded
}

function weighLoads(files: readonly [string, Uint8Array][], first: ReadonlySet<string>): Bundled {
  const contents = (isFirst: boolean) =>
    files.filter(([name]) => first.has(name) === isFirst).map(([, content]) => content)
  return { ...weigh(contents(true)), lazyGzip: weigh(contents(false)).gzip }
}

export function weigh(files: readonly Uint8Array[]): Weight {
  const sum = (compress: (file: Uint8Array) => Buffer) =>
    files.reduce((total, file) => total + compress(file).length, 0)
  return {
    gzip: sum((file) => gzipSync(file, { level: 9 })),
    brotli: sum((file) => brotliCompressSync(file)),
  }
}
