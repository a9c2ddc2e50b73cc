import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../src/base/canonical.ts'
import { sha256 } from '../../../src/base/hash.ts'
import type { Json } from '../../../src/base/json.ts'
import { type ChainHead, entryId, noChain, packEntry, unpackEntry } from '../../../src/record/entry.ts'
import type { Change } from '../../../src/record/state.ts'
import { arbitraryChange } from './arbitrary-change.ts'

const changes: readonly Change[] = [
  { type: 'set', step: 'applicant', patch: [{ op: 'add', path: '/name', value: 'Ada \ufffd 😀' }] },
  { type: 'finished', step: 'applicant', how: 'valid' },
]
const pack = (options: { changes?: readonly Change[]; after?: ChainHead } = {}) =>
  packEntry({
    ...{ session: 's1', writer: 'w1', at: 1_000, salt: 'salt0', after: noChain, changes },
    ...options,
  })

/** A record whose header says what is given, and whose hashes are right. */
function forge(header: Record<string, unknown>, payload: unknown = [], body: object = {}) {
  const p = typeof payload === 'string' ? payload : canonicalJson(payload as Json)
  const whole = { session: 's1', writer: 'w1', n: 0, at: 1, prev: '', payloadHash: sha256(p), ...header }
  const c = canonicalJson(whole as unknown as Json)
  return { v: 1, h: sha256(c), c, p, s: '', ...body }
}

describe('packEntry and unpackEntry', () => {
  test('give back what was packed', () => {
    fc.assert(
      fc.property(fc.array(arbitraryChange, { maxLength: 4 }), fc.string(), (list, salt) => {
        const after = { n: 6, hash: sha256('before') }
        const record = packEntry({ session: 's', writer: 'w', after, at: 5, salt, changes: list })
        expect(structuredClone(record)).toEqual(record)
        const outcome = unpackEntry(JSON.parse(JSON.stringify(record)))
        expect(outcome).toEqual({
          type: 'entry',
          entry: {
            ...{ session: 's', writer: 'w', n: 7, at: 5, prev: after.hash, hash: record.h, changes: list },
            payloadHash: sha256(salt + record.p),
          },
        })
      }),
      { numRuns: 500 },
    )
  })

  test('chain a writer’s entries', () => {
    const first = pack()
    const second = pack({ after: { n: 0, hash: first.h } })
    expect(unpackEntry(first)).toMatchObject({ entry: { n: 0, prev: '' } })
    expect(unpackEntry(second)).toMatchObject({ entry: { n: 1, prev: first.h } })
    expect(entryId({ writer: 'w1', n: 1 })).toBe('w1:1')
  })

  test.each(['c', 'p', 's', 'h'] as const)('detect every flipped bit of %s', (field) => {
    const record = pack()
    const text = record[field]!
    for (let i = 0; i < text.length; i++) {
      for (let bit = 0; bit < 16; bit++) {
        const flipped = String.fromCharCode(text.charCodeAt(i) ^ (1 << bit))
        const outcome = unpackEntry({ ...record, [field]: text.slice(0, i) + flipped + text.slice(i + 1) })
        if (outcome.type !== 'damaged') throw new Error(`Bit ${bit} of ${field}[${i}] went unnoticed`)
      }
    }
  })

  test('detect text cut off or added', () => {
    const record = pack()
    for (const field of ['c', 'p', 's', 'h'] as const) {
      expect(unpackEntry({ ...record, [field]: record[field]!.slice(0, -1) }).type).toBe('damaged')
      expect(unpackEntry({ ...record, [field]: `${record[field]} ` }).type).toBe('damaged')
    }
    expect(unpackEntry({ ...record, s: `${record.s}[`, p: record.p!.slice(1) }).type).toBe('damaged')
  })

  test('verify what was erased, and refuse what was half erased', () => {
    const { p, s, ...erased } = pack()
    const outcome = unpackEntry(erased)
    expect(outcome).toMatchObject({ type: 'entry', entry: { writer: 'w1', n: 0, hash: erased.h } })
    expect(outcome.type === 'entry' && Object.hasOwn(outcome.entry, 'changes')).toBe(false)
    const next = unpackEntry(pack({ after: { n: 0, hash: erased.h } }))
    expect(next).toMatchObject({ entry: { prev: erased.h } })
    expect(unpackEntry({ ...erased, p })).toEqual({ type: 'damaged', reason: 'payload cut' })
    expect(unpackEntry({ ...erased, s })).toEqual({ type: 'damaged', reason: 'payload cut' })
  })

  test('take nothing from a header but its own fields', () => {
    const { p: _p, s: _s, ...erased } = forge({ changes: [{ type: 'set' }], hash: 'x', extra: 1 })
    const outcome = unpackEntry(erased)
    if (outcome.type !== 'entry') throw new Error(outcome.type)
    expect(Object.keys(outcome.entry).sort()).toEqual([
      'at',
      'hash',
      'n',
      'payloadHash',
      'prev',
      'session',
      'writer',
    ])
    expect(outcome.entry.hash).toBe(erased.h)
  })
})

