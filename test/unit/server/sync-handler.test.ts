import { describe, expect, test } from 'vitest'
import { WaymarkError } from '../../../src/base/errors.ts'
import { type PushItem, protocolVersion, type SyncItem } from '../../../src/protocol/wire.ts'
import { memoryServerStore } from '../../../src/server/memory-store.ts'
import type { ServerStore } from '../../../src/server/store.ts'
import { createAuthor, setChange } from '../../../src/testing/author.ts'
import { createServer, origin, revOf } from './serve.ts'

const body = (items: readonly unknown[], account = 'ada') =>
  JSON.stringify({ protocol: protocolVersion, account, items })

const problemOf = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const problem = (await response.json()) as { type: string; status: number }
  expect(problem.status).toBe(response.status)
  return `${response.status} ${problem.type.replace('urn:waymark:problem:', '')}`
}

describe('POST sync', () => {
  test('answers each item in order, and a replay with the same rev', async () => {
    const { sync } = createServer()
    const a = createAuthor('s1', 'wa').set(null, 'applicant', { name: 'Ada' })
    const b = createAuthor('s2', 'wa').set('7-gone', 'applicant', {})
    const pull: SyncItem = { type: 'pull', session: 's1', since: null }
    const outcomes = await sync([a, b, pull])
    expect(outcomes.map(({ type }) => type)).toEqual(['accepted', 'unknown', 'snapshot'])
    expect(outcomes[0]).toMatchObject({ session: 's1', validated: false })
    expect((await sync([a]))[0]).toEqual(outcomes[0])
  })

  test('says stale with what happened since, to one of two with the same base', async () => {
    const { one, sync } = createServer()
    const rev = revOf(await one(createAuthor('s1', 'wa').set(null, 'x', { n: 0 })))
    const pushes = ['wb', 'wc'].map((writer) =>
      createAuthor('s1', writer, 2_000).set(rev, 'y', { by: writer }),
    )
    const outcomes = await Promise.all(pushes.map((push) => one(push)))
    expect(outcomes.map(({ type }) => type).sort()).toEqual(['accepted', 'stale'])
    const [stale] = await sync([pushes[outcomes[0]!.type === 'stale' ? 0 : 1]!])
    expect(stale).toMatchObject({ snapshot: { isWhole: false, stamps: { y: { at: 2_000 } } } })
    expect(Object.keys((stale as { snapshot: { steps: object } }).snapshot.steps)).toEqual(['y'])
  })

  test('takes one of two that create the same session at once', async () => {
    const { one } = createServer()
    const pushes = ['wb', 'wc'].map((writer) => createAuthor('s1', writer).set(null, 'y', { by: writer }))
    const types = (await Promise.all(pushes.map((push) => one(push)))).map(({ type }) => type)
    expect(types.sort()).toEqual(['accepted', 'stale'])
  })

  test('rejects a forked writer without touching what is held', async () => {
    const { one } = createServer()
    const rev = revOf(await one(createAuthor('s1', 'wa').set(null, 'x', { n: 1 })))
    const twin = createAuthor('s1', 'wa', 9_000)
    expect(await one(twin.set(rev, 'x', { n: 2 }))).toMatchObject({
      type: 'rejected',
      reason: 'writer-forked',
    })
    const pulled = await one({ type: 'pull', session: 's1', since: null })
    expect(pulled).toMatchObject({ snapshot: { rev, steps: { x: '{"n":1}' } } })
  })

  test('gives NUL, half an emoji and prototype keys back exactly', async () => {
    const { one } = createServer()
    const value = JSON.parse('{"a":"\\u0000","b":"\\ud83d","__proto__":{"x":1},"constructor":"c"}')
    const push = createAuthor('s1', 'wa').set(null, 'constructor', value)
    expect((await one(push)).type).toBe('accepted')
    const pulled = await one({ type: 'pull', session: 's1', since: null })
    expect(pulled).toMatchObject({ snapshot: { steps: push.changed } })
    expect(push.changed['constructor']).toContain('"__proto__":{"x":1}')
  })

  test('keeps accounts apart', async () => {
    const { one, post } = createServer()
    await one(createAuthor('s1', 'wa').set(null, 'x', {}))
    const pull: SyncItem = { type: 'pull', session: 's1', since: null }
    expect(await one(pull, 'eve')).toEqual({ type: 'unknown', session: 's1' })
    expect(await problemOf(await post(body([pull]), { account: 'eve' }))).toBe('403 account-mismatch')
  })

  test.each<[string, string | Uint8Array<ArrayBuffer>, Record<string, string>]>([
    ['400 body-malformed', '{"protocol":1,', {}],
    ['400 body-malformed', new Uint8Array([0x22, 0xff, 0x22]), {}],
    ['400 body-malformed', '[]', {}],
    ['400 body-malformed', '', {}],
    ['400 body-malformed', JSON.stringify({ protocol: 2, account: 'ada', items: [] }), {}],
    ['400 body-malformed', body([{ type: 'pull', since: null }]), {}],
    ['400 body-malformed', body([{ type: 'pull', session: '__proto__', since: null }]), {}],
    ['400 body-malformed', body([{ type: 'pull', session: 'a b', since: null }]), {}],
    ['400 body-malformed', body([{ type: 'pull', session: 'a'.repeat(129), since: null }]), {}],
    ['415 media-type', body([]), { 'content-type': 'text/plain' }],
    ['415 media-type', body([]), { 'content-encoding': 'gzip' }],
    ['401 unauthorized', body([]), { authorization: '' }],
  ])('answers %s', async (expected, text, headers) => {
    expect(await problemOf(await createServer().post(text, { headers }))).toBe(expected)
  })

  test('bounds bytes and items of a request, whatever its headers say', async () => {
    const { handler, post } = createServer({ limits: { bodyBytes: 200, items: 2 } })
    expect(await problemOf(await post(body(Array(3).fill({ session: 's' }))))).toBe('413 too-many-items')
    expect(await problemOf(await post(body(['x'.repeat(200)])))).toBe('413 body-too-large')
    let sent = 0
    const endless = new ReadableStream({
      pull(controller) {
        sent += 100
        controller.enqueue(new Uint8Array(100).fill(0x20))
      },
    })
    const headers = { authorization: 'Bearer ada', 'content-type': 'application/json' }
    const init = { method: 'POST', body: endless, duplex: 'half', headers }
    expect(await problemOf(await handler(new Request(`${origin}/sync`, init)))).toBe('413 body-too-large')
    expect(sent).toBeLessThan(1_000)
  })

  const good = (session = 's1') => createAuthor(session, 'wa').set(null, 'x', { n: 1 })
  test.each<[string, (push: PushItem) => unknown]>([
    ['item-malformed', (p) => ({ ...p, type: 'put' })],
    ['item-malformed', (p) => ({ ...p, base: 'a b' })],
    ['item-malformed', (p) => ({ ...p, base: undefined })],
    ['item-malformed', (p) => ({ ...p, entries: [{}] })],
    ['item-malformed', (p) => ({ ...p, changed: { 'a\0': '{}' } })],
    ['item-malformed', (p) => ({ ...p, changed: { ['x'.repeat(201)]: '{}' } })],
    ['item-malformed', (p) => ({ ...p, changed: Object.fromEntries([['__proto__', '{}']]) })],
    ['item-malformed', (p) => ({ ...p, changed: { x: 1 } })],
    ['item-malformed', (p) => ({ ...p, changed: [] })],
    ['item-malformed', (p) => ({ ...p, meta: { ...p.meta, status: 'toString' } })],
    ['item-malformed', (p) => ({ ...p, meta: { ...p.meta, finished: { x: 'yes' } } })],
    ['item-malformed', (p) => ({ ...p, meta: { ...p.meta, key: 'k'.repeat(513) } })],
    ['item-malformed', (p) => ({ ...p, meta: { ...p.meta, flow: { id: '', version: 1, hash: '' } } })],
    ['entry-foreign', (p) => ({ ...p, session: 'other' })],
  ])('rejects one item as %s and takes the next', async (reason, spoil) => {
    const { sync } = createServer()
    const outcomes = await sync([spoil(good()) as SyncItem, good('s2')])
    expect(outcomes).toMatchObject([{ type: 'rejected', reason }, { type: 'accepted' }])
  })

  test.each([
    [{ entries: 1 }, { type: 'rejected', reason: 'too-many-entries' }],
    [{ steps: 1 }, { type: 'rejected', reason: 'too-many-steps' }],
    [{ writers: 1 }, { type: 'rejected', reason: 'too-many-writers' }],
    [{ entryBytes: 400 }, { type: 'too-large', limitBytes: 400 }],
    [{ stepBytes: 400 }, { type: 'too-large', limitBytes: 400 }],
  ])('bounds %j', async (limits, expected) => {
    const a = createAuthor('s1', 'wa')
    const long = 'ü'.repeat(200)
    const push = a.push({
      base: null,
      entries: [
        a.write([setChange('x', { long })]),
        createAuthor('s1', 'wb').write([setChange('y', { n: 1 })]),
      ],
      changed: { x: { long }, y: { n: 1 } },
    })
    expect((await createServer().one(push)).type).toBe('accepted')
    expect(await createServer({ limits }).one(push)).toMatchObject(expected)
  })

  test('answers 503 with Retry-After where the store fails for now, 500 where for good, and tells neither why', async () => {
    for (const [isRetryable, expected] of [
      [true, '503 server-unavailable'],
      [false, '500 server-failed'],
    ] as const) {
      const cause = new WaymarkError('storage-failed', 'relation "secret" is gone', { isRetryable })
      const store: ServerStore = { ...memoryServerStore(), load: () => Promise.reject(cause) }
      const { post, errors } = createServer({ store })
      const response = await post(body([good()]))
      expect(response.headers.get('retry-after')).toBe(isRetryable ? '5' : null)
      expect(await response.clone().text()).not.toContain('secret')
      expect(await problemOf(response)).toBe(expected)
      expect(errors).toEqual([cause])
    }
  })

  test('keeps what it accepted before it failed, so that sending again is safe', async () => {
    const inner = memoryServerStore()
    let isBroken = true
    const store: ServerStore = {
      ...inner,
      load: (key, needs) =>
        isBroken && key.session === 's2' ? Promise.reject(new Error('down')) : inner.load(key, needs),
    }
    const { post, sync } = createServer({ store })
    const items = [good('s1'), good('s2')]
    expect((await post(body(items))).status).toBe(503)
    isBroken = false
    expect((await sync(items)).map((outcome) => revOf(outcome).slice(0, 2))).toEqual(['1-', '1-'])
  })

  test('answers 503 while a session changes under every attempt', async () => {
    const store: ServerStore = { ...memoryServerStore(), write: async () => false }
    expect((await createServer({ store }).post(body([good()]))).status).toBe(503)
  })
})

