import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { Waymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import { toStorageError } from '../../../src/store/storage-error.ts'
import type { Store, Write } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'
import { preparePages } from '../../support/pages.ts'

const pages = preparePages()
const { errors } = pages
const page = (store: Store, extra: object = {}) => pages.page({ store, ...extra })

/** Memory that passes for a disk, with a switch that makes it fail as a browser does. */
function fragileStore() {
  const memory = createMemoryStore()
  let failure: DOMException | undefined
  const store: Store = {
    ...memory,
    kind: 'indexeddb',
    async write(write: Write) {
      if (failure) throw toStorageError(failure, 'use')
      return memory.write(write)
    },
  }
  return { store, failWith: (name?: string) => (failure = name ? new DOMException('x', name) : undefined) }
}

describe('a full disk', () => {
  test('shows at risk and why, keeps everything in the page, and is well again by itself', async () => {
    const { store, failWith } = fragileStore()
    const clock = createFakeClock()
    const waymark = page(store, { clock })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    await settle()
    failWith('QuotaExceededError')
    session.set('applicant', { joint: false })
    await settle()
    expect(session.status.getSnapshot().saved).toMatchObject({
      device: 'no',
      atRisk: { code: 'storage-full' },
    })
    const outcome = await session.next()
    expect(outcome).toMatchObject({
      type: 'moved',
      saved: { device: 'no', atRisk: { code: 'storage-full' } },
    })
    expect(session.getSnapshot().answers.applicant).toEqual({ name: 'Ada', joint: false })
    failWith()
    await clock.advance(31_000)
    expect(session.status.getSnapshot().saved).toEqual({ device: 'strict', server: 'none' })
    const again = page(store)
    expect((await again.open('mortgage')).getSnapshot().answers.applicant).toEqual({
      name: 'Ada',
      joint: false,
    })
  })
})

describe('a schema that throws', () => {
  test('rejects next() by code, loses nothing and names no answer', async () => {
    const broken = defineFlow({
      id: 'mortgage',
      title: 'Broken',
      steps: {
        one: {
          title: 'One',
          schema: {
            '~standard': {
              version: 1,
              vendor: 'test',
              validate: (value: unknown) => {
                throw new Error(`bad ${JSON.stringify(value)}`)
              },
            },
          },
        },
      },
    })
    const waymark = page(fragileStore().store, { flows: [broken] })
    const session = (await waymark.open('mortgage')) as never as Awaited<
      ReturnType<Waymark<typeof broken>['open']>
    >
    session.set('one', { secret: 'hush' } as never)
    const error = await session.next().catch((thrown: unknown) => thrown)
    expect(isWaymarkError(error, 'schema-failed')).toBe(true)
    expect((error as Error).message).not.toContain('hush')
    expect(session.getSnapshot()).toMatchObject({ step: 'one', answers: { one: { secret: 'hush' } } })
  })
})

describe('newer code was here', () => {
  test('a session of a newer flow version is not opened: outdated', async () => {
    const { store } = fragileStore()
    const newer = defineFlow({
      id: 'mortgage',
      version: 2,
      title: 'Newer',
      steps: { other: { title: 'Other' } },
    })
    const next = page(store, { flows: [newer] })
    const session = await next.open('mortgage')
    ;(session as never as { set(step: string, fields: object): void }).set('other', { a: 1 })
    session.commit()
    await session.saved('strict')
    const old = page(store)
    const error = await old.open('mortgage').catch((thrown: unknown) => thrown)
    expect(isWaymarkError(error, 'outdated')).toBe(true)
  })

  test('an entry in a newer format ends appending: input stays as draft and the status says outdated', async () => {
    const { store } = fragileStore()
    const waymark = page(store)
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada' })
    session.commit()
    await session.saved('strict')
    const position = session.getSnapshot().position
    await store.write({
      durability: 'strict',
      add: { store: 'journal', key: [session.id, position + 2], value: { v: 2, i: position + 2 } },
    })
    await store.write({
      durability: 'strict',
      add: { store: 'journal', key: [session.id, position + 1], value: { v: 2, i: position + 1 } },
    })
    session.set('applicant', { name: 'Ada L' })
    session.commit()
    await settle()
    expect(session.status.getSnapshot().saved.atRisk).toMatchObject({ code: 'outdated' })
    expect(session.getSnapshot().answers.applicant).toEqual({ name: 'Ada L' })
    const [drafts] = await store.read([{ store: 'drafts', prefix: [session.id] }])
    expect(JSON.stringify(drafts)).toContain('Ada L')
  })
})

describe('something unreadable', () => {
  test('is reported by code without its content, set aside, and the rest is there', async () => {
    const { store } = fragileStore()
    const first = page(store)
    const session = await first.open('mortgage')
    session.set('applicant', { name: 'Secret' })
    session.commit()
    await session.saved('strict')
    session.set('notes', { text: 'kept' })
    session.commit()
    await session.saved('strict')
    await first.close()
    const [rows] = await store.read([{ store: 'journal', prefix: [session.id, 0] }])
    const row = rows?.[0] as { p: string }
    await store.write({
      durability: 'strict',
      put: [{ store: 'journal', key: [session.id, 0], value: { ...row, p: `${row.p} ` } }],
      remove: [
        { store: 'checkpoints', prefix: [session.id] },
        { store: 'parts', prefix: [session.id] },
      ],
    })
    const clock = createFakeClock()
    const waymark = page(store, { clock })
    const again = await waymark.open('mortgage')
    const places: string[] = []
    again.on('quarantined', (event) => places.push(...event.places))
    await clock.advance(1)
    expect(again.getSnapshot().answers).toMatchObject({ notes: { text: 'kept' } })
    const heard = errors.splice(0)
    expect(heard.some((error) => isWaymarkError(error, 'record-unreadable'))).toBe(true)
    expect(JSON.stringify(heard.map(String))).not.toContain('Secret')
    expect(places).toContain('entry/0')
    const [aside] = await store.read([{ store: 'quarantine', prefix: [session.id] }])
    expect(JSON.stringify(aside)).toContain('Secret')
  })
})

describe('a rejected push', () => {
  test('is parked with its reason, editing goes on, and a change sends it again', async () => {
    const clock = createFakeClock()
    const inner = memoryBackend()
    let isRejecting = true
    const backend = {
      async exchange(...args: Parameters<typeof inner.exchange>) {
        const [items] = args
        if (!isRejecting) return inner.exchange(...args)
        return {
          type: 'answered' as const,
          outcomes: items.map((item) => ({
            type: 'rejected' as const,
            session: item.session,
            reason: 'answers-invalid',
            issues: [{ step: 'applicant', path: '/name', message: 'Not allowed.' }],
          })),
        }
      },
    }
    const waymark = page(fragileStore().store, { clock, backend, account: 'u1' })
    const session = await waymark.open('mortgage')
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    await clock.advance(5_000)
    expect(session.status.getSnapshot()).toMatchObject({
      saved: { device: 'strict', server: 'pending' },
      parked: { reason: 'answers-invalid', issues: [{ path: '/name' }] },
    })
    isRejecting = false
    session.set('applicant', { name: 'Eve' })
    session.commit()
    await clock.advance(5_000)
    expect(session.status.getSnapshot()).toMatchObject({ saved: { server: 'yes' }, parked: undefined })
    expect(errors).toEqual([])
  })
})
