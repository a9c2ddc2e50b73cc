/**
 * The last step of `npm run build`: emits the declarations into dist, then lets them import each other as `.js`.
 * The compiler rewrites `.ts` specifiers in the code it emits but not in declarations, and not every consumer's
 * compiler reads a `.ts` specifier inside a package.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tsSpecifier = /(\b(?:from|import)\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\.tsx?\2/g

const tsc = `${root}node_modules/typescript/bin/tsc`
const { status } = spawnSync(process.execPath, [tsc, '-p', 'src/tsconfig.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)
for (const name of readdirSync(`${root}dist`, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.d.ts')) continue
  const file = `${root}dist/${name}`
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(tsSpecifier, '$1$2$3.js$2'))
}