describe('authorize', () => {
  test('may answer itself, and 503 where it throws', async () => {
    const own = createServer({ authorize: () => new Response('pay', { status: 402 }) })
    expect((await own.post(body([]))).status).toBe(402)
    const broken = createServer({ authorize: () => Promise.reject(new Error('token service down')) })
    expect(await problemOf(await broken.post(body([])))).toBe('503 server-unavailable')
  })
})

describe('routes', () => {
  test('are found under the base path only, with their method only', async () => {
    const { handler, get } = createServer({ basePath: '/waymark/' })
    expect((await get('sessions')).status).toBe(200)
    expect(await problemOf(await get('sync'))).toBe('405 method-not-allowed')
    for (const path of [
      '/sync',
      '/other/waymark/sync',
      '/waymark',
      '/waymark/sessions/',
      '/waymark/sessions/%',
    ]) {
      expect(await problemOf(await handler(new Request(origin + path)))).toBe('404 not-found')
    }
    const { get: anywhere } = createServer()
    expect((await anywhere('sync')).headers.get('allow')).toBe('POST')
  })
})

describe('GET sessions', () => {
  test('gives one session with its answers, and 304 to who holds that rev', async () => {
    const { one, get } = createServer()
    const rev = revOf(
      await one(createAuthor('s1', 'wa').set(null, 'x', { name: 'Ada\0' }, { finished: { x: 'valid' } })),
    )
    const response = await get('sessions/s1')
    expect(response.headers.get('etag')).toBe(`"${rev}"`)
    expect(await response.json()).toMatchObject({
      ...{ session: 's1', rev, key: 'application-17', status: 'running', step: 'applicant' },
      ...{ finished: { x: 'valid' }, answers: { x: { name: 'Ada\0' } } },
    })
    for (const tag of [`"${rev}"`, `W/"${rev}"`, `"old", "${rev}"`]) {
      expect((await get('sessions/s1', { 'if-none-match': tag })).status).toBe(304)
    }
    expect((await get('sessions/s1', { 'if-none-match': '"old"' })).status).toBe(200)
    expect(await problemOf(await get('sessions/s2'))).toBe('404 not-found')
  })

  test('gives what is offered of conflicts beside the answers, not among them', async () => {
    const { one, get } = createServer()
    const author = createAuthor('s1', 'wa')
    const lost = { step: 'x', path: '/name', value: 'Ada', at: 1, writer: 'wb' }
    const rev = revOf(await one(author.set(null, 'x', { name: 'Eve' })))
    await one(author.set(rev, '/conflicts', { c1: lost, c2: 'none' }))
    expect(await (await get('sessions/s1')).json()).toMatchObject({
      answers: { x: { name: 'Eve' } },
      conflicts: [lost],
    })
    const { answers } = (await (await get('sessions/s1')).json()) as { answers: object }
    expect(Object.keys(answers)).toEqual(['x'])
  })

  test('lists in pages, without answers', async () => {
    const { sync, get } = createServer({ limits: { listed: 2 } })
    await sync(['s1', 's2', 's3'].map((session) => createAuthor(session, 'wa').set(null, 'x', { secret: 1 })))
    const page = await get('sessions?limit=100')
    const text = await page.text()
    expect(text).not.toContain('secret')
    expect(JSON.parse(text)).toMatchObject({ sessions: [{ session: 's1' }, { session: 's2' }], next: 's2' })
    const rest = (await (await get('sessions?after=s2')).json()) as object
    expect(rest).toMatchObject({ sessions: [{ session: 's3', savedAt: 1_790_000_000_000 }] })
    expect(rest).not.toHaveProperty('next')
  })
})

