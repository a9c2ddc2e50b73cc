/**
 * A test that makes anything write to `console.error` or `console.warn` fails, and shows what was written.
 * A test that expects such a line says so: `vi.spyOn(console, 'error').mockImplementation(() => {})`.
 */
import { afterEach } from 'vitest'

const written: string[] = []

for (const level of ['error', 'warn'] as const) {
  const write = console[level]
  console[level] = (...args: unknown[]) => {
    written.push(`console.${level}: ${args.map(String).join(' ')}`)
    write.apply(console, args)
  }
}

afterEach(() => {
  const lines = written.splice(0)
  if (lines.length > 0) throw new Error(`Unexpected console output:\n${lines.join('\n')}`)
})
