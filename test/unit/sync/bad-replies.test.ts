/** Every way a server, or what stands before it, can answer wrongly: what the person is told, and that nothing is lost. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { httpBackend } from '../../../src/backends/http-backend.ts'
import type { SyncState } from '../../../src/protocol/sync-status.ts'
import type { SyncResponse } from '../../../src/protocol/wire.ts'
import { memoryServerStore } from '../../../src/server/memory-store.ts'
import { createSyncHandler } from '../../../src/server/sync-handler.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device, synced } from './device.ts'

const html = { 'content-type': 'text/html' }
const problem = (status: number, headers = {}) => new Response('{"title":"no"}', { status, headers })

/** What is answered in the place of the right answer, and what the status says while it lasts. */
const replies: Record<
  string,
  { reply: (right: Response) => Response | Promise<Response>; state: SyncState }
> = {
  '500': { reply: () => problem(500), state: 'circuitOpen' },
  '503 with Retry-After': { reply: () => problem(503, { 'retry-after': '20' }), state: 'circuitOpen' },
  '401': { reply: () => problem(401), state: 'signedOut' },
  '403': { reply: () => problem(403), state: 'blocked' },
  '409': { reply: () => problem(409), state: 'circuitOpen' },
  '412': { reply: () => problem(412), state: 'blocked' },
  '413': { reply: () => problem(413), state: 'idle' },
  '422': { reply: () => problem(422), state: 'blocked' },
  '429': { reply: () => problem(429, { 'retry-after': '5' }), state: 'circuitOpen' },
  'HTML of a captive portal': {
    reply: () => new Response('<h1>Sign in to the network</h1>', { headers: html }),
    state: 'circuitOpen',
  },
  'HTML of a proxy that forbids': {
    reply: () => new Response('<h1>Forbidden</h1>', { status: 403, headers: html }),
    state: 'circuitOpen',
  },
  'a cut body': {
    reply: async (right) => new Response((await right.text()).slice(0, -20)),
    state: 'circuitOpen',
  },
  'a body that breaks off': {
    reply: () => new Response(new ReadableStream({ start: (stream) => stream.error(new Error('reset')) })),
    state: 'circuitOpen',
  },
  'an answer about another session': {
    reply: (right) =>
      changed(right, (answer) => ({
        ...answer,
        items: answer.items.map((item) => ({ ...item, session: 'other' })),
      })),
    state: 'circuitOpen',
  },
  'too few answers': {
    reply: (right) => changed(right, (answer) => ({ ...answer, items: [] })),
    state: 'circuitOpen',
  },
  'an answer of another kind': {
    reply: (right) =>
      changed(right, (answer) => ({
        ...answer,
        items: answer.items.map(({ session }) => ({ type: 'unchanged', session, rev: 'r' })) as never,
      })),
    state: 'circuitOpen',
  },
  'an answer of a protocol to come': {
    reply: (right) => changed(right, (answer) => ({ ...answer, protocol: 99 as never })),
    state: 'circuitOpen',
  },
}

async function changed(right: Response, change: (answer: SyncResponse) => SyncResponse): Promise<Response> {
  return Response.json(change((await right.json()) as SyncResponse))
}

async function journey(reply: (right: Response) => Response | Promise<Response>, isApplied: boolean) {
  const clock = createFakeClock()
  const store = memoryServerStore()
  const handle = createSyncHandler({ store, authorize: () => ({ account: 'u1' }) })
  let isBad = false
  const requests: number[] = []
  const backend = httpBackend({
    url: 'http://x/w',
    clock,
    async fetch(request) {
      requests.push(clock.now())
      const spare = (request as Request).clone()
      const right = () => handle(spare)
      if (!isBad) return right()
      return reply(isApplied ? await right() : Response.json({ protocol: 1, now: 1, items: [{ type: 'x' }] }))
    },
  })
  const { waymark, errors } = device({ clock, backend })
  const session = await waymark.open('mortgage')
  session.set('notes', { before: 1 })
  session.commit()
  await clock.advance(5_000)
  expect(session.status.getSnapshot().saved).toEqual(synced)
  isBad = true
  const key = session.add('incomes', { source: 'Work', amount: 1 })
  await clock.advance(2_000)
  session.set('notes', { during: 2 })
  session.commit()
  const badSince = requests.length
  await clock.advance(900_000)
  const during = session.status.getSnapshot()
  const badRequests = requests.slice(badSince)
  isBad = false
  waymark.sync.signedIn()
  void waymark.sync.now()
  await clock.advance(300_000)
  return { store, clock, session, during, key, errors, badRequests, id: session.id }
}

describe.each(Object.entries(replies))('a server that answers %s', (_name, { reply, state }) => {
  test.each([
    ['before taking what was sent', false],
    ['after taking it', true],
  ])('%s: nothing is lost or doubled, and nobody is told it was received', async (_when, isApplied) => {
    const { store, session, during, key, errors, id } = await journey(reply, isApplied)
    expect(during.saved).toMatchObject({ device: 'yes', server: 'pending' })
    expect(during.saved.atRisk).toBeUndefined()
    expect(during.sync?.state).toBe(state)
    expect(session.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    expect(session.conflicts).toEqual([])
    expect(errors).toEqual([])
    const held = await store.read({ account: 'u1', session: id }, null)
    const answers = Object.fromEntries(
      held?.steps.map(({ step, text }) => [step, JSON.parse(text ?? 'null')]) ?? [],
    )
    expect(answers).toEqual({
      notes: { before: 1, during: 2 },
      incomes: [{ source: 'Work', amount: 1, key }],
    })
    const sent = (await session.history()).filter((entry) => !entry.id.includes('~'))
    expect(Object.values(held?.heads ?? {}).reduce((sum, { n }) => sum + n + 1, 0)).toBe(sent.length)
  })
})

test('Retry-After is obeyed', async () => {
  const { badRequests } = await journey(() => problem(503, { 'retry-after': '20' }), false)
  const gaps = badRequests.slice(1).map((at, i) => at - badRequests[i]!)
  expect(gaps.length).toBeGreaterThan(3)
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20_000)
})

test('README names what happens at each of them', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const table = readme.slice(readme.indexOf('| the server says |'), readme.indexOf('None of these loses'))
  for (const words of [
    '401',
    '403',
    '409',
    '412',
    '413',
    '422',
    '429',
    '5xx',
    'Retry-After',
    'captive portal',
    'cut',
    'foreign',
  ]) {
    expect(table).toContain(words)
  }
})