describe('cors', () => {
  const preflight = (from: string) =>
    new Request(`${origin}/sync`, {
      method: 'OPTIONS',
      headers: { origin: from, 'access-control-request-method': 'POST' },
    })

  test('answers preflights of allowed origins only', async () => {
    const { handler } = createServer({ cors: { origins: ['https://shop.test'], credentials: true } })
    const allowed = await handler(preflight('https://shop.test'))
    expect(allowed.status).toBe(204)
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': 'https://shop.test',
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'content-type, authorization',
      vary: 'Origin',
    })
    const denied = await handler(preflight('https://evil.test'))
    expect(denied.headers.has('access-control-allow-origin')).toBe(false)
    expect(await problemOf(denied)).toBe('403 origin-denied')
  })

  test('marks every answer, problems too, and asks a function', async () => {
    const { get } = createServer({ cors: { origins: (from) => from.endsWith('.shop.test') } })
    const response = await get('nothing', { origin: 'https://a.shop.test' })
    expect(response.status).toBe(404)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://a.shop.test')
    expect(response.headers.get('vary')).toBe('Origin')
    const other = await get('sessions')
    expect(other.headers.has('access-control-allow-origin')).toBe(false)
    expect(other.headers.get('vary')).toBe('Origin')
  })

  test('sends no header where it is off', async () => {
    const response = await createServer().handler(preflight('https://shop.test'))
    expect(response.status).toBe(405)
    expect(response.headers.has('vary')).toBe(false)
  })
})
