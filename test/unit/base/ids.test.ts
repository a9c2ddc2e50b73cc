import { describe, expect, test } from 'vitest'
import { createId, randomFraction, systemRandom } from '../../../src/base/ids.ts'

describe('createId', () => {
  test('takes five bits of each byte', () => {
    expect(createId(() => Uint8Array.from([0, 9, 10, 31, 32, 255]))).toBe('09av0v')
  })

  test('never repeats and fits the pattern of a writer', () => {
    const ids = Array.from({ length: 2_000 }, () => createId(systemRandom))
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[0-9a-v]{20}$/)
    expect(createId(systemRandom, 16)).toHaveLength(16)
  })
})

describe('randomFraction', () => {
  test('lies in [0, 1)', () => {
    expect(randomFraction(() => new Uint8Array(4))).toBe(0)
    expect(randomFraction(() => new Uint8Array(4).fill(255))).toBe(1 - 2 ** -32)
    expect(randomFraction(() => Uint8Array.from([128, 0, 0, 0]))).toBe(0.5)
    expect(randomFraction(() => new Uint8Array(0))).toBe(0)
  })
})
