import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyPush, type PushVerdict, pushNeeds } from '../../../src/protocol/apply-push.ts'
import { currentRev, rememberedRevs } from '../../../src/protocol/held.ts'
import { createMemorySessions } from '../../../src/protocol/memory-sessions.ts'
import { answerPull, toWireSnapshot } from '../../../src/protocol/snapshot.ts'
import type { PushItem } from '../../../src/protocol/wire.ts'
import { unpackEntry } from '../../../src/record/entry.ts'
import { createAuthor, runningMeta, setChange } from '../../../src/testing/author.ts'

const account = 'u-17'

/** A server of one account: memory sessions judged by the pure rule. */
function createServer() {
  const sessions = createMemorySessions()
  let seed = 0
  const random = (length: number) => new Uint8Array(length).fill(seed++)
  const keyOf = (session: string) => ({ account, session })
  return {
    push(item: PushItem): PushVerdict {
      const key = keyOf(item.session)
      const held = sessions.load(key, pushNeeds(item))
      const verdict = applyPush(held, item, { random })
      if (verdict.type === 'accepted') {
        expect(sessions.write(key, held === undefined ? null : currentRev(held), verdict.write)).toBe(true)
      }
      return verdict
    },
    /** Pushes what must be accepted, and gives the new rev. */
    rev(item: PushItem): string {
      const verdict = this.push(item)
      if (verdict.type !== 'accepted') throw new Error(`Expected accepted, got ${JSON.stringify(verdict)}`)
      return verdict.write.rev
    },
    snapshot: (session: string, since: string | null = null) =>
      toWireSnapshot(sessions.read(keyOf(session), since)!),
    pull: (session: string, since: string | null) =>
      answerPull(session, since, sessions.read(keyOf(session), since)),
  }
}

