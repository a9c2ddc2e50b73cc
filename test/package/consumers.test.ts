/** The built package as its consumers meet it: on a server without a window, and from a script tag. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const doors = Object.keys(manifest.exports).filter((path) => path !== './package.json' && path !== './script')

describe('on a server', () => {
  test.each(doors)('importing %s touches no window and leaves no global behind', (path) => {
    const script = `
      const before = Object.getOwnPropertyNames(globalThis)
      const module = await import(${JSON.stringify(path.replace('.', manifest.name))})
      const isOurs = (name) => !before.includes(name) && !name.startsWith('__zod_')
      const added = Object.getOwnPropertyNames(globalThis).filter(isOurs)
      console.log(JSON.stringify({ exported: Object.keys(module), added, window: typeof window }))`
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { exported, added, window } = JSON.parse(output)
    expect(exported.length).toBeGreaterThan(0)
    expect({ added, window }).toEqual({ added: [], window: 'undefined' })
  })
})

describe('the script-tag build', () => {
  let code: string
  beforeAll(() => {
    code = readFileSync(`${root}dist/waymark.script.js`, 'utf8')
  })

  test('adds one global, Waymark, with the functions of the main door', () => {
    const page = createContext({ TextEncoder, TextDecoder, URL, setTimeout, clearTimeout })
    const before = Object.keys(page)
    runInContext(code, page)
    expect(Object.keys(page).filter((name) => !before.includes(name))).toEqual(['Waymark'])
    const { Waymark } = page as { Waymark: Record<string, unknown> }
    expect(typeof Waymark['createWaymark']).toBe('function')
    expect(typeof Waymark['defineFlow']).toBe('function')
  })

  test('carries its dependencies and works where eval is forbidden', () => {
    expect(code).not.toMatch(/(?<![.\w$])(?:require|import)\s*\(|^import\b/m)
    expect(code).not.toMatch(/\beval\(|new Function\(/)
    expect(code).not.toContain('process.env')
  })

  test('can be loaded twice in one page', () => {
    const page = createContext({ TextEncoder, TextDecoder, URL, setTimeout, clearTimeout })
    runInContext(code, page)
    runInContext(code, page)
    expect(typeof (page as { Waymark: Record<string, unknown> }).Waymark['createWaymark']).toBe('function')
  })
})
