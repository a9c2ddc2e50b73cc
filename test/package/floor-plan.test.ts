import { readdirSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkFloorPlan, type House, readFloorPlan } from './floor-plan.ts'

const root = new URL('../../', import.meta.url)

function readHouse(): House {
  const src = new URL('src/', root)
  const names = readdirSync(src, { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => statSync(new URL(name, src)).isFile())
  return {
    files: new Map(
      files.map((name) => [name.replaceAll('\\', '/'), readFileSync(new URL(name, src), 'utf8')]),
    ),
    manifest: JSON.parse(readFileSync(new URL('package.json', root), 'utf8')),
  }
}

describe('the house', () => {
  const house = readHouse()

  test('is built after its floor plan', () => {
    expect(checkFloorPlan(house)).toEqual([])
  })

  test('has a floor for every room that exists, and the rooms of the path', () => {
    const { rooms } = readFloorPlan(house.files.get('README.md')!)
    expect([...rooms.keys()]).toEqual(
      expect.arrayContaining(['base', 'session', 'journal', 'store', 'sync', 'client']),
    )
    expect(rooms.get('base')).toEqual({ floor: 0, packages: new Set(['@noble/hashes']) })
  })
})

describe('the check', () => {
  const readme = `
| room | floor | job | third party it may know |
|---|---|---|---|
| \`base/\` | 0 | errors | \`@noble/hashes\` |
| \`flow/\` | 1 | definition | Standard Schema types |
| \`record/\` | 1 | shapes | |
| \`store/\` | 3 | the port | \`idb\`, \`zod\` |

Sideways, types only: \`flow/\` → \`record/\`.
`
  const sound: Record<string, string> = {
    'README.md': readme,
    'tsconfig.json': '{}',
    'waymark.ts': `export { openStore } from './store/store.ts'\nexport type { Entry } from './record/entry.ts'`,
    'base/errors.ts': `import { sha256 } from '@noble/hashes/sha2.js'\nexport const hash = sha256`,
    'record/entry.ts': `import { hash } from '../base/errors.ts'\nexport interface Entry { at: typeof hash }`,
    'flow/flow.ts': `import type { Entry } from '../record/entry.ts'\nexport const flow = (entry: Entry) => entry`,
    'store/store.ts': `import { openDB } from 'idb'\nimport { hash } from '../base/errors.ts'\nexport const openStore = () => [openDB, hash]`,
  }
  const manifest = {
    exports: { '.': './dist/waymark.js', './package.json': './package.json' },
    dependencies: { idb: '1', '@noble/hashes': '1' },
    peerDependencies: {},
  }
  const check = (changes: Record<string, string>, exports: Record<string, string> = manifest.exports) =>
    checkFloorPlan({
      files: new Map(Object.entries({ ...sound, ...changes })),
      manifest: { ...manifest, exports },
    })

  test('accepts a sound house', () => {
    expect(check({})).toEqual([])
  })

  const upward = 'base/up.ts: imports upward: base/ (0) → record/ (1), record/entry.ts'
  test.each([
    ['an import', `import { x } from '../record/entry.ts'\nexport const y = x`],
    ['a type import', `import type { Entry } from '../record/entry.ts'\nexport type E = Entry`],
    ['an inline type import', `export type E = import('../record/entry.ts').Entry`],
    ['a typeof import', `export type E = typeof import('../record/entry.ts')`],
    ['a dynamic import', `export const load = () => import('../record/entry.ts')`],
    ['a re-export', `export const a = 1\nexport { type Entry } from '../record/entry.ts'`],
    ['a star re-export', `export const a = 1\nexport * from '../record/entry.ts'`],
    ['a side-effect import', `import '../record/entry.ts'\nexport const a = 1`],
    ['a worker', `export const w = new Worker(new URL('../record/entry.ts', import.meta.url))`],
    ['a require', `export const a = require('../record/entry.ts')`],
  ])('catches an upward import: %s', (_kind, text) => {
    expect(check({ 'base/up.ts': text })).toEqual([upward])
  })

  test('catches a dynamic import it cannot read', () => {
    const text = 'export const load = (name: string) => import(name)'
    expect(check({ 'base/up.ts': text })).toEqual(['base/up.ts: imports something this test cannot read'])
  })

  test('lets a room look sideways at types only, and only where the plan says so', () => {
    const value = `import { type Entry, x } from '../record/entry.ts'\nexport const y = (e: Entry) => x`
    expect(check({ 'flow/flow.ts': value })).toEqual([
      'flow/flow.ts: imports sideways: flow/ → record/ (both 1), record/entry.ts',
    ])
    expect(
      check({ 'record/back.ts': `import type { flow } from '../flow/flow.ts'\nexport type F = typeof flow` }),
    ).toEqual(['record/back.ts: imports sideways: record/ → flow/ (both 1), flow/flow.ts'])
  })

  test('catches a cycle, made of types too', () => {
    const wrong = check({
      'base/a.ts': `import type { B } from './b.ts'\nexport type A = B`,
      'base/b.ts': `import { c } from './c.ts'\nexport type B = typeof c`,
      'base/c.ts': `import type { A } from './a.ts'\nexport const c: A = 1 as never`,
    })
    expect(wrong).toEqual(['cycle: base/a.ts → base/b.ts → base/c.ts → base/a.ts'])
  })

  test('catches a room that imports a door', () => {
    expect(
      check({ 'store/back.ts': `import { openStore } from '../waymark.ts'\nexport const o = openStore` }),
    ).toEqual(['store/back.ts: store/ imports the door waymark.ts'])
  })

  test('catches a package outside its rooms, undeclared, or of Node', () => {
    expect(
      check({ 'flow/idb.ts': `import type { IDBPDatabase } from 'idb'\nexport type D = IDBPDatabase` }),
    ).toEqual(['flow/idb.ts: flow/ may not know the package idb'])
    expect(check({ 'store/zod.ts': `import { z } from 'zod'\nexport const s = z` })).toEqual([
      'store/zod.ts: imports zod, which is neither a dependency nor a peer',
    ])
    expect(
      check({ 'store/fs.ts': `import { readFileSync } from 'node:fs'\nexport const s = readFileSync` }),
    ).toEqual(['store/fs.ts: imports node:fs: the library runs where there is no Node'])
  })

  test('catches a door that does more than re-export, and a barrel in a room', () => {
    const door = `import { openStore } from './store/store.ts'\nexport const open = openStore`
    expect(check({ 'waymark.ts': door })).toEqual(['waymark.ts: a door re-exports and does nothing else'])
    expect(check({ 'base/index.ts': `export * from './errors.ts'` })).toEqual([
      'base/index.ts: a barrel inside a room',
    ])
  })

  test('catches doors and exports that do not match', () => {
    expect(check({ 'extra.ts': `export { hash } from './base/errors.ts'` })).toEqual([
      'extra.ts: no export of package.json',
    ])
    expect(check({}, { ...manifest.exports, './react': './dist/react.js' })).toEqual([
      'package.json exports react.ts, which is no door',
    ])
  })

  test('catches a specifier without .ts, and one that leads nowhere', () => {
    expect(check({ 'base/a.ts': `import { hash } from './errors.js'\nexport const h = hash` })).toEqual([
      'base/a.ts: imports "./errors.js" without its .ts extension',
    ])
    expect(check({ 'base/a.ts': `import { hash } from './errors'\nexport const h = hash` })).toEqual([
      'base/a.ts: imports "./errors" without its .ts extension',
    ])
    expect(check({ 'base/a.ts': `import { hash } from './error.ts'\nexport const h = hash` })).toEqual([
      'base/a.ts: imports "./error.ts", which does not exist',
    ])
  })

  test('catches default exports, bare errors, names without a subject, and rooms off the plan', () => {
    expect(check({ 'base/a.ts': 'export default 1' })).toEqual(['base/a.ts: has a default export'])
    expect(check({ 'base/a.ts': 'const a = 1\nexport { a as default }' })).toEqual([
      'base/a.ts: has a default export',
    ])
    expect(check({ 'base/a.ts': `export const f = () => { throw new Error('no') }` })).toEqual([
      'base/a.ts: throws a bare Error instead of a WaymarkError',
    ])
    expect(check({ 'base/utils.ts': 'export const a = 1' })).toEqual([
      'base/utils.ts: "utils" names no subject',
    ])
    expect(check({ 'base/helpers/a.ts': 'export const a = 1' })).toEqual([
      'base/helpers/a.ts: "helpers" names no subject',
    ])
    expect(check({ 'attic/a.ts': 'export const a = 1' })).toEqual([
      'attic/a.ts: attic/ is not in the floor plan',
    ])
    expect(check({ 'base/a.css': 'a {}' })).toEqual(['base/a.css: is not a TypeScript module'])
    expect(check({ 'base/a.ts': 'export const = 1' }).join()).toContain('base/a.ts: does not parse')
  })
})
