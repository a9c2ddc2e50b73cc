import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { measureSizes } from '../bench/size.ts'

const root = new URL('../../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')

describe('README', () => {
  test('quotes the sizes that are measured', async () => {
    const { doors } = await measureSizes()
    for (const [row, door] of [
      [/createWaymark, defineFlow/, 'waymark'],
      [/^\| `waymark\/backends`/, 'backends'],
      [/^\| `waymark\/react`/, 'react'],
      [/^\| the script tag/, 'script'],
    ] as const) {
      const line = readme.split('\n').find((text) => text.startsWith('|') && row.test(text)) ?? ''
      const [own, total] = line
        .split('|')
        .slice(2, 4)
        .map((cell) => Number(cell))
      const size = doors[door]!
      const isQuoted = (quoted: number | undefined, bytes: number | undefined) =>
        Math.abs((quoted ?? 0) - (bytes ?? 0) / 1024) <= Math.max(0.1, (0.02 * (bytes ?? 0)) / 1024)
      expect(
        isQuoted(own, size.ownGzip) && isQuoted(total, size.totalGzip),
        `README says ${own} and ${total} KB of ${door}, measured ${(size.ownGzip ?? 0) / 1024} and ${size.totalGzip / 1024}`,
      ).toBe(true)
    }
  })

  test('has a line for every error code, and no other', () => {
    const source = readFileSync(new URL('src/base/errors.ts', root), 'utf8')
    const union = source.slice(
      source.indexOf('export type ErrorCode'),
      source.indexOf('export type ErrorDetails'),
    )
    const codes = [...union.matchAll(/'([a-z-]+)'/g)].map((match) => match[1]).sort()
    const section = readme.slice(readme.indexOf('## Error codes'), readme.indexOf('## Sizes and browsers'))
    const listed = [...section.matchAll(/^\| `([a-z-]+)`/gm)].map((match) => match[1]).sort()
    expect(listed).toEqual(codes)
  })
})
