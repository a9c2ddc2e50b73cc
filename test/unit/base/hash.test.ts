import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/base/hash.ts'

describe('sha256', () => {
  test('is the SHA-256 of the UTF-8 bytes', () => {
    expect(sha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(sha256(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'))
      }),
    )
    for (const length of [55, 56, 63, 64, 65, 1_000_000]) {
      const text = 'é'.repeat(length)
      expect(sha256(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'))
    }
  })

  test('tells texts apart that differ in a lone surrogate only', () => {
    const texts = [
      '\ufffd',
      '\ud83d',
      '\ud83c',
      '\udfff',
      'a\ud83d',
      '\ud83da',
      '\ud83d\ud83d',
      '\ude00\ud83d',
      '\ud83d\ude00',
    ]
    expect(new Set(texts.map(sha256)).size).toBe(texts.length)
    // Two halves of one emoji hash as other halves do not: a text is cut into records anywhere.
    expect(sha256('x😀'.slice(0, 2))).not.toBe(sha256('x🎀'.slice(0, 2)))
  })
})
