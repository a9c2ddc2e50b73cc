/**
 * `npm run size`: what each door weighs to the people who import it. Measured on the built package, bundled and
 * minified by esbuild and by rolldown; a number is the larger of the two.
 *
 *     ownGzip, ownBrotli       our code alone, every package left out
 *     totalGzip, totalBrotli   with everything it loads at once; React is there already and left out
 *     lazyGzip                 what it may fetch later, over and above
 *     thirdParty               what `totalGzip` would be less without each package
 *
 * gzip -9 and brotli 11, per file, summed over the first load. `waymark` is measured as
 * `import { createWaymark, defineFlow }`, the other doors whole. Budgets are in package.json, under "sizes", in bytes.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build as bundleWithEsbuild } from 'esbuild'
import { rolldown } from 'rolldown'
import { buildIfStale } from '../support/build-if-stale.ts'

export interface Size {
  ownGzip?: number
  totalGzip: number
  ownBrotli?: number
  totalBrotli: number
  lazyGzip?: number
  thirdParty?: Record<string, number>
}

export interface Budget {
  name: string
  limit: number
  measured: number
  met: boolean
}

export interface SizeReport {
  doors: Record<string, Size>
  budgets: Budget[]
}

interface Weight {
  gzip: number
  brotli: number
}

interface Bundled extends Weight {
  lazyGzip: number
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const presentPackages = ['react', 'react-dom']
const define = { 'process.env.NODE_ENV': '"production"' }

/** Builds the package if it is older than its source, then measures it. */
export async function measureSizes(): Promise<SizeReport> {
  buildIfStale()
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const packages = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]
  const doors: Record<string, Size> = {}
  for (const path of Object.keys(manifest.exports)) {
    if (path === './package.json') continue
    const door = path === '.' ? 'waymark' : path.slice(2)
    if (door === 'script') {
      const { gzip, brotli } = weigh([readFileSync(`${root}dist/waymark.script.js`)])
      doors[door] = { totalGzip: gzip, totalBrotli: brotli }
      continue
    }
    const names = path === '.' ? '{ createWaymark, defineFlow }' : '*'
    const entry = `export ${names} from '${path.replace('.', manifest.name)}'`
    const own = await bundle(entry, [...packages, ...presentPackages])
    const total = await bundle(entry, presentPackages)
    const thirdParty: Record<string, number> = {}
    for (const name of packages) {
      const without = await bundle(entry, [...presentPackages, name])
      if (total.gzip > without.gzip) thirdParty[name] = total.gzip - without.gzip
    }
    doors[door] = {
      ownGzip: own.gzip,
      totalGzip: total.gzip,
      ownBrotli: own.brotli,
      totalBrotli: total.brotli,
      lazyGzip: total.lazyGzip,
      thirdParty,
    }
  }
  return { doors, budgets: compare(doors, manifest.sizes) }
}

function compare(doors: Record<string, Size>, limits: Record<string, Record<string, number>>): Budget[] {
  return Object.entries(limits).flatMap(([door, byKey]) =>
    Object.entries(byKey).map(([key, limit]) => {
      const measured = doors[door]?.[key as 'totalGzip']
      if (measured === undefined) throw new Error(`package.json sizes: nothing is measured as ${door} ${key}`)
      return { name: `${door} ${key}`, limit, measured, met: measured <= limit }
    }),
  )
}

async function bundle(entry: string, left: readonly string[]): Promise<Bundled> {
  const weights = [await throughEsbuild(entry, left), await throughRolldown(entry, left)]
  return {
    gzip: Math.max(...weights.map((weight) => weight.gzip)),
    brotli: Math.max(...weights.map((weight) => weight.brotli)),
    lazyGzip: Math.max(...weights.map((weight) => weight.lazyGzip)),
  }
}

async function throughEsbuild(entry: string, left: readonly string[]): Promise<Bundled> {
  const { outputFiles, metafile } = await bundleWithEsbuild({
    stdin: { contents: entry, resolveDir: root, sourcefile: 'entry.js' },
    bundle: true,
    minify: true,
    splitting: true,
    metafile: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: `${root}dist/sizes`,
    absWorkingDir: root,
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
      file.path.slice(root.length).replaceAll('\\', '/'),
      file.contents,
    ]),
    loaded,
  )
}

async function throughRolldown(entry: string, left: readonly string[]): Promise<Bundled> {
  const bundle = await rolldown({
    input: 'entry',
    cwd: root,
    platform: 'browser',
    external: (id) => left.some((name) => id === name || id.startsWith(`${name}/`)),
    tsconfig: false,
    transform: { define, target: 'es2022' },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? `${root}entry.js` : null),
        load: (id) => (id === `${root}entry.js` ? entry : null),
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

function weigh(files: readonly Uint8Array[]): Weight {
  const sum = (compress: (file: Uint8Array) => Buffer) =>
    files.reduce((total, file) => total + compress(file).length, 0)
  return {
    gzip: sum((file) => gzipSync(file, { level: 9 })),
    brotli: sum((file) => brotliCompressSync(file)),
  }
}

function print({ doors, budgets }: SizeReport): void {
  const kb = (bytes: number | undefined) =>
    (bytes === undefined ? '' : `${(bytes / 1024).toFixed(2)} KB`).padStart(10)
  console.log(
    `${'door'.padEnd(10)}${['own gzip', 'brotli', 'total gzip', 'brotli'].map((s) => s.padStart(11)).join('')}`,
  )
  for (const [door, size] of Object.entries(doors)) {
    const columns = [size.ownGzip, size.ownBrotli, size.totalGzip, size.totalBrotli]
    console.log(`${door.padEnd(10)} ${columns.map(kb).join(' ')}`)
    const parts = Object.entries({
      ...size.thirdParty,
      ...(size.lazyGzip && { 'later, lazily': size.lazyGzip }),
    })
    for (const [name, bytes] of parts) console.log(`  of it ${name}: ${kb(bytes).trim()}`)
  }
  for (const { name, limit, measured, met } of budgets) {
    console.log(`${met ? 'inside' : 'OVER  '} ${name}: ${measured} of ${limit} bytes`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = await measureSizes()
  if (process.argv.includes('--json')) console.log(JSON.stringify(report))
  else print(report)
  process.exitCode = report.budgets.every((budget) => budget.met) ? 0 : 1
}
