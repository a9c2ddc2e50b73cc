import { describe, expect, test } from 'vitest'
import { type HttpBackendOptions, httpBackend } from '../../../src/backends/http-backend.ts'
import type { Clock } from '../../../src/base/clock.ts'
import type { SyncItem } from '../../../src/protocol/wire.ts'
import { createAuthor, runningMeta } from '../../../src/testing/author.ts'

const push: SyncItem = createAuthor('s1', 'wa').set(null, 'x', { secret: 'hunter2' })
const pull: SyncItem = { type: 'pull', session: 's1', since: null }
const now = Date.UTC(2026, 0, 1)
const idle: Clock = { now: () => now, after: () => () => {} }

const send = (
  reply: () => Response | Promise<Response>,
  options: Partial<HttpBackendOptions> = {},
  items: readonly SyncItem[] = [push],
) =>
  httpBackend({ url: 'https://app.test/w', clock: idle, fetch: async () => reply(), ...options }).exchange(
    items,
    {
      account: 'ada',
      signal: new AbortController().signal,
    },
  )

const answer = (outcome: object, more: object = {}) =>
  Response.json({ protocol: 1, items: [{ session: 's1', ...outcome }], now: 5, ...more })

const accepted = { type: 'accepted', rev: '1-a', validated: false }
const snapshot = {
  ...{ rev: '1-a', isWhole: true, meta: runningMeta, steps: { x: '{}', y: null }, at: 1 },
  ...{ heads: { wa: { n: 0, hash: 'h' } }, stamps: { x: { at: 1, writer: 'wa' } } },
}

describe('httpBackend request', () => {
  test('posts to url/sync with the headers made for that account', async () => {
    const requests: Request[] = []
    const outcome = await send(() => answer(accepted), {
      url: 'https://app.test/w//',
      headers: async ({ account }) => ({ authorization: `Bearer ${account}`, 'content-type': 'text/plain' }),
      credentials: 'include',
      fetch: async (request) => {
        requests.push(request)
        return answer(accepted)
      },
    })
    expect(outcome).toEqual({ type: 'answered', outcomes: [{ session: 's1', ...accepted }], serverNow: 5 })
    const [request] = requests
    expect([request!.method, request!.url, request!.redirect, request!.credentials]).toEqual([
      'POST',
      'https://app.test/w/sync',
      'error',
      'include',
    ])
    expect(request!.headers.get('authorization')).toBe('Bearer ada')
    expect(request!.headers.get('content-type')).toBe('application/json')
    expect(await request!.json()).toEqual({ protocol: 1, account: 'ada', items: [push] })
  })

  test('is unreachable where the headers cannot be made, and tells no secret of it', async () => {
    const headers = () => Promise.reject(new Error('refresh token hunter2'))
    expect(await send(() => answer(accepted), { headers })).toEqual({
      type: 'unreachable',
      reason: 'the headers could not be made',
    })
  })
})

describe('httpBackend on 401', () => {
  const unauthorized = () => new Response(null, { status: 401 })

  test('waits for sign-in where nobody is asked, or the one asked says no or throws', async () => {
    for (const onUnauthorized of [undefined, () => false, () => Promise.reject(new Error('closed'))]) {
      const outcome = await send(unauthorized, onUnauthorized === undefined ? {} : { onUnauthorized })
      expect(outcome).toEqual({ type: 'unauthorized' })
    }
  })

  test('tries once more after a sign-in, and once only', async () => {
    let asked = 0
    let requests = 0
    const onUnauthorized = ({ account }: { account: string }) => ++asked > 0 && account === 'ada'
    const healed = await send(() => (requests++ === 0 ? unauthorized() : answer(accepted)), {
      onUnauthorized,
    })
    expect([healed.type, asked, requests]).toEqual(['answered', 1, 2])
    const still = await send(unauthorized, { onUnauthorized })
    expect([still.type, asked]).toEqual(['unauthorized', 2])
  })

  test('asks once for exchanges that meet it together', async () => {
    let asked = 0
    let isSignedIn = false
    const backend = httpBackend({
      url: 'https://app.test/w',
      clock: idle,
      fetch: async () => (isSignedIn ? answer(accepted) : unauthorized()),
      onUnauthorized: async () => {
        asked++
        await new Promise((resolve) => setTimeout(resolve))
        isSignedIn = true
        return true
      },
    })
    const options = { account: 'ada', signal: new AbortController().signal }
    const outcomes = await Promise.all([backend.exchange([push], options), backend.exchange([push], options)])
    expect([outcomes.map(({ type }) => type), asked]).toEqual([['answered', 'answered'], 1])
  })
})

type Verdict = [status: number, headers: Record<string, string>, type: 'refused' | 'unreachable']

