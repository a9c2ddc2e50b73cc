/**
 * `npm run size [-- --peers] [--json]`: what each door weighs to the people who import it. Measured on the built
 * package, bundled and minified by esbuild and by rolldown; a number is the larger of the two. With `--peers` each peer
 * of the benchmark beside them, imported for the same job; that installs them, which needs the network once.
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
import { buildIfStale } from '../support/build-if-stale.ts'
import { bundle, weigh } from './weigh/bundle.ts'
import { measurePeers, type PeerSizes } from './weigh/peers.ts'

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
  /** Only where they were asked for. */
  peers?: PeerSizes
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const presentPackages = ['react', 'react-dom']

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

function print({ doors, budgets, peers = {} }: SizeReport): void {
  const kb = (bytes: number | undefined) =>
    (bytes === undefined ? '' : `${(bytes / 1024).toFixed(2)} KB`).padStart(10)
  console.log(
    `${'door'.padEnd(30)}${['own gzip', 'brotli', 'total gzip', 'brotli'].map((s) => s.padStart(11)).join('')}`,
  )
  for (const [door, size] of Object.entries(doors)) {
    const columns = [size.ownGzip, size.ownBrotli, size.totalGzip, size.totalBrotli]
    console.log(`${door.padEnd(30)} ${columns.map(kb).join(' ')}`)
    const parts = Object.entries({
      ...size.thirdParty,
      ...(size.lazyGzip && { 'later, lazily': size.lazyGzip }),
    })
    for (const [name, bytes] of parts) console.log(`  of it ${name}: ${kb(bytes).trim()}`)
  }
  for (const [peer, { gzip, brotli, lazyGzip }] of Object.entries(peers)) {
    console.log(`${peer.padEnd(30)} ${[undefined, undefined, gzip, brotli].map(kb).join(' ')}`)
    if (lazyGzip > 0) console.log(`  and later, lazily: ${kb(lazyGzip).trim()}`)
  }
  for (const { name, limit, measured, met } of budgets) {
    console.log(`${met ? 'inside' : 'OVER  '} ${name}: ${measured} of ${limit} bytes`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = {
    ...(await measureSizes()),
    ...(process.argv.includes('--peers') ? { peers: await measurePeers() } : {}),
  }
  if (process.argv.includes('--json')) console.log(JSON.stringify(report))
  else print(report)
  process.exitCode = report.budgets.every((budget) => budget.met) ? 0 : 1
}
