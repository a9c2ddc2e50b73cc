import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'
import { describe, expect, inject, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const { './package.json': self, ...exported } = manifest.exports as Record<
  string,
  { types: string; default: string }
>

test('npm run build succeeds', () => {
  expect(inject('buildFailure')).toBe('')
})

describe('package.json', () => {
  test('exports every door, and nothing that is no door', () => {
    const doors = readdirSync(`${root}src`).filter((name) => name.endsWith('.ts') || name.endsWith('.tsx'))
    const paths = doors.map((door) => (door === 'waymark.ts' ? '.' : `./${door.replace(/\.tsx?$/, '')}`))
    expect(Object.keys(exported).sort()).toEqual(paths.sort())
    expect(self).toBe('./package.json')
  })

  test.each(Object.entries(exported))(
    'exports %s with its types first, to files that were built',
    (path, target) => {
      const door = path === '.' ? 'waymark' : path.slice(2)
      const module = door === 'script' ? 'waymark.script' : door
      expect(Object.entries(target)).toEqual([
        ['types', `./dist/${door}.d.ts`],
        ['default', `./dist/${module}.js`],
      ])
      for (const file of Object.values(target)) expect(existsSync(`${root}${file}`), file).toBe(true)
    },
  )

  test('lets a bundler drop what is not used, and publishes the build only', () => {
    expect(manifest.type).toBe('module')
    expect(manifest.sideEffects).toBe(false)
    expect(manifest.files).toEqual(['dist', 'README.md', 'LICENSE'])
  })

  test('depends at run time on nothing but what the build imports', () => {
    const modules = readdirSync(`${root}dist`, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.js') && !name.endsWith('.script.js'),
    )
    const specifiers = modules.flatMap((name) =>
      parseSync(name, readFileSync(`${root}dist/${name}`, 'utf8')).module.staticImports.map(
        (found) => found.moduleRequest.value,
      ),
    )
    const imported = new Set(
      specifiers
        .filter((name) => !name.startsWith('.'))
        .map((name) =>
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
    )
    const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]
    expect([...imported].sort()).toEqual(declared.sort())
  })
})
