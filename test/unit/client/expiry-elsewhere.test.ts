import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore } from '../../support/pages.ts'

beforeAll(() => import('../../../src/sync/sync.ts'))
const hour = 3_600_000
const flow = defineFlow({
  id: 'claim',
  title: 'Claim',
  expiry: { afterMs: 24 * hour, warnMs: 2 * hour },
  steps: { one: { title: 'One' }, two: { title: 'Two' } },
})
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})
function device(options: object) {
  const made = createWaymark({ flows: [flow], account: 'u1', namespace: `x-${Math.random()}`, ...options })
  opened.push(made)
  return made
}

describe('expiry', () => {
  test('an idle device does not end what is being filled in on another', async () => {
    const clock = createFakeClock()
    const backend = memoryBackend()
    const desktop = device({ clock, backend, store: durableStore() })
    const phone = device({ clock, backend, store: durableStore() })
    const idle = await desktop.open('claim')
    idle.set('one', { a: 1 })
    idle.commit()
    await clock.advance(5_000)
    const busy = await phone.open('claim')
    await clock.advance(5_000)
    expect(busy.getSnapshot().answers).toEqual({ one: { a: 1 } })
    await clock.advance(23 * hour)
    busy.set('one', { a: 2 })
    busy.commit()
    await clock.advance(5_000)
    expect(busy.status.getSnapshot().saved.server).toBe('yes')
    await clock.advance(2 * hour)
    busy.set('one', { a: 3 })
    busy.commit()
    await clock.advance(5_000)
    await phone.sync.now()
    await clock.advance(5_000)
    expect(idle.getSnapshot().status).toBe('running')
    expect(busy.getSnapshot().status).toBe('running')
  })

  test('opening on a device that was away continues what went on elsewhere', async () => {
    const clock = createFakeClock()
    const backend = memoryBackend()
    const store = durableStore()
    const before = device({ clock, backend, store })
    const first = await before.open('claim')
    first.set('one', { a: 1 })
    first.commit()
    await clock.advance(5_000)
    await before.close()
    const phone = device({ clock, backend, store: durableStore() })
    const busy = await phone.open('claim')
    await clock.advance(20 * hour)
    busy.set('two', { b: 2 })
    busy.commit()
    await clock.advance(5 * hour)
    expect(busy.getSnapshot().status).toBe('running')
    const back = device({ clock, backend, store })
    const again = await back.open('claim')
    await clock.advance(10_000)
    await phone.sync.now()
    await clock.advance(10_000)
    expect(again.id).toBe(first.id)
    expect(busy.getSnapshot().status).toBe('running')
  })

  test('a tab that heard nothing does not end what another tab put off', async () => {
    const clock = createFakeClock()
    const store = durableStore()
    const deaf = () => ({ tell() {}, on: () => () => {}, close() {} })
    const a = device({ clock, store, tabs: deaf() })
    const b = device({ clock, store, tabs: deaf() })
    const here = await a.open('claim')
    here.set('one', { a: 1 })
    here.commit()
    await here.saved('device')
    const there = await b.open('claim')
    await clock.advance(23 * hour)
    there.set('one', { a: 2 })
    there.commit()
    await clock.advance(2 * hour)
    there.set('one', { a: 3 })
    there.commit()
    await clock.advance(1000)
    expect(there.getSnapshot().status).toBe('running')
  })

  test('a session opened within the warning time is warned of', async () => {
    const clock = createFakeClock()
    const store = durableStore()
    const before = device({ clock, store })
    const first = await before.open('claim')
    first.set('one', { a: 1 })
    await first.saved('device')
    await before.close()
    await clock.advance(23 * hour)
    const later = await device({ clock, store }).open('claim')
    const warned: number[] = []
    later.on('expiring', ({ at }) => warned.push(at))
    await clock.advance(hour / 2)
    expect(warned).toHaveLength(1)
  })
})
