import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksum } from '../../../src/base/checksum.ts'

describe('checksum', () => {
  test.each([
    ['', '811c9dc5'],
    ['a', 'e40c292c'],
    ['foobar', 'bf9cf968'],
  ])('of "%s" begins with its FNV-1a', (text, fnv) => {
    expect(checksum(text)).toMatch(new RegExp(`^${fnv}[0-9a-f]{8}$`))
  })

  test('shows every change of one unit, a lone surrogate too', () => {
    const unit = fc.integer({ min: 0, max: 0xffff })
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1 }), fc.nat(), unit, (units, at, now) => {
        const changed = units.with(at % units.length, now)
        const isSame = units[at % units.length] === now
        const [a, b] = [units, changed].map((all) => checksum(String.fromCharCode(...all)))
        expect(a === b).toBe(isSame)
      }),
      { numRuns: 1_000 },
    )
  })
})
