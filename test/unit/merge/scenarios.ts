/** Two sides that parted from one state, whatever they did since, and what to look for in their merge. */
import fc from 'fast-check'
import { canonicalJson } from '../../../src/base/canonical.ts'
import type { Json } from '../../../src/base/json.ts'
import { isKeyedList, type KeyedItem } from '../../../src/base/keyed-list.ts'
import { diff, toItemToken, toToken } from '../../../src/base/patch.ts'
import type { PolicyOf } from '../../../src/flow/merge-policy.ts'
import type { MergeOptions } from '../../../src/merge/merge-states.ts'
import type { Stamp, StampOf } from '../../../src/merge/merge-value.ts'
import {
  applyChange,
  type Change,
  initialState,
  type Loser,
  type SessionState,
} from '../../../src/record/state.ts'
import { arbitraryKeyedList, deepFreeze } from '../base/arbitrary-json.ts'
import { arbitraryEnd, arbitraryMove, testFlow } from '../record/arbitrary-change.ts'

export const runs = { numRuns: 1500 }

export const fold = (state: SessionState, changes: readonly Change[]) =>
  deepFreeze(changes.reduce(applyChange, state))

export const start = fold(initialState(testFlow, 'one'), [
  { type: 'started', flow: testFlow, step: 'one', key: 'k' },
])

/** A stamp per step and path that is stable, and whose writer is the side's own. */
export function stamps(writer: string, seed: number): StampOf {
  return (step, path): Stamp => {
    let at = seed
    for (const char of step + path) at = (at * 31 + char.charCodeAt(0)) % 5
    return { at, writer }
  }
}

/** What a person does to a list: a function of how it is. */
type ListEdit = (list: readonly KeyedItem[]) => readonly KeyedItem[]

const itemKey = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const listEdit: fc.Arbitrary<ListEdit> = fc.oneof(
  itemKey.map(
    (key): ListEdit =>
      (list) =>
        list.some((item) => item.key === key) ? list : [...list, { key, n: 0 }],
  ),
  itemKey.map(
    (key): ListEdit =>
      (list) =>
        list.filter((item) => item.key !== key),
  ),
  fc.tuple(itemKey, fc.nat(4)).map(
    ([key, to]): ListEdit =>
      (list) => {
        const others = list.filter((item) => item.key !== key)
        return [...others.slice(0, to), ...list.filter((item) => item.key === key), ...others.slice(to)]
      },
  ),
  fc.tuple(itemKey, fc.constantFrom('n', 'text', '/'), fc.option(fc.nat(3))).map(
    ([key, field, value]): ListEdit =>
      (list) =>
        list.map((item) => {
          if (item.key !== key) return item
          const { [field]: _, ...rest } = item
          return { ...(value === null ? rest : { ...item, [field]: value }), key } as KeyedItem
        }),
  ),
  fc.tuple(itemKey, arbitraryKeyedList).map(
    ([key, pets]): ListEdit =>
      (list) =>
        list.map((item) => (item.key === key ? { ...item, pets } : item)),
  ),
)

/** The list lies in a step of its own, or in a field of one. */
const listMove = fc.tuple(listEdit, fc.boolean()).map(([edit, isField]) => (state: SessionState): Change => {
  const step = isField ? 'one' : 'list'
  const path = isField ? '/list' : ''
  const held = state.answers[step] as Json | undefined
  const before = isField ? (held as { list?: Json } | undefined)?.list : held
  const patch = diff(before, edit(isKeyedList(before) ? before : []), path)
  return { type: 'set', step, patch }
})

/** Lists with enough in them to be moved about. */
const withLists = fold(start, [
  {
    type: 'set',
    step: 'list',
    patch: diff(
      undefined,
      ['a', 'b', 'c', 'd'].map((key) => ({ key, n: 0 })),
    ),
  },
  { type: 'set', step: 'one', patch: diff(undefined, { list: ['a', 'b', 'c'].map((key) => ({ key })) }) },
])

type Move = (state: SessionState) => Change
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 2, arbitrary: listMove },
  {
    weight: 1,
    arbitrary: arbitraryMove.map(
      (change): Move =>
        () =>
          change,
    ),
  },
)
const play = (from: SessionState, moves: readonly Move[]) =>
  moves.reduce((state, next) => fold(state, [next(state)]), from)

export interface Scenario extends MergeOptions {
  readonly seeds: readonly [number, number]
}

export function scenarios(options: { ends?: boolean } = {}): fc.Arbitrary<Scenario> {
  const moves = fc.array(move, { maxLength: 6 })
  const end = options.ends ? fc.option(arbitraryEnd) : fc.constant(null)
  return fc
    .record({
      from: fc.constantFrom(start, withLists),
      before: moves,
      our: moves,
      their: moves,
      ourEnd: end,
      theirEnd: end,
      a: fc.nat(4),
      b: fc.nat(4),
    })
    .map(({ from, before, our, their, ourEnd, theirEnd, a, b }) => {
      const base = play(from, before)
      return {
        base,
        ours: fold(play(base, our), ourEnd ? [ourEnd] : []),
        theirs: fold(play(base, their), theirEnd ? [theirEnd] : []),
        ourStamp: stamps('a', a),
        theirStamp: stamps('b', b),
        seeds: [a, b],
      }
    })
}

const choices = ['latest', 'ours', 'theirs', 'ask'] as const

/** A policy for every place, stable, of those given. */
export function arbitraryPolicies(of: readonly (typeof choices)[number][] = choices): fc.Arbitrary<PolicyOf> {
  return fc.nat(50).map(
    (seed): PolicyOf =>
      (step, path) => {
        let at = seed
        for (const char of step + path) at = (at * 31 + char.charCodeAt(0)) % 997
        return of[at % of.length]
      },
  )
}

export const swapped = (options: MergeOptions): MergeOptions => ({
  ...options,
  ...{ ours: options.theirs, theirs: options.ours },
  ...{ ourStamp: options.theirStamp, theirStamp: options.ourStamp },
})

/** Equal, and sharing nothing: as read from storage. */
export const reread = (state: SessionState): SessionState =>
  deepFreeze(JSON.parse(JSON.stringify(state)) as SessionState)

/** Every place that holds a value that has none inside it, with the value's text; items of keyed lists by key. */
export function leaves(
  value: Json | undefined,
  path = '',
  into = new Map<string, string>(),
): Map<string, string> {
  if (isKeyedList(value)) for (const item of value) leaves(item, `${path}/${toItemToken(item.key)}`, into)
  else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value)) leaves(member as Json, `${path}/${toToken(key)}`, into)
  } else if (value !== undefined) into.set(path, canonicalJson(value))
  return into
}
export const leavesOf = (state: SessionState) => leaves(state.answers as unknown as Json)

/** Tells whether the losers name this place of the answers, with that value or within what they hold. */
export function isLost(losers: readonly Loser[], place: string, text: string | undefined): boolean {
  return losers.some((loser) => {
    const at = `/${toToken(loser.step)}${loser.path}`
    if (place !== at && !place.startsWith(`${at}/`)) return false
    return leaves(loser.value).get(place.slice(at.length)) === text
  })
}

/** The keys of every keyed list, by place. */
export function ordersOf(value: Json | undefined, path = '', into = new Map<string, string[]>()) {
  if (isKeyedList(value)) {
    into.set(
      path,
      value.map(({ key }) => key),
    )
    for (const item of value) ordersOf(item, `${path}/${toItemToken(item.key)}`, into)
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value))
      ordersOf(member as Json, `${path}/${toToken(key)}`, into)
  }
  return into
}
