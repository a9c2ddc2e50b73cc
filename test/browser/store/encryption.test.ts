import { describe, expect, onTestFinished, test } from 'vitest'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { type EncryptedStore, openEncryptedStore } from '../../../src/store/encrypted-store.ts'
import type { Encryption } from '../../../src/store/encryption.ts'
import type { Range, Row, Store, Write } from '../../../src/store/store.ts'
import { storeCases } from '../../../src/testing/store-cases.ts'
import { mortgage } from '../../support/fixture-flow.ts'
import { everythingIn } from '../../support/searching.ts'
import { freshName, openStore } from './open-store.ts'

const key = { key: new Uint8Array(32).fill(1) }
const journal: Range = { store: 'journal', prefix: [] }
const entry = (position: number, value: unknown): Row => ({
  ...{ store: 'journal', key: ['s1', position], value },
})
const put = (...rows: Row[]): Write => ({ durability: 'relaxed', put: rows })
const rows = async (store: Store) => (await store.read([journal]))[0]

async function openSealed(name: string, encryption: Encryption = key): Promise<EncryptedStore> {
  return openEncryptedStore(await openStore(name), encryption)
}

/** A page of its own on this database. */
function page(namespace: string, encryption?: Encryption) {
  const errors: unknown[] = []
  const waymark = createWaymark({
    flows: [mortgage],
    namespace,
    onError: (error) => errors.push(error),
    ...(encryption && { encryption }),
  })
  onTestFinished(async () => {
    await waymark.close()
    expect(errors).toEqual([])
  })
  return waymark
}

describe('openEncryptedStore over IndexedDB', () => {
  for (const { name, run } of storeCases) {
    test(name, async () => {
      const database = freshName()
      const opened: Store[] = []
      await run(async () => {
        const store = await openSealed(database)
        opened.push(store)
        return store
      })
      await Promise.all(opened.map((store) => store.close()))
    })
  }

  test('keeps sealed bytes of any length and the browser’s own key', async () => {
    const name = freshName()
    const text = '字é\ud800x'.repeat(30_000)
    const first = await openSealed(name, 'browser')
    await first.write({ durability: 'strict', put: [entry(0, text)], add: entry(1, '') })
    await first.close()
    const raw = await openStore(name)
    const [[ring] = []] = await raw.read([{ store: 'keys', prefix: ['~ring'] }])
    expect((ring as { origin: { key: CryptoKey } }).origin.key.extractable).toBe(false)
    expect(await rows(await openSealed(name, 'browser'))).toEqual([text, ''])
  })

  test('never holds a transaction open while it seals: fifty large writes, in order, all stored', async () => {
    const name = freshName()
    const store = await openSealed(name)
    const text = 'x'.repeat(50_000)
    const writes = Array.from({ length: 50 }, (_, i) =>
      store.write({ durability: i % 2 ? 'strict' : 'relaxed', put: [entry(99, i)], add: entry(i, i + text) }),
    )
    expect(await Promise.all(writes)).toEqual(Array(50).fill('stored'))
    const found = (await rows(store)) as unknown[]
    expect(found.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => i + text))
    expect(found[50]).toBe(49)
  })

  test('goes on under a new ring where the database was deleted beneath it', async () => {
    const name = freshName()
    const store = await openSealed(name, { passphrase: 'p' })
    await store.write(put(entry(0, 'before')))
    await new Promise((resolve) => {
      indexedDB.deleteDatabase(name).onsuccess = resolve
    })
    const noticed = await store.write(put(entry(1, 'noticed'))).catch((error: unknown) => error)
    expect(isWaymarkError(noticed, 'storage-failed') && noticed.isRetryable).toBe(true)
    expect(await store.write(put(entry(0, 'after')))).toBe('stored')
    expect(await rows(await openSealed(name, { passphrase: 'p' }))).toEqual(['after'])
  })

  test('two tabs that begin at once share one ring and one pair of keys', async () => {
    const name = freshName()
    const [one, other] = await Promise.all([openSealed(name), openSealed(name)])
    await Promise.all([one.write(put(entry(0, 'one'))), other.write(put(entry(1, 'other')))])
    expect(await rows(await openSealed(name))).toEqual(['one', 'other'])
  })
})

describe('createWaymark with encryption, in the browser', () => {
  test('keeps a session over pages; a wrong passphrase is said, and changes nothing', async () => {
    const namespace = freshName()
    const first = page(namespace, { passphrase: 'right' })
    const session = await first.open('mortgage')
    session.set('applicant', { name: 'PLANTED', joint: true })
    await session.next()
    session.set('partner', { name: 'PLANTED' })
    await session.saved('device')
    const { answers } = session.getSnapshot()
    await first.close()
    const raw = await openStore(namespace)
    const before = await everythingIn(raw)
    expect(before).not.toContain('PLANTED')
    const error = await page(namespace, { passphrase: 'wrong' })
      .open('mortgage')
      .catch((thrown: unknown) => thrown)
    expect(isWaymarkError(error, 'key-wrong')).toBe(true)
    expect(await everythingIn(raw)).toBe(before)
    const again = await page(namespace, { passphrase: 'right' }).open('mortgage')
    expect(again.getSnapshot().answers).toEqual(answers)
    expect(await again.verify()).toMatchObject({ type: 'whole' })
  })

  test('without it what is sealed is refused; switched on it seals what lay in clear', async () => {
    const namespace = freshName()
    const plain = page(namespace)
    const session = await plain.open('mortgage')
    session.set('applicant', { name: 'PLANTED', joint: false })
    await session.next()
    await session.close()
    await plain.close()
    const sealed = page(namespace, key)
    const again = await sealed.open('mortgage')
    expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'PLANTED', joint: false } })
    expect(await everythingIn(await openStore(namespace))).not.toContain('PLANTED')
    const refused = await page(namespace)
      .open('mortgage')
      .catch((thrown: unknown) => thrown)
    expect(isWaymarkError(refused, 'encryption-needed')).toBe(true)
  })

  test('exports under a passphrase and imports into another database', async () => {
    const from = page(freshName(), key)
    const session = await from.open('mortgage')
    session.set('applicant', { name: 'PLANTED', joint: false })
    await session.next()
    const file = await from.export({ passphrase: 'p' })
    expect(await file.text()).not.toContain('PLANTED')
    const into = page(freshName())
    expect(await into.import(file, { passphrase: 'p' })).toMatchObject([{ type: 'imported' }])
    expect((await into.open('mortgage')).getSnapshot().answers).toEqual(session.getSnapshot().answers)
  })
})
