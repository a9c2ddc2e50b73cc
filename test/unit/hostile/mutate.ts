import fc from 'fast-check'

/** What nobody should store, send or define, but somebody will. */
const hostileValues: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  Number.NaN,
  2 ** 53,
  '',
  '__proto__',
  '\u0000',
  '\ud800',
  'x'.repeat(100_000),
  [],
  {},
  JSON.parse('{"__proto__":{"polluted":true}}'),
  JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
  { xstate$$type: 1 },
  { length: 1e9 },
  JSON.parse('{"then":"not a function"}'),
  nested(200),
  Array.from({ length: 1_000 }, (_, i) => i),
  '{"__proto__":{"polluted":true}}',
  '[[[[[[[[',
]
const hostileKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'v',
  'at',
  '0',
  '',
]

export interface Mutation {
  /** Fractions that pick a place at each level; the walk ends where there is none to go on to. */
  readonly walk: readonly number[]
  readonly how: 'replace' | 'remove' | 'add' | 'cut' | 'rename'
  readonly value: unknown
  readonly key: string
}

export const arbitraryMutations = fc.array(
  fc.record({
    walk: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 7 }),
    how: fc.constantFrom<Mutation['how']>('replace', 'remove', 'add', 'cut', 'rename'),
    value: fc.constantFrom(...hostileValues),
    key: fc.constantFrom(...hostileKeys),
  }),
  { minLength: 1, maxLength: 3 },
)

/** A copy of a value with some places of it spoiled; text that holds JSON is spoiled inside too. */
export function mutate<T>(value: T, mutations: readonly Mutation[]): T {
  return mutations.reduce(
    (spoiled, mutation) => spoil(spoiled, structuredClone(mutation), 0),
    structuredClone(value) as unknown,
  ) as T
}

function spoil(value: unknown, mutation: Mutation, level: number): unknown {
  const { walk, how, key } = mutation
  const turn = walk[level]
  if (typeof value === 'string' && turn !== undefined && /^[[{]/.test(value)) {
    const inner = parse(value)
    return inner === undefined ? value : JSON.stringify(spoil(inner, mutation, level + 1))
  }
  if (typeof value === 'string' && how === 'cut')
    return value.slice(0, Math.floor(value.length * (turn ?? 0.5)))
  if (turn === undefined || typeof value !== 'object' || value === null) return mutation.value
  const keys = Object.keys(value)
  const isLast = walk[level + 1] === undefined
  if (isLast && how === 'add') return define(value, key, mutation.value)
  const picked = keys[Math.floor(turn * keys.length)]
  if (picked === undefined) return mutation.value
  const member = (value as Record<string, unknown>)[picked]
  if (isLast && (how === 'remove' || how === 'rename')) {
    Reflect.deleteProperty(value, picked)
    return how === 'rename' ? define(value, key, member) : value
  }
  return define(value, picked, spoil(member, mutation, level + 1))
}

function define(object: object, key: string, value: unknown): object {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  return object
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function nested(depth: number): unknown {
  return depth === 0 ? 'deep' : { in: nested(depth - 1) }
}