describe('applyPush', () => {
  test('accepts a new session and tells all of it', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const rev = server.rev(a.set(null, 'applicant', { name: 'Ada' }))
    expect(rev).toMatch(/^1-[0-9a-v]{10}\.1$/)
    expect(server.snapshot('s1')).toEqual({
      rev,
      isWhole: true,
      meta: runningMeta,
      steps: { applicant: '{"name":"Ada"}' },
      heads: { wa: a.head },
      at: 1_000,
      stamps: { applicant: { at: 1_000, writer: 'wa' } },
    })
  })

  test('answers a replay with the rev it was accepted under, though others wrote since', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const b = createAuthor('s1', 'wb', 2_000)
    const first = a.set(null, 'applicant', { name: 'Ada' })
    const rev1 = server.rev(first)
    const lost = a.set(rev1, 'applicant', { name: 'Ada L' })
    const rev2 = server.rev(lost)
    const rev3 = server.rev(b.set(rev2, 'income', { amount: 1 }))
    expect(server.push(lost)).toEqual({ type: 'held', rev: rev2 })
    expect(server.snapshot('s1').rev).toBe(rev3)
    expect(server.push(a.set(rev2, 'applicant', { name: 'A' }))).toEqual({ type: 'stale' })
    expect(server.snapshot('s1', rev2)).toMatchObject({ isWhole: false, steps: { income: '{"amount":1}' } })
  })

  test('answers a part of what made a rev with what was made of it', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const b = createAuthor('s1', 'wb')
    const one = a.write([setChange('applicant', { n: 1 })])
    const two = b.write([setChange('income', { n: 2 })])
    const whole = { base: null, entries: [one, two], changed: { applicant: { n: 1 }, income: { n: 2 } } }
    const rev = server.rev(a.push(whole))
    const part = a.push({ base: null, entries: [one], changed: { applicant: { n: 1 } } })
    expect(server.push(part)).toEqual({ type: 'stale' })
    expect(server.push(a.push({ ...whole, entries: [one, one] }))).toEqual({ type: 'stale' })
    expect(server.push(a.push(whole))).toEqual({ type: 'held', rev })
  })

  test('skips entries it holds and takes the rest', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const one = a.write([setChange('applicant', { n: 1 })])
    const rev1 = server.rev(a.push({ base: null, entries: [one], changed: { applicant: { n: 1 } } }))
    const two = a.write([setChange('applicant', { n: 2 })])
    const rev2 = server.rev(a.push({ base: rev1, entries: [one, two], changed: { applicant: { n: 2 } } }))
    expect(rev2).toMatch(/^2-/)
    expect(server.snapshot('s1').heads).toEqual({ wa: a.head })
  })

  test('is stale on another base, and on none where the session is held', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const b = createAuthor('s1', 'wb')
    const rev1 = server.rev(a.set(null, 'applicant', {}))
    server.rev(a.set(rev1, 'applicant', { n: 1 }))
    expect(server.push(b.set(rev1, 'applicant', {})).type).toBe('stale')
    expect(server.push(createAuthor('s1', 'wc').set(null, 'applicant', {})).type).toBe('stale')
    expect(server.push(createAuthor('s1', 'wd').set('9-never', 'applicant', {})).type).toBe('stale')
  })

  test('does not know a session it does not hold, and takes everything again', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const entries = [a.write([setChange('applicant', {})]), a.write([setChange('applicant', { n: 1 })])]
    const push = { entries, changed: { applicant: { n: 1 } } }
    expect(server.push(a.push({ ...push, base: '4-gone' }))).toEqual({ type: 'unknown' })
    expect(server.push(a.push({ ...push, base: null })).type).toBe('accepted')
  })

  test('takes a chain that enters midway', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    a.write([setChange('applicant', {})])
    const rev = server.rev(a.set(null, 'applicant', { n: 1 }))
    const b = createAuthor('s1', 'wb')
    b.write([setChange('applicant', {})])
    server.rev(b.set(rev, 'applicant', { n: 2 }))
    expect(server.snapshot('s1').heads).toEqual({ wa: a.head, wb: b.head })
  })

  test('takes a chain with a gap, and later what fills it, and keeps the furthest head', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const rev = server.rev(a.set(null, 'applicant', {}))
    const missing = a.write([setChange('applicant', { n: 1 })])
    const rev2 = server.rev(a.set(rev, 'applicant', { n: 2 }))
    expect(server.snapshot('s1').heads).toEqual({ wa: a.head })
    server.rev(a.push({ base: rev2, entries: [missing] }))
    expect(server.snapshot('s1').heads).toEqual({ wa: a.head })
  })

  test('rejects a fork in a chain', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const rev = server.rev(a.set(null, 'applicant', {}))
    const twin = createAuthor('s1', 'wa')
    expect(server.push(twin.set(rev, 'applicant', { other: true }))).toMatchObject({
      reason: 'writer-forked',
    })
    expect(server.push(twin.set(rev, 'applicant', { other: 2 }))).toMatchObject({ reason: 'writer-forked' })
  })

  test('rejects the same id twice with different text in one push', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const twin = createAuthor('s1', 'wa')
    const entries = [a.write([setChange('x', { n: 1 })]), twin.write([setChange('x', { n: 2 })])]
    expect(server.push(a.push({ base: null, entries }))).toMatchObject({ reason: 'writer-forked' })
  })

  test.each<[string, (push: PushItem) => PushItem]>([
    ['entry-damaged', (p) => ({ ...p, entries: [{ ...p.entries[0]!, p: '[]' }] })],
    ['entry-damaged', (p) => ({ ...p, entries: [{ ...p.entries[0]!, c: '{"session":"s1"}' }] })],
    ['entry-damaged', (p) => ({ ...p, entries: [{ c: p.entries[0]!.c, p: p.entries[0]!.p! }] })],
    ['entry-damaged', (p) => ({ ...p, entries: [{ ...p.entries[0]!, p: '"\ud800"' }] })],
    ['entry-damaged', (p) => ({ ...p, entries: [{ ...p.entries[0]!, s: 'a\0' }] })],
    ['entry-foreign', (p) => ({ ...p, session: 's2' })],
    ['empty-push', (p) => ({ ...p, entries: [] })],
    ['answers-malformed', (p) => ({ ...p, changed: { applicant: '{ "name": "Ada" }' } })],
    ['answers-malformed', (p) => ({ ...p, changed: { applicant: '"Ada"' } })],
    ['answers-malformed', (p) => ({ ...p, changed: { applicant: '{"name":' } })],
    ['answers-malformed', (p) => ({ ...p, changed: { applicant: '{"a":1,"a":2}' } })],
    ['answers-malformed', (p) => ({ ...p, changed: { applicant: `${'['.repeat(200)}${']'.repeat(200)}` } })],
  ])('rejects as %s', (reason, spoil) => {
    const push = createAuthor('s1', 'wa').set(null, 'applicant', { name: 'Ada' })
    expect(createServer().push(spoil(push))).toMatchObject({ type: 'rejected', reason })
  })

  test('rejects an entry of a kind it does not know yet', () => {
    const a = createAuthor('s1', 'wa')
    const entry = a.write([{ type: 'telepathy' } as never])
    expect(createServer().push(a.push({ base: null, entries: [entry] }))).toMatchObject({
      reason: 'entry-newer',
    })
  })

  test('takes an erased entry', () => {
    const a = createAuthor('s1', 'wa')
    const { v, h, c } = a.write([setChange('applicant', {})])
    expect(createServer().push(a.push({ base: null, entries: [{ v, h, c }] })).type).toBe('accepted')
  })

  test('keeps an ended session as it ended, and the entries of those who did not know', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const last = a.set(null, 'applicant', { n: 1 }, { status: 'done', submitted: ['applicant'] })
    const rev = server.rev(last)
    expect(server.push(last)).toEqual({ type: 'held', rev })
    const b = createAuthor('s1', 'wb', 5_000)
    const late = b.set(rev, 'applicant', { n: 2 }, { status: 'abandoned' })
    expect(server.push({ ...late, base: null })).toEqual({ type: 'stale' })
    const rev2 = server.rev(late)
    const c = createAuthor('s1', 'wc', 6_000)
    const reopen = [c.write([{ type: 'restarted', step: 'applicant' }])]
    const offered = { applicant: null, '/conflicts': { c1: {} } }
    server.rev(c.push({ base: rev2, entries: reopen, changed: offered, meta: { submitted: [] } }))
    expect(server.snapshot('s1')).toMatchObject({
      meta: { status: 'done', submitted: ['applicant'] },
      steps: { applicant: '{"n":1}', '/conflicts': '{"c1":{}}' },
      stamps: { applicant: { writer: 'wa' } },
      heads: { wa: a.head, wb: b.head, wc: c.head },
      at: 6_000,
    })
    expect(server.snapshot('s1', rev).steps).toEqual({ '/conflicts': '{"c1":{}}' })
  })

  test('stamps each step with the newest entry that touched it', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const entries = [
      a.write([setChange('x', { n: 1 })], 10),
      a.write(
        [{ type: 'merged', patch: [{ op: 'add', path: '/answers/y', value: {} }], joins: {}, losers: [] }],
        20,
      ),
      a.write([{ type: 'moved', from: 'x', to: 'y', by: 'next' }], 30),
    ]
    const rev = server.rev(a.push({ base: null, entries, changed: { x: { n: 1 }, y: {}, z: {} } }))
    expect(server.snapshot('s1').stamps).toEqual({
      x: { at: 10, writer: 'wa' },
      y: { at: 20, writer: 'wa' },
      z: { at: 30, writer: 'wa' },
    })
    const b = createAuthor('s1', 'wb', 15)
    const later = [b.write([setChange('x', {})]), b.write([setChange('y', {})])]
    server.rev(b.push({ base: rev, entries: later, changed: { x: {}, y: {} } }))
    expect(server.snapshot('s1').stamps).toMatchObject({
      x: { at: 15, writer: 'wb' },
      y: { at: 20, writer: 'wa' },
    })
  })

  test('names removed steps to who asks since, and leaves them out of the whole', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const rev1 = server.rev(a.set(null, 'x', { n: 1 }))
    const rev2 = server.rev(a.set(rev1, 'y', { n: 1 }))
    server.rev(a.push({ base: rev2, entries: [a.write([])], changed: { x: null } }))
    expect(server.snapshot('s1', rev2).steps).toEqual({ x: null })
    expect(server.snapshot('s1').steps).toEqual({ y: '{"n":1}' })
    expect(server.snapshot('s1', '2-restored').isWhole).toBe(true)
  })

  test('forgets old revs, and sends who is further behind everything', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const revs = [server.rev(a.set(null, 'x', {}))]
    for (let n = 0; n < rememberedRevs; n++) revs.push(server.rev(a.set(revs.at(-1)!, 'y', { n })))
    expect(server.snapshot('s1', revs[0]!).isWhole).toBe(true)
    expect(server.snapshot('s1', revs[1]!)).toMatchObject({ isWhole: false })
    expect(Object.keys(server.snapshot('s1', revs[1]!).steps)).toEqual(['y'])
  })

  test('carries names of Object.prototype and __proto__ as ordinary steps', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    const entries = [a.write([])]
    const steps = Object.fromEntries([
      ['__proto__', '{}'],
      ['constructor', '[]'],
    ])
    server.rev({ ...a.push({ base: null, entries }), changed: steps })
    expect(Object.entries(server.snapshot('s1').steps)).toEqual(Object.entries(steps))
  })

  test('converges: any interleaving of pushes, replays and lost replies applies each entry once', () => {
    const step = fc.record({ who: fc.nat(2), isReplyLost: fc.boolean(), isReplay: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (script) => {
        const server = createServer()
        const clients = ['wa', 'wb', 'wc'].map((writer, i) => ({
          author: createAuthor('s1', writer, 1_000 * (i + 1)),
          base: null as string | null,
          pending: undefined as PushItem | undefined,
          last: undefined as PushItem | undefined,
          sent: 0,
        }))
        let accepted = 0
        for (const { who, isReplyLost, isReplay } of script) {
          const client = clients[who]!
          if (isReplay && client.last !== undefined) {
            expect(server.push(client.last).type).toBe('held')
            continue
          }
          client.pending ??= client.author.set(client.base, `step-${who}`, { n: client.sent++ })
          const verdict = server.push(client.pending)
          if (verdict.type === 'stale') {
            client.base = server.snapshot('s1').rev
            client.pending = { ...client.pending, base: client.base }
            continue
          }
          if (verdict.type === 'accepted') accepted++
          if (isReplyLost) continue
          client.base = verdict.type === 'accepted' ? verdict.write.rev : (verdict as { rev: string }).rev
          client.last = client.pending
          client.pending = undefined
        }
        if (accepted === 0) return
        const snapshot = server.snapshot('s1')
        expect(Number.parseInt(snapshot.rev, 10)).toBe(accepted)
        const held = Object.values(snapshot.heads).reduce((sum, head) => sum + head.n + 1, 0)
        expect(held).toBe(accepted)
      }),
    )
  })
})

describe('pushNeeds', () => {
  test('names entries and steps, and passes over what is no header', () => {
    const a = createAuthor('s1', 'wa')
    const push = a.set(null, 'x', {})
    const odd = { c: 'null' }
    expect(pushNeeds({ ...push, entries: [...push.entries, odd, { c: '{"writer":"w","n":1.5}' }] })).toEqual({
      entries: [{ writer: 'wa', n: 0 }],
      steps: ['x'],
    })
    expect(unpackEntry(odd).type).toBe('damaged')
  })
})

describe('answerPull', () => {
  test('is unknown, unchanged, partial or whole', () => {
    const server = createServer()
    const a = createAuthor('s1', 'wa')
    expect(server.pull('s1', null)).toEqual({ type: 'unknown', session: 's1' })
    const rev1 = server.rev(a.set(null, 'x', {}))
    expect(server.pull('s1', rev1)).toEqual({ type: 'unchanged', session: 's1', rev: rev1 })
    server.rev(a.set(rev1, 'y', {}))
    expect(server.pull('s1', rev1)).toMatchObject({ type: 'snapshot', snapshot: { isWhole: false } })
    expect(server.pull('s1', null)).toMatchObject({ type: 'snapshot', snapshot: { isWhole: true } })
  })
})