describe('unpackEntry', () => {
  test('knows what a newer version wrote', () => {
    expect(unpackEntry({ v: 2 })).toEqual({ type: 'newer' })
    expect(unpackEntry(forge({}, [{ type: 'teleported' }]))).toEqual({ type: 'newer' })
    const field = {
      type: 'merged',
      joins: {},
      losers: [],
      patch: [{ op: 'add', path: '/tags', value: ['x'] }],
    }
    expect(unpackEntry(forge({}, [field]))).toEqual({ type: 'newer' })
  })

  test.each([
    ['n below 0', { n: -1 }],
    ['n broken', { n: 0.5 }],
    ['n beyond safe integers', { n: 2 ** 53 }],
    ['at missing', { at: undefined }],
    ['at beyond safe integers', { at: 2 ** 60 }],
    ['at below 0', { at: -1 }],
    ['session no text', { session: 1 }],
    ['writer no text', { writer: null }],
    ['prev no text', { prev: {} }],
  ])('calls a header damaged with %s', (_, header) => {
    expect(unpackEntry(forge(header))).toEqual({ type: 'damaged', reason: 'header is malformed' })
  })

  test.each<[string, unknown]>([
    ['no list', {}],
    ['not JSON', '[{]'],
    ['a list of texts', ['x']],
    ['a change without a type', [{}]],
    ['a step that is no text', [{ type: 'set', step: 1, patch: [] }]],
    ['a patch that is no list', [{ type: 'set', step: 'a', patch: {} }]],
    ['an unknown operation', [{ type: 'set', step: 'a', patch: [{ op: 'move', path: '/a', value: 1 }] }]],
    ['an operation without a value', [{ type: 'set', step: 'a', patch: [{ op: 'add', path: '/a' }] }]],
    ['a relative path', [{ type: 'set', step: 'a', patch: [{ op: 'remove', path: 'a' }] }]],
    ['answers that are no object', [{ type: 'set', step: 'a', patch: [{ op: 'add', path: '', value: 5 }] }]],
    ['an unknown finish', [{ type: 'finished', step: 'a', how: 'maybe' }]],
    ['an unknown cause', [{ type: 'moved', from: 'a', to: 'b', by: 'magic' }]],
    ['an unknown status', [{ type: 'status', to: 'constructor' }]],
    ['submitted steps that are no texts', [{ type: 'status', to: 'done', submitted: [1] }]],
    ['a position that is no integer', [{ type: 'resumed', position: 1.5 }]],
    ['a choice there is not', [{ type: 'resolved', id: 'c', choice: 'both' }]],
    [
      'a loser without a path',
      [{ type: 'merged', patch: [], joins: {}, losers: [{ step: 'a', at: 1, writer: '' }] }],
    ],
    [
      'a loser without a time',
      [{ type: 'merged', patch: [], joins: {}, losers: [{ step: 'a', path: '', writer: '' }] }],
    ],
    ['a flow without a hash', [{ type: 'started', flow: { id: 'f', version: 1 }, step: 'a', key: 'k' }]],
    [
      'a path deeper than answers go',
      [{ type: 'set', step: 'a', patch: [{ op: 'add', path: '/a'.repeat(200), value: 1 }] }],
    ],
    [
      'a path of a million names',
      [{ type: 'set', step: 'a', patch: [{ op: 'remove', path: '/'.repeat(1_000_000) }] }],
    ],
    ['nesting beyond the limit', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ])('calls a payload damaged that is or holds %s', (_, payload) => {
    expect(unpackEntry(forge({}, payload))).toEqual({ type: 'damaged', reason: 'payload is malformed' })
  })

  test.each<[string, unknown]>([
    ['replaces the state', { op: 'replace', path: '', value: 5 }],
    ['removes the answers', { op: 'remove', path: '/answers' }],
    ['makes the answers a text', { op: 'replace', path: '/answers', value: 'x' }],
    ['makes a step’s answers a number', { op: 'add', path: '/answers/a', value: 5 }],
    ['makes up a status', { op: 'replace', path: '/status', value: 'undead' }],
    ['removes the status', { op: 'remove', path: '/status' }],
    ['writes inside the status', { op: 'add', path: '/status/x', value: 'done' }],
    ['makes the step a number', { op: 'replace', path: '/step', value: 5 }],
    ['makes up a finish', { op: 'add', path: '/finished/a', value: 'maybe' }],
    ['removes what is finished', { op: 'remove', path: '/finished' }],
    ['makes a visit false', { op: 'add', path: '/visited/a', value: false }],
    ['breaks the flow', { op: 'remove', path: '/flow/id' }],
    ['breaks the flow’s version', { op: 'replace', path: '/flow/version', value: 'x' }],
    ['makes all conflicts one', { op: 'add', path: '/conflicts', value: 1 }],
    ['submits a number', { op: 'add', path: '/submitted', value: [1] }],
  ])('calls a merge damaged that %s', (_, operation) => {
    const merged = { type: 'merged', joins: {}, losers: [], patch: [operation] }
    expect(unpackEntry(forge({}, [merged]))).toEqual({ type: 'damaged', reason: 'payload is malformed' })
  })

  test('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }), (value) => {
        expect(['damaged', 'newer', 'entry']).toContain(unpackEntry(value).type)
      }),
      { numRuns: 2000 },
    )
    const hostile = fc.record(
      {
        v: fc.constantFrom(1, 2, '1', null),
        h: fc.anything(),
        c: fc.anything(),
        p: fc.anything(),
        s: fc.anything(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(hostile, (value) => {
        expect(['damaged', 'newer']).toContain(unpackEntry(value).type)
      }),
      { numRuns: 2000 },
    )
  })

  test('never throws over a header or payload whose hashes are right', () => {
    const header = fc.dictionary(
      fc.constantFrom('session', 'writer', 'n', 'at', 'prev', 'payloadHash', 'x'),
      fc.jsonValue() as fc.Arbitrary<unknown>,
    )
    const change = fc.oneof(
      arbitraryChange,
      fc.jsonValue(),
      fc.record(
        {
          type: fc.constantFrom(
            'started',
            'set',
            'finished',
            'moved',
            'status',
            'restarted',
            'resumed',
            'adopted',
            'merged',
            'resolved',
          ),
          step: fc.jsonValue(),
          patch: fc.oneof(
            fc.jsonValue(),
            fc.array(fc.record({ op: fc.constantFrom('add', 'remove'), path: fc.string() })),
          ),
          to: fc.jsonValue(),
          flow: fc.jsonValue(),
          joins: fc.constant({}),
          losers: fc.constant([]),
        },
        { requiredKeys: ['type'] },
      ),
    )
    fc.assert(
      fc.property(header, fc.array(change), (h, payload) => {
        expect(['damaged', 'newer', 'entry']).toContain(unpackEntry(forge(h, payload)).type)
      }),
      { numRuns: 2000 },
    )
  })
})
