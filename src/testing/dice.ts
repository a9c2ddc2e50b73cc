import type { Random } from '../base/ids.ts'

/** Seeded chance: the same seeds, the same throws. */
export interface Dice {
  /** A number in [0, 1). */
  next(): number
  /** A whole number from 0 to `count` - 1. */
  below(count: number): number
  between(from: number, to: number): number
  /** True with the given probability. */
  is(probability: number): boolean
  pick<T>(items: readonly T[]): T
}

/** Dice for a purpose of their own: `of(seed, 3)` throws the same whatever was thrown elsewhere. */
export function diceOf(...seeds: readonly number[]): Dice {
  let state = seeds.reduce((mixed, seed) => mix(mixed ^ mix(seed + 0x9e3779b9)), 0x6d2b79f5)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    return (mix(state) >>> 0) / 2 ** 32
  }
  const below = (count: number) => Math.floor(next() * count)
  return {
    next,
    below,
    between: (from, to) => from + next() * (to - from),
    is: (probability) => next() < probability,
    pick: (items) => items[below(items.length)]!,
  }
}

/** Bytes for ids and jitter. */
export function randomOf(dice: Dice): Random {
  return (length) => Uint8Array.from({ length }, () => dice.below(256))
}

/** Murmur3's finalizer: every bit of the input moves every bit of the result. */
export function mix(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
