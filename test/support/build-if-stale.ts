import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What is tested and weighed is what would be published: builds dist unless it is newer than what it is made of. */
export function buildIfStale(): void {
  const built = [`${root}dist/waymark.js`, `${root}dist/waymark.script.js`, `${root}dist/waymark.d.ts`]
  const sources = [
    `${root}package.json`,
    `${root}package-lock.json`,
    `${root}vite.config.ts`,
    ...readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).map((name) => `${root}src/${name}`),
  ]
  const isFresh =
    built.every((file) => existsSync(file)) &&
    Math.min(...built.map(changedAt)) > Math.max(...sources.map(changedAt))
  if (isFresh) return
  try {
    // A test runner says NODE_ENV=test, under which XState's development build would be bundled.
    const env = { ...process.env, NODE_ENV: 'production' }
    execFileSync('npm', ['run', '-s', 'build'], { cwd: root, encoding: 'utf8', stdio: 'pipe', env })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`npm run build failed:\n${stdout}${stderr}`)
  }
}

function changedAt(file: string): number {
  return statSync(file).mtimeMs
}
