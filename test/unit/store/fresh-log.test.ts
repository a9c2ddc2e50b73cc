import 'fake-indexeddb/auto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'

// As a Chromium has it.
beforeAll(() => void Object.assign(IDBVersionChangeEvent.prototype, { dataLoss: 'none' }))
afterAll(() => void Reflect.deleteProperty(IDBVersionChangeEvent.prototype, 'dataLoss'))

const passingName = (name: string) => `waymark: log of ${name}`
const head = { store: 'heads' as const, key: ['a', 's'], value: 'x' }
const write = { durability: 'strict' as const, put: [head] }

function openDatabase(name: string, store?: string): Promise<IDBDatabase> {
  return new Promise((resolve) => {
    const opening = indexedDB.open(name)
    if (store !== undefined) opening.onupgradeneeded = () => opening.result.createObjectStore(store)
    opening.onsuccess = () => resolve(opening.result)
  })
}

const names = async () => (await indexedDB.databases()).map(({ name }) => name)

describe('the first write, where a log may be torn', () => {
  test('leaves nothing behind, also of a page that ended in the middle of it', async () => {
    ;(await openDatabase(passingName('left'))).close()
    const store = await openIdbStore({ name: 'left', clock: systemClock })
    expect(await store.write(write)).toBe('stored')
    await store.close()
    expect(await names()).toEqual(['left'])
  })

  test('deletes no database that holds anything', async () => {
    ;(await openDatabase(passingName('app'), 'lines')).close()
    const store = await openIdbStore({ name: 'app', clock: systemClock })
    expect(await store.write(write)).toBe('stored')
    await store.close()
    expect(await names()).toContain(passingName('app'))
  })

  test('is acknowledged although another tab stopped in the middle of it', async () => {
    const held = await openDatabase(passingName('frozen'))
    const clock = createFakeClock()
    const store = await openIdbStore({ name: 'frozen', clock })
    const outcome = store.write(write)
    await clock.advance(1_000)
    expect(await outcome).toBe('stored')
    held.close()
    await settle()
  })
})
