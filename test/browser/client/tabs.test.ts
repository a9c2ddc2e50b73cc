import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Backend, createWaymark, isWaymarkError, type Waymark, type WaymarkOptions } from 'waymark'
import { memoryBackend } from 'waymark/backends'
import { mortgage } from '../../support/fixture-flow.ts'

const opened: Waymark<typeof mortgage>[] = []
const errors: unknown[] = []

/** A page of the same app: its own writer, the same database and channel as the others of its namespace. */
function tab(namespace: string, options: Partial<WaymarkOptions<typeof mortgage>> = {}) {
  const waymark = createWaymark({
    flows: [mortgage],
    namespace,
    onError: (error) => errors.push(error),
    ...options,
  })
  opened.push(waymark)
  return waymark
}

const uniqueName = () => `tabs-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`
const until = (check: () => void) => vi.waitFor(check, { timeout: 4_000, interval: 10 })

afterEach(async () => {
  for (const waymark of opened.splice(0)) await waymark.close()
  expect(errors.splice(0)).toEqual([])
})

describe('two tabs on one session', () => {
  test('typing in one appears in the other, and neither is moved from its step', async () => {
    const name = uniqueName()
    const a = await tab(name).open('mortgage')
    a.set('applicant', { name: 'Ada', joint: false })
    expect(await a.next()).toMatchObject({ type: 'moved', step: 'incomes', saved: { device: 'strict' } })
    const b = await tab(name).open('mortgage')
    await b.back()
    a.add('incomes', { source: 'Work', amount: 10 })
    a.set('notes', { text: 'typing' })
    await until(() =>
      expect(b.getSnapshot().answers).toMatchObject({
        incomes: [{ source: 'Work' }],
        notes: { text: 'typing' },
      }),
    )
    expect(b.getSnapshot().step).toBe('applicant')
    expect(a.getSnapshot().step).toBe('incomes')
  })

  test('both typing at once loses nothing', async () => {
    const name = uniqueName()
    const a = await tab(name).open('mortgage')
    const b = await tab(name).open('mortgage')
    for (let i = 0; i < 60; i++) {
      a.set('applicant', { name: `a${i}` })
      b.set('notes', { [`line${i}`]: i })
      if (i % 7 === 0) a.commit()
      if (i % 5 === 0) b.commit()
      if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve))
    }
    expect(await a.saved('strict')).toEqual({ type: 'saved' })
    expect(await b.saved('strict')).toEqual({ type: 'saved' })
    await until(() => {
      expect(a.getSnapshot().answers.applicant).toEqual({ name: 'a59' })
      expect(b.getSnapshot().answers).toEqual(a.getSnapshot().answers)
    })
    const fresh = await tab(name).open('mortgage')
    expect(fresh.getSnapshot().answers.applicant).toEqual({ name: 'a59' })
    expect(Object.keys(fresh.getSnapshot().answers.notes ?? {})).toHaveLength(60)
  })

  test('opening the same key at the same moment gives one session', async () => {
    const name = uniqueName()
    const [a, b] = await Promise.all([
      tab(name).open('mortgage', { key: 'k' }),
      tab(name).open('mortgage', { key: 'k' }),
    ])
    expect(b.id).toBe(a.id)
    a.set('applicant', { name: 'Ada' })
    b.set('applicant', { joint: true })
    await Promise.all([a.saved('strict'), b.saved('strict')])
    await until(() => expect(a.getSnapshot().answers.applicant).toEqual({ name: 'Ada', joint: true }))
    await until(() => expect(b.getSnapshot().answers.applicant).toEqual({ name: 'Ada', joint: true }))
    expect(await tab(name).resumable()).toHaveLength(1)
  })
})

describe('what people type', () => {
  test('half an emoji, a NUL and hostile keys come back as typed, from device and server', async () => {
    const name = uniqueName()
    const backend = memoryBackend()
    const hostile = JSON.parse('{"__proto__":{"a":1},"constructor":"c","toString":"t","":"e","a/b~c":"p"}')
    const answers = { half: 'x\ud83d', nul: 'a\u0000b', emoji: '👩‍👩‍👧', hostile }
    const a = await tab(name, { account: 'u1', backend }).open('mortgage')
    a.set('notes', answers)
    expect(await a.saved('server')).toEqual({ type: 'saved' })
    const b = await tab(name, { account: 'u1' }).open('mortgage')
    expect(b.getSnapshot().answers.notes).toEqual(answers)
    expect(Object.keys((b.getSnapshot().answers.notes as typeof answers).hostile)).toContain('__proto__')
    const elsewhere = tab(uniqueName(), { account: 'u1', backend })
    const c = await elsewhere.open('mortgage')
    await until(() => expect(c.getSnapshot().answers.notes).toEqual(answers))
    expect(({} as Record<string, unknown>)['a']).toBeUndefined()
  })

  test('a 2 MB answer is refused by code and what was there stays', async () => {
    const session = await tab(uniqueName()).open('mortgage')
    session.set('notes', { text: 'kept' })
    try {
      session.set('notes', { text: 'x'.repeat(2_000_000) })
      expect.unreachable()
    } catch (error) {
      expect(isWaymarkError(error, 'answer-too-large')).toBe(true)
    }
    expect(session.getSnapshot().answers.notes).toEqual({ text: 'kept' })
  })

  test('an answer just under the limit is stored and read back', async () => {
    const name = uniqueName()
    const session = await tab(name).open('mortgage')
    const text = 'é'.repeat(900_000)
    session.set('notes', { text })
    expect(await session.saved('strict')).toEqual({ type: 'saved' })
    const again = await tab(name).open('mortgage')
    expect((again.getSnapshot().answers.notes as { text: string }).text === text).toBe(true)
  })
})

describe('several tabs with something to send', () => {
  test('send it once: they take turns', async () => {
    const name = uniqueName()
    const inner = memoryBackend({ latencyMs: 30 })
    const pushed: string[] = []
    const backend: Backend = {
      exchange(items, options) {
        for (const item of items) if (item.type === 'push') pushed.push(item.session)
        return inner.exchange(items, options)
      },
    }
    const offline = tab(name, { account: 'u1' })
    for (const key of ['a', 'b', 'c']) {
      const session = await offline.open('mortgage', { key })
      session.set('notes', { text: key })
      session.commit()
      await session.saved('device')
    }
    await offline.close()
    const tabs = [0, 1, 2, 3, 4].map(() => tab(name, { account: 'u1', backend }))
    await Promise.all(tabs.map((one) => one.sync.now()))
    await until(() => expect(inner.sessions('u1')).toHaveLength(3))
    await Promise.all(tabs.map((one) => one.sync.now()))
    expect(pushed.sort()).toEqual([...inner.sessions('u1')])
  })
})

describe('without IndexedDB', () => {
  test('everything works from memory and every status says at risk', async () => {
    vi.stubGlobal('indexedDB', undefined)
    try {
      const backend = memoryBackend()
      const session = await tab(uniqueName(), { account: 'u1', backend }).open('mortgage')
      session.set('applicant', { name: 'Ada', joint: false })
      expect(await session.saved('device')).toMatchObject({ type: 'at-risk', code: 'storage-unavailable' })
      expect(await session.next()).toMatchObject({ type: 'moved', saved: { device: 'no' } })
      expect(await session.saved('server')).toEqual({ type: 'saved' })
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
