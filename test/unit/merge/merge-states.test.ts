import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../src/base/canonical.ts'
import type { Json } from '../../../src/base/json.ts'
import { diff, valueAt } from '../../../src/base/patch.ts'
import { type MergeOptions, mergeStates } from '../../../src/merge/merge-states.ts'
import type { StampOf } from '../../../src/merge/merge-value.ts'
import { type Change, conflictId, isEnded, type Loser, type SessionState } from '../../../src/record/state.ts'
import { deepFreeze } from '../base/arbitrary-json.ts'
import { testFlow } from '../record/arbitrary-change.ts'
import {
  arbitraryPolicies,
  fold,
  isLost,
  leavesOf,
  ordersOf,
  reread,
  runs,
  scenarios,
  start,
  swapped,
} from './scenarios.ts'

const set = (step: string, value: Json, path = ''): Change => ({
  ...{ type: 'set', step, patch: [{ op: 'add', path, value }] },
})
const finish = (step: string): Change => ({ type: 'finished', step, how: 'valid' })

describe('mergeStates', () => {
  test('touches nothing, gives plain JSON, and the same again', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), arbitraryPolicies(), (scenario, policyOf) => {
        const options = { ...scenario, policyOf }
        const outcome = mergeStates(options)
        expect(JSON.parse(JSON.stringify(outcome.state))).toEqual(outcome.state)
        expect(mergeStates(options)).toEqual(outcome)
      }),
      runs,
    )
  })

  test('gives a side merged with itself or with the base', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), arbitraryPolicies(), (scenario, policyOf) => {
        const { base, ours, ourStamp, theirStamp } = scenario
        const stampOf = { ourStamp, theirStamp, policyOf }
        for (const other of [base, ours, reread(base), reread(ours)]) {
          const outcome = mergeStates({ base, ours, theirs: other, ...stampOf })
          expect(outcome.losers).toEqual([])
          expect({ ...outcome.state, visited: null }).toEqual({ ...ours, visited: null })
          const back = mergeStates({ base, ours: other, theirs: ours, ...stampOf })
          expect(back.losers).toEqual([])
          // Each tab keeps its own step, so that alone may be the base's.
          expect({ ...back.state, visited: null, step: '' }).toEqual({ ...ours, visited: null, step: '' })
        }
      }),
      runs,
    )
  })

  test('gives what it gave when its result is merged again', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), arbitraryPolicies(), (scenario, policyOf) => {
        const options = { ...scenario, policyOf }
        const { state } = mergeStates(options)
        for (const side of ['ours', 'theirs'] as const) {
          const again = mergeStates({
            ...options,
            [side === 'ours' ? 'theirs' : 'ours']: state,
            base: options[side],
          })
          expect(again.losers).toEqual([])
          expect(again.state.answers).toEqual(state.answers)
          expect(again.state.status).toBe(state.status)
        }
      }),
      runs,
    )
  })

  test('gives the same answers, finishes and losers whichever side is ours', () => {
    fc.assert(
      fc.property(scenarios(), arbitraryPolicies(['latest', 'ask']), (scenario, policyOf) => {
        const options = { ...scenario, policyOf }
        const one = mergeStates(options)
        const other = mergeStates(swapped(options))
        expect(canonicalJson(other.state.answers as unknown as Json)).toBe(
          canonicalJson(one.state.answers as unknown as Json),
        )
        expect(Object.keys(other.state.finished).sort()).toEqual(Object.keys(one.state.finished).sort())
        expect(other.state.visited).toEqual(one.state.visited)
        const listed = (losers: readonly Loser[]) =>
          losers.map((loser) => canonicalJson(loser as unknown as Json)).sort()
        expect(listed(other.losers)).toEqual(listed(one.losers))
      }),
      runs,
    )
  })

  test('gives, swapped, by ours what it gave by theirs', () => {
    fc.assert(
      fc.property(scenarios(), fc.constantFrom('ours' as const, 'theirs' as const), (options, policy) => {
        const one = mergeStates({ ...options, policyOf: () => policy })
        const other = mergeStates({
          ...swapped(options),
          policyOf: () => (policy === 'ours' ? 'theirs' : 'ours'),
        })
        expect(canonicalJson(other.state.answers as unknown as Json)).toBe(
          canonicalJson(one.state.answers as unknown as Json),
        )
      }),
      runs,
    )
  })

  test('invents no value', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), arbitraryPolicies(), (scenario, policyOf) => {
        const options = { ...scenario, policyOf }
        const ours = leavesOf(options.ours)
        const theirs = leavesOf(options.theirs)
        for (const [place, text] of leavesOf(mergeStates(options).state)) {
          expect([ours.get(place), theirs.get(place)]).toContain(text)
        }
      }),
      runs,
    )
  })

  test('drops no value that a side changed without a loser, and no deletion', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), arbitraryPolicies(), (scenario, policyOf) => {
        const options = { ...scenario, policyOf }
        const { state, losers } = mergeStates(options)
        const base = leavesOf(options.base)
        const merged = leavesOf(state)
        for (const side of [options.ours, options.theirs]) {
          const mine = leavesOf(side)
          for (const [place, text] of mine) {
            if (base.get(place) === text || merged.get(place) === text) continue
            if (!isLost(losers, place, text)) throw new Error(`${place} = ${text} was dropped`)
          }
          for (const place of base.keys()) {
            // What a side deleted and the result still holds, as the base did, lost against something.
            if (mine.has(place) || merged.get(place) !== base.get(place)) continue
            if (!isLost(losers, place, undefined)) throw new Error(`The deletion of ${place} was dropped`)
          }
        }
      }),
      runs,
    )
  })

  test('keeps every list’s order but where both sides moved items, and says so then', () => {
    fc.assert(
      fc.property(scenarios(), arbitraryPolicies(), (scenario, policyOf) => {
        const options = { ...scenario, policyOf }
        const { state, losers } = mergeStates(options)
        const [was, our, their, merged] = [options.base, options.ours, options.theirs, state].map((side) =>
          ordersOf(side.answers as unknown as Json),
        ) as [Map<string, string[]>, Map<string, string[]>, Map<string, string[]>, Map<string, string[]>]
        for (const [place, keys] of merged) {
          const [before, ours, theirs] = [was, our, their].map((orders) => orders.get(place) ?? [])
          const shared = (a: readonly string[] = [], b: readonly string[] = []) =>
            a.filter((key) => b.includes(key))
          const isMoved = (side: string[] = []) => `${shared(side, before)}` !== `${shared(before, side)}`
          for (const side of [ours, theirs]) {
            if (`${shared(keys, side)}` === `${shared(side, keys)}`) continue
            // This order was not kept: the other side moved items, or has others among them.
            const other = side === ours ? theirs : ours
            expect(isMoved(other) || !isMoved(side)).toBe(true)
            if (!isMoved(side) || !our.has(place) || !their.has(place)) continue
            const isTold = losers.some(
              (loser) =>
                `/${loser.step}${loser.path}` === `${place}/~` ||
                `${place}/`.startsWith(`/${loser.step}${loser.path}/`),
            )
            expect(isTold).toBe(`${shared(ours, theirs)}` !== `${shared(theirs, ours)}`)
          }
          expect(new Set(keys).size).toBe(keys.length)
        }
      }),
      runs,
    )
  })

  test('says of every loser when and by whom, and its value is the side’s own', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), arbitraryPolicies(), (scenario, policyOf) => {
        const options = { ...scenario, policyOf }
        for (const loser of mergeStates(options).losers) {
          const isOurs = loser.writer === 'a'
          const stamp = (isOurs ? options.ourStamp : options.theirStamp)(loser.step, loser.path)
          expect({ at: loser.at, writer: loser.writer }).toEqual(stamp)
          const side = (isOurs ? options.ours : options.theirs).answers
          const step = Object.hasOwn(side, loser.step) ? (side[loser.step] as Json | undefined) : undefined
          expect(loser.value).toEqual(valueAt(step, loser.path))
        }
      }),
      runs,
    )
  })

  test('lets the ended side win whole, and keeps what the other changed', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), (options) => {
        const { ours, theirs } = options
        if (!isEnded(ours.status) && !isEnded(theirs.status)) return
        const { state } = mergeStates(options)
        expect(isEnded(state.status)).toBe(true)
        const rank = ['done', 'abandoned', 'expired']
        const first = [ours, theirs]
          .filter((side) => isEnded(side.status))
          .sort((a, b) => rank.indexOf(a.status) - rank.indexOf(b.status))[0]!
        expect(state.status).toBe(first.status)
        if (ours.status !== theirs.status) {
          expect(state.answers).toEqual(first.answers)
          expect(state.finished).toEqual(first.finished)
          expect(state.submitted).toEqual(first.submitted)
        }
      }),
      runs,
    )
  })

  test('takes an end that a server acknowledged, however ours ended', () => {
    fc.assert(
      fc.property(scenarios({ ends: true }), (options) => {
        const { base, theirs } = options
        if (!isEnded(theirs.status) || theirs === base) return
        const { state } = mergeStates({ ...options, isTheirsFinal: true })
        expect(state).toMatchObject({ status: theirs.status, answers: theirs.answers })
      }),
      runs,
    )
  })

  test('keeps a step finished only with the answers a side finished it with', () => {
    fc.assert(
      fc.property(scenarios(), (options) => {
        const { state } = mergeStates(options)
        for (const [step, how] of Object.entries(state.finished)) {
          const held = [options.ours, options.theirs].filter(
            (side) => Object.hasOwn(side.finished, step) && side.finished[step] === how,
          )
          const text = (of: SessionState) =>
            Object.hasOwn(of.answers, step) ? canonicalJson(of.answers[step] as Json) : undefined
          expect(held.map(text)).toContain(text(state))
        }
      }),
      runs,
    )
  })

  test('shares what neither side changed, and every step only one side changed', () => {
    fc.assert(
      fc.property(scenarios(), (options) => {
        const { base, ours, theirs } = options
        const { state } = mergeStates(options)
        const get = (of: SessionState, step: string) =>
          Object.hasOwn(of.answers, step) ? of.answers[step] : undefined
        for (const step of Object.keys(state.answers)) {
          const mine = get(ours, step)
          const other = get(theirs, step)
          if (mine === get(base, step)) expect(get(state, step)).toBe(other)
          else if (other === get(base, step)) expect([mine, other]).toContain(get(state, step))
        }
      }),
      runs,
    )
  })

  const none: StampOf = () => ({ at: 0, writer: '' })
  const merge = (base: SessionState, our: readonly Change[], their: readonly Change[]) =>
    mergeStates({
      ...{ base, ours: fold(base, our), theirs: fold(base, their) },
      ...{ ourStamp: () => ({ at: 2, writer: 'a' }), theirStamp: () => ({ at: 1, writer: 'b' }) },
    })

  test('returns the very base where nothing changed, and the very side that changed alone', () => {
    const base = fold(start, [set('one', { a: 1 })])
    const ours = fold(base, [set('one', 2, '/a')])
    const stampOf = { ourStamp: none, theirStamp: none }
    expect(mergeStates({ base, ours: base, theirs: base, ...stampOf }).state).toBe(base)
    expect(mergeStates({ base, ours, theirs: base, ...stampOf }).state).toBe(ours)
    expect(mergeStates({ base, ours: base, theirs: ours, ...stampOf }).state).toBe(ours)
    expect(mergeStates({ base, ours, theirs: ours, ...stampOf }).state).toBe(ours)
  })

  test('merges fields of one step, and lets the later stamp win a field both changed', () => {
    const base = fold(start, [set('one', { name: 'A', town: 'X', gone: 1 })])
    const { state, losers } = merge(
      base,
      [set('one', 'B', '/name'), set('one', 'Y', '/town')],
      [set('one', 'C', '/name'), { type: 'set', step: 'one', patch: [{ op: 'remove', path: '/gone' }] }],
    )
    expect(state.answers).toEqual({ one: { name: 'B', town: 'Y' } })
    expect(losers).toEqual([{ step: 'one', path: '/name', value: 'C', at: 1, writer: 'b' }])
  })

  test('keeps the deletion that lost, and what lost against a deletion', () => {
    const base = fold(start, [set('one', { a: 1 })])
    const remove: Change = { type: 'set', step: 'one', patch: [{ op: 'remove', path: '/a' }] }
    const kept = merge(base, [set('one', 2, '/a')], [remove])
    expect(kept.state.answers).toEqual({ one: { a: 2 } })
    expect(kept.losers).toEqual([{ step: 'one', path: '/a', at: 1, writer: 'b' }])
    const gone = merge(base, [remove], [set('one', 2, '/a')])
    expect(gone.state.answers).toEqual({ one: {} })
    expect(gone.losers).toEqual([{ step: 'one', path: '/a', value: 2, at: 1, writer: 'b' }])
  })

  test('keeps what the other side cleared or deleted after the end as losers', () => {
    const base = fold(start, [set('one', { a: 1 }), set('two', { b: 1 })])
    const cleared: Change = { type: 'set', step: 'two', patch: [{ op: 'remove', path: '' }] }
    const { state, losers } = merge(base, [{ type: 'status', to: 'done' }], [set('one', 2, '/a'), cleared])
    expect(state.answers).toEqual(base.answers)
    expect(losers).toEqual([
      { step: 'one', path: '', value: { a: 2 }, at: 1, writer: 'b', kind: 'late' },
      { step: 'two', path: '', at: 1, writer: 'b', kind: 'late' },
    ])
  })

  test('keeps a step finished that one side changed and finished again', () => {
    const base = fold(start, [set('one', { a: 1 }), finish('one')])
    const again = [set('one', 2, '/a'), finish('one')]
    expect(merge(base, again, [set('two', { b: 1 })]).state.finished).toEqual({ one: 'valid' })
    expect(merge(base, [set('two', { b: 1 })], again).state.finished).toEqual({ one: 'valid' })
    expect(merge(base, again, [set('one', 1, '/c')]).state.finished).toEqual({})
  })

  test('is not misled by steps and fields that objects inherit', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const base = fold(start, [set(name, { [`x${name}`]: 1 })])
      const ours = [set(name, 1, `/${name}`), finish(name)]
      const { state } = merge(base, ours, [set('two', { b: 1 }), finish('two')])
      expect(Object.keys(state.answers).sort()).toEqual([name, 'two'].sort())
      expect(Object.entries(state.finished).sort()).toEqual(
        [
          [name, 'valid'],
          ['two', 'valid'],
        ].sort(),
      )
      expect(Object.keys(state.answers[name] as object)).toContain(name)
    }
  })

  test('does not take back the flow version one side moved to', () => {
    const base = start
    const ours = deepFreeze({ ...base, flow: { ...testFlow, version: 2, hash: 'f1' } })
    const theirs = fold(base, [set('one', { a: 1 })])
    const stampOf = { ourStamp: none, theirStamp: none }
    expect(mergeStates({ base, ours, theirs, ...stampOf }).state.flow).toEqual(ours.flow)
    expect(mergeStates({ base, ours: theirs, theirs: ours, ...stampOf }).state.flow).toEqual(ours.flow)
  })

  test('breaks a tie of the clock by the writer', () => {
    const base = fold(start, [set('one', { a: 1 })])
    const options: MergeOptions = {
      ...{ base, ours: fold(base, [set('one', 2, '/a')]), theirs: fold(base, [set('one', 3, '/a')]) },
      ...{ ourStamp: () => ({ at: 5, writer: 'a' }), theirStamp: () => ({ at: 5, writer: 'b' }) },
    }
    expect(mergeStates(options).state.answers).toEqual({ one: { a: 3 } })
    expect(mergeStates(swapped(options)).state.answers).toEqual({ one: { a: 3 } })
  })

  const list = (...items: [string, Json?][]): Json => items.map(([key, n = 0]) => ({ key, n }))
  const lists = (before: Json, our: Json, their: Json) => {
    const base = fold(start, [set('one', { list: before })])
    const to = (after: Json): Change => ({ type: 'set', step: 'one', patch: diff(before, after, '/list') })
    return merge(base, [to(our)], [to(their)])
  }
  const listIn = (state: SessionState) => (state.answers['one'] as { list: Json }).list

  test('keeps what one side typed in an item and what the other added, removed and moved', () => {
    const { state, losers } = lists(
      list(['a'], ['b'], ['c']),
      list(['a'], ['b', 7], ['c']),
      list(['c'], ['b'], ['new']),
    )
    expect(listIn(state)).toEqual(list(['c'], ['b', 7], ['new']))
    expect(losers).toEqual([])
  })

  test('keeps an item that one side removed and the other changed, and offers to remove it', () => {
    for (const [our, their, loser] of [
      [list(), list(['a', 2]), { at: 2, writer: 'a' }],
      [list(['a', 2]), list(), { at: 1, writer: 'b' }],
    ] as const) {
      const { state, losers } = lists(list(['a']), our, their)
      expect(listIn(state)).toEqual(list(['a', 2]))
      expect(losers).toEqual([{ step: 'one', path: '/list/~=a', ...loser }])
    }
  })

  test('keeps what both sides added, the earlier first, each behind what it was added to', () => {
    expect(
      listIn(lists(list(['a'], ['z']), list(['a'], ['our'], ['z']), list(['a'], ['their'], ['z'])).state),
    ).toEqual(list(['a'], ['their'], ['our'], ['z']))
    expect(listIn(lists(list(), list(['our']), list(['their'])).state)).toEqual(list(['their'], ['our']))
  })

  test('takes the later order of two, and records the other without offering it', () => {
    const { state, losers } = lists(
      list(['a'], ['b'], ['c']),
      list(['c'], ['b'], ['a']),
      list(['b'], ['a'], ['c']),
    )
    expect(listIn(state)).toEqual(list(['c'], ['b'], ['a']))
    expect(losers).toEqual([
      { step: 'one', path: '/list/~', value: ['b', 'a', 'c'], at: 1, writer: 'b', kind: 'settled' },
    ])
  })

  test('merges lists inside items', () => {
    const nested = (pets: Json) => [{ key: 'a', pets }] as Json
    const { state } = lists(nested(list(['x'])), nested(list(['x', 1])), nested(list(['x'], ['y'])))
    expect(listIn(state)).toEqual(nested(list(['x', 1], ['y'])))
  })

  test('leaves conflicts open that neither side resolved, and no other', () => {
    const loser = (n: number): Loser => ({ step: 'one', path: '/a', value: n, at: n, writer: 'w' })
    const [first, second, third] = [loser(1), loser(2), loser(3)]
    const met = (one: Loser): Change => ({ type: 'merged', patch: [], joins: {}, losers: [one] })
    const resolved = (one: Loser): Change => ({ type: 'resolved', id: conflictId(one), choice: 'keep' })
    const base = fold(start, [met(first), met(second)])
    const { state } = merge(base, [resolved(first), set('one', { a: 1 })], [met(third), set('two', { a: 1 })])
    expect(Object.values(state.conflicts ?? {})).toEqual([second, third])
    const none = merge(base, [resolved(first), resolved(second)], [set('two', { a: 1 })]).state
    expect('conflicts' in none).toBe(false)
  })

  test('takes a list without keys as one value', () => {
    const base = fold(start, [set('one', { l: [1, 2] })])
    const { state, losers } = merge(base, [set('one', [1, 2, 3], '/l')], [set('one', [0, 1, 2], '/l')])
    expect(state.answers).toEqual({ one: { l: [1, 2, 3] } })
    expect(losers).toMatchObject([{ path: '/l', value: [0, 1, 2] }])
  })
})
