import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../src/base/canonical.ts'
import type { Json } from '../../../src/base/json.ts'
import { arbitraryJson } from './arbitrary-json.ts'

/** RFC 8785, appendix B: the IEEE 754 bits and the text they must have. */
const numbers: readonly [bits: string, text: string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

function fromBits(bits: string): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(`0x${bits}`))
  return view.getFloat64(0)
}

describe('canonicalJson', () => {
  test.each(numbers)('writes the number %s as %s', (bits, text) => {
    expect(canonicalJson(fromBits(bits))).toBe(text)
  })

  test('writes the example of RFC 8785 §3.2.2', () => {
    const value = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`)
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  test('sorts members by UTF-16 code units, as in RFC 8785 §3.2.3', () => {
    const value = JSON.parse(String.raw`{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }`)
    expect(
      Object.values(JSON.parse(canonicalJson(value)) as object).map((name) => name.split(' ')[0]),
    ).toEqual(
      // JSON.parse puts the index-like name first in any case.
      ['One', 'Carriage', 'Control', 'Latin', 'Euro', 'Emoji:', 'Hebrew'],
    )
    expect(canonicalJson({ b: 1, a: 2, 10: 3, 9: 4, A: 5, '': 6 })).toBe(
      '{"":6,"10":3,"9":4,"A":5,"a":2,"b":1}',
    )
  })

  test('escapes lone surrogates and NUL, keeps pairs', () => {
    expect(canonicalJson(['\ud800', '\udc00x', '😀', 'a\u0000b'])).toBe(
      String.raw`["\ud800","\udc00x","😀","a\u0000b"]`,
    )
    expect(canonicalJson({ '\ud83d': 1, '\u0000': 2 })).toBe(String.raw`{"\u0000":2,"\ud83d":1}`)
  })

  test('leaves out members that are undefined', () => {
    const value = { a: undefined, b: 1, c: undefined } as unknown as Json
    expect(canonicalJson(value)).toBe('{"b":1}')
  })

  test('keeps names that objects inherit', () => {
    const text = '{"__proto__":{"a":1},"constructor":null,"toString":"x"}'
    expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
  })

  test('reads back as it was, is well formed, and does not depend on the order of members', () => {
    fc.assert(
      fc.property(arbitraryJson, (value) => {
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(value)
        expect(text).not.toMatch(/\p{Surrogate}|\0/u)
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
        expect(canonicalJson(reversed(value))).toBe(text)
      }),
      { numRuns: 500 },
    )
  })
})

function reversed(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly Json[]).map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]): [string, Json] => [key, reversed(member)])
      .reverse(),
  )
}