describe('httpBackend verdicts', () => {
  const html = { 'content-type': 'text/html; charset=utf-8' }
  const each = (statuses: readonly number[], headers: Verdict[1], type: Verdict[2]) =>
    statuses.map((status): Verdict => [status, headers, type])

  test.each<Verdict>([
    ...each([400, 402, 403, 406, 410, 412, 413, 415, 422, 428, 431], {}, 'refused'),
    ...each([400, 403, 412, 422], html, 'unreachable'),
    ...each([413], html, 'refused'),
    ...each([404, 405, 407, 408, 409, 421, 423, 425, 429, 418], {}, 'unreachable'),
    ...each([500, 501, 502, 503, 504, 507, 511], {}, 'unreachable'),
    [204, {}, 'unreachable'],
    [304, {}, 'unreachable'],
  ])('HTTP %i with %j is %s', async (status, headers, type) => {
    const body = [204, 304].includes(status) ? null : 'hunter2'
    const outcome = await send(() => new Response(body, { status, headers }))
    const reason = status === 204 ? 'HTTP 204 without a usable answer' : `HTTP ${status}`
    expect(outcome).toEqual(type === 'refused' ? { type, reason, status } : { type, reason })
  })

  test.each([
    ['a number of seconds', { 'retry-after': '120' }, 120_000],
    [
      'a date by the clock of the server',
      { 'retry-after': 'Thu, 01 Jan 2026 12:01:00 GMT', date: 'Thu, 01 Jan 2026 12:00:00 GMT' },
      60_000,
    ],
    ['a date by the own clock', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    ['a date that is over', { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    ['an age', { 'retry-after': '99999999999' }, 86_400_000],
    ['nonsense', { 'retry-after': 'soon' }, undefined],
  ])('hands on Retry-After as %s', async (_, headers, retryAfterMs) => {
    const outcome = await send(() => new Response(null, { status: 503, headers: headers as never }))
    expect(outcome).toEqual({
      ...{ type: 'unreachable', reason: 'HTTP 503' },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  })

  const unusable = { type: 'unreachable', reason: 'HTTP 200 without a usable answer' }
  test.each<[string, () => Response]>([
    ['the page of a captive portal', () => new Response('<html>Welcome</html>', { headers: html })],
    ['nothing', () => new Response('')],
    ['a cut body', () => new Response('{"protocol":1,"items":[{"type":"acc')],
    ['another protocol', () => answer(accepted, { protocol: 2 })],
    ['no clock', () => answer(accepted, { now: 'late' })],
    ['too few outcomes', () => answer(accepted, { items: [] })],
    ['too many outcomes', () => answer(accepted, { items: [accepted, accepted] })],
    ['an outcome of another session', () => answer({ ...accepted, session: 's2' })],
    ['an unknown outcome', () => answer({ type: 'postponed' })],
    ['the name of a prototype member', () => answer({ type: 'constructor' })],
    ['null', () => answer({}, { items: [null] })],
    ['an accepted without rev', () => answer({ ...accepted, rev: 7 })],
    ['a pull outcome to a push', () => answer({ type: 'unchanged', rev: '1-a' })],
    ['issues that are none', () => answer({ type: 'rejected', reason: 'r', issues: [{ step: 1 }] })],
    ['a stale without snapshot', () => answer({ type: 'stale' })],
    ['steps that are no text', () => answer({ type: 'stale', snapshot: { ...snapshot, steps: { x: {} } } })],
    [
      'an unknown status',
      () => answer({ type: 'stale', snapshot: { ...snapshot, meta: { ...runningMeta, status: 'odd' } } }),
    ],
    [
      'heads that are no heads',
      () => answer({ type: 'stale', snapshot: { ...snapshot, heads: { wa: 'h' } } }),
    ],
  ])('does not believe %s', async (_, reply) => {
    expect(await send(reply)).toEqual(unusable)
  })

  test.each<[SyncItem, object]>([
    [push, { type: 'stale', snapshot }],
    [push, { type: 'unknown' }],
    [push, { type: 'rejected', reason: 'no', issues: [{ step: 'x', path: '/a', message: 'm' }] }],
    [push, { type: 'too-large', limitBytes: 5 }],
    [push, { type: 'denied', reason: 'read-only' }],
    [pull, { type: 'snapshot', snapshot }],
    [pull, { type: 'unchanged', rev: '1-a' }],
  ])('believes a well-formed outcome', async (item, outcome) => {
    expect(await send(() => answer(outcome), {}, [item])).toMatchObject({
      type: 'answered',
      outcomes: [{ session: 's1', ...outcome }],
    })
  })

  test('is unreachable without a network, and where the body breaks off', async () => {
    const noAnswer = { type: 'unreachable', reason: 'no answer' }
    expect(await send(() => Promise.reject(new TypeError('Failed to fetch hunter2')))).toEqual(noAnswer)
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) })
    expect(await send(() => new Response(body))).toEqual(noAnswer)
  })

  test('is unreachable after its time, the body included, and on abort, even if fetch heeds neither', async () => {
    const waits: [number, () => void][] = []
    const after: Clock['after'] = (delayMs, run) => {
      waits.push([delayMs, run])
      return () => {}
    }
    const clock: Clock = { now: () => now, after }
    const endless = () => new Response(new ReadableStream())
    const late = send(endless, { clock, timeoutMs: 1_234 })
    expect(waits[0]![0]).toBe(1_234)
    waits[0]![1]()
    expect(await late).toEqual({ type: 'unreachable', reason: 'timed out' })
    const controller = new AbortController()
    const backend = httpBackend({ url: 'https://app.test', clock, fetch: () => new Promise(() => {}) })
    const aborted = backend.exchange([push], { account: 'ada', signal: controller.signal })
    controller.abort()
    expect(await aborted).toEqual({ type: 'unreachable', reason: 'aborted' })
  })
})
