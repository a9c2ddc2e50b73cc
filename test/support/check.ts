/**
 * `npm run check [-- --json]`: everything that needs no browser, in one command. Steps go on after one has failed, so
 * one call shows all there is to mend; a failed step's output follows the table. What judges the build fails with it.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const commands: readonly (readonly [name: string, ...command: string[]])[] = [
  ['format and lint', 'biome', 'check'],
  ['types', 'tsc', '-p', '.'],
  ['build', 'npm', 'run', '-s', 'build'],
  ['floor plan and package', 'vitest', 'run', '--project', 'package'],
  ['publint', 'publint', '--strict'],
  ['types as published', 'attw', '--pack', '.', '--profile', 'esm-only'],
  ['size', 'tsx', 'test/bench/size.ts'],
]

const judgesBuild = new Set(['publint', 'types as published', 'size'])

interface Step {
  name: string
  ok: boolean
  ms: number
}

const isJson = process.argv.includes('--json')
const steps: Step[] = []
const failures: string[] = []

for (const [name, ...command] of commands) {
  const start = performance.now()
  const hasNoBuild = judgesBuild.has(name) && steps.some((step) => step.name === 'build' && !step.ok)
  const { ok, output } = hasNoBuild ? { ok: false, output: 'There is no build.' } : await run(command)
  const step = { name, ok, ms: Math.round(performance.now() - start) }
  steps.push(step)
  if (!ok) failures.push(`\n── ${name}: ${command.join(' ')}\n${output.trim()}`)
  if (!isJson) console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(24)} ${String(step.ms).padStart(6)} ms`)
}

const ok = steps.every((step) => step.ok)
// With --json the one object is all of stdout; what failed, and how, is for whoever reads stderr.
if (isJson) console.log(JSON.stringify({ ok, steps }))
for (const failure of failures) (isJson ? console.error : console.log)(failure)
process.exitCode = ok ? 0 : 1

function run(command: readonly string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${root}node_modules/.bin:${process.env['PATH']}` },
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', (error) => resolve({ ok: false, output: String(error) }))
    child.once('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() }))
  })
}
