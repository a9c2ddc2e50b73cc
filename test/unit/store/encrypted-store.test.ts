import { describe, expect, test, vi } from 'vitest'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { openEncryptedStore } from '../../../src/store/encrypted-store.ts'
import type { Encryption } from '../../../src/store/encryption.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import { openSealed } from '../../../src/store/open-sealed.ts'
import type { Key, Range, Row, Store, Write } from '../../../src/store/store.ts'
import { everythingIn, valueAt } from '../../support/searching.ts'

const host = (byte: number): Encryption => ({ key: new Uint8Array(32).fill(byte) })
const put = (...rows: Row[]): Write => ({ durability: 'relaxed', put: rows })
const entry = (position: number, value: unknown, session = 's1'): Row => ({
  ...{ store: 'journal', key: [session, position], value },
})
const journal: Range = { store: 'journal', prefix: [] }
const rows = async (store: Store, range: Range = journal) => (await store.read([range]))[0]
const hash = (digit: string) => digit.repeat(64)

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => 'resolved',
    (thrown: unknown) => thrown,
  )
  return isWaymarkError(error) ? error.code : String(error)
}

/** A store that tells what it was asked to write. */
function watched(): { inner: Store; writes: Write[] } {
  const memory = createMemoryStore()
  const writes: Write[] = []
  return {
    inner: {
      ...memory,
      write: (write) => {
        writes.push(write)
        return memory.write(write)
      },
    },
    writes,
  }
}

describe('what is stored', () => {
  test('shows nothing of a value, in any store', async () => {
    const inner = createMemoryStore()
    const store = await openEncryptedStore(inner, host(1))
    const names = [
      'journal',
      'chunks',
      'drafts',
      'checkpoints',
      'parts',
      'sync',
      'parked',
      'quarantine',
    ] as const
    await store.write(
      put(...names.map((name): Row => ({ store: name, key: ['s1', 'x'], value: { a: 'PLANTED' } }))),
    )
    await store.write(put({ store: 'heads', key: ['account', 's1'], value: { title: 'PLANTED' } }))
    await store.write({ durability: 'strict', add: entry(0, 'PLANTED') })
    expect(await everythingIn(store)).toContain('PLANTED')
    const stored = await everythingIn(inner)
    expect(stored).not.toContain('PLANTED')
    expect(stored).not.toContain('P\u0000L\u0000A\u0000N')
    expect(stored).toContain('account')
  })

  test('hides the names of checkpoint parts, which are hashes of answers, and finds them again', async () => {
    const inner = createMemoryStore()
    const store = await openEncryptedStore(inner, host(1))
    const part = (digit: string): Row => ({ store: 'parts', key: ['s1', hash(digit)], value: digit })
    const base: Row = { store: 'sync', key: ['s1', 'part', hash('c')], value: 'c' }
    await store.write(put(part('a'), part('b'), base))
    expect(await everythingIn(inner)).not.toMatch(/aaaa|bbbb|cccc/)
    const parts: Range = { store: 'parts', prefix: ['s1'] }
    const keys = (await rows(store, { ...parts, isKeys: true })) as Key[]
    expect(keys.map((key) => key[1]).sort()).toEqual([hash('a'), hash('b')])
    expect(await rows(store, { store: 'sync', prefix: ['s1', 'part'], isKeys: true })).toEqual([base.key])
    await store.write({
      durability: 'relaxed',
      remove: [{ store: 'parts', prefix: ['s1', hash('a')] }],
      put: [part('b')],
    })
    expect(await rows(store, parts)).toEqual(['b'])
  })

  test('keeps records under 60 KB in any script', async () => {
    const inner = createMemoryStore()
    const store = await openEncryptedStore(inner, host(1))
    for (const text of ['x'.repeat(28_000), '字'.repeat(28_000), '\ud800é😀']) {
      await store.write(put(entry(0, text)))
      expect(await rows(store)).toEqual([text])
      const { b } = (await valueAt(inner, 'journal', ['s1', 0])) as { b: Uint8Array }
      expect(b.length).toBeLessThan(60_000)
    }
  })
})

describe('a row that was tampered with', () => {
  test('does not open in the place of another, nor with a byte changed', async () => {
    const inner = createMemoryStore()
    const store = await openEncryptedStore(inner, host(1))
    await store.write(put(entry(0, 'zero'), entry(1, 'one'), entry(2, 'two')))
    const one = (await valueAt(inner, 'journal', ['s1', 1])) as { v: 2; b: Uint8Array }
    const changed = Uint8Array.from(one.b, (byte, i) => (i === 20 ? byte ^ 1 : byte))
    await inner.write(put(entry(0, one), entry(1, { v: 2, b: changed })))
    const found = (await rows(store)) as { sealed?: string }[]
    expect(found[2]).toBe('two')
    expect(atob(found[0]!.sealed!)).toBe(String.fromCharCode(...one.b))
    expect(atob(found[1]!.sealed!)).toBe(String.fromCharCode(...changed))
  })

  test('is its damage alone, also where the keys of its session are damaged', async () => {
    const inner = createMemoryStore()
    const first = await openEncryptedStore(inner, host(1))
    await first.write(put(entry(0, 'lost'), entry(0, 'kept', 's2')))
    await inner.write(put({ store: 'keys', key: ['s1'], value: { v: 1, n: 0, b: new Uint8Array(80) } }))
    const store = await openEncryptedStore(inner, host(1))
    expect(await rows(store)).toEqual([{ sealed: expect.any(String) }, 'kept'])
    const keys = await valueAt(inner, 'keys', ['s1'])
    expect(await codeOf(store.write(put(entry(1, 'more'))))).toBe('record-unreadable')
    expect(await valueAt(inner, 'keys', ['s1'])).toEqual(keys)
  })
})

describe('the key', () => {
  const wrong: [string, Encryption, Encryption][] = [
    ['another passphrase', { passphrase: 'right' }, { passphrase: 'wrong' }],
    ['another key of the app', host(1), host(2)],
    ['a passphrase for a key of the app', host(1), { passphrase: 'x' }],
    ['a key of the app for a passphrase', { passphrase: 'x' }, host(1)],
    ['a key of the browser for a key of the app', host(1), 'browser'],
    ['a key of the app for a key of the browser', 'browser', host(1)],
    ['no key at all', host(1), true as never],
    ['half a key', host(1), { key: new Uint8Array(16) }],
    ['an empty passphrase', { passphrase: 'right' }, { passphrase: '' }],
  ]
  for (const [name, right, other] of wrong) {
    test(`is found out, with nothing written: ${name}`, async () => {
      const { inner, writes } = watched()
      const first = await openEncryptedStore(inner, right)
      await first.write(put(entry(0, 'kept')))
      const before = writes.length
      expect(await codeOf(openEncryptedStore(inner, other))).toBe('key-wrong')
      expect(writes.length).toBe(before)
      expect(await rows(await openEncryptedStore(inner, right))).toEqual(['kept'])
    })
  }

  test('may be a CryptoKey, or a function that fetches one', async () => {
    const inner = createMemoryStore()
    await (await openEncryptedStore(inner, host(1))).write(put(entry(0, 'kept')))
    const raw = new Uint8Array(32).fill(1)
    const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
    expect(await rows(await openEncryptedStore(inner, { key }))).toEqual(['kept'])
    expect(await rows(await openEncryptedStore(inner, { key: async () => key }))).toEqual(['kept'])
    const halfKey = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt'])
    expect(await codeOf(openEncryptedStore(inner, { key: halfKey }))).toBe('key-wrong')
    const fresh = watched()
    expect(await codeOf(openEncryptedStore(fresh.inner, { key: new Uint8Array(16) }))).toBe('key-wrong')
    expect(fresh.writes).toEqual([])
  })

  test('that cannot be fetched now is told apart from a wrong one', async () => {
    const key = () => Promise.reject(new TypeError('offline'))
    const error = await openEncryptedStore(createMemoryStore(), { key }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'encryption-unavailable', isRetryable: true })
  })

  test('from a passphrase is the same on every keyboard', async () => {
    const inner = createMemoryStore()
    await (await openEncryptedStore(inner, { passphrase: 'caf\u00e9' })).write(put(entry(0, 'kept')))
    expect(await rows(await openEncryptedStore(inner, { passphrase: 'cafe\u0301' }))).toEqual(['kept'])
  })

  test('takes 600,000 iterations from a passphrase, with a salt of its own', async () => {
    const rings = await Promise.all(
      [createMemoryStore(), createMemoryStore()].map(async (inner) => {
        await openEncryptedStore(inner, { passphrase: 'same' })
        return (await valueAt(inner, 'keys', ['~ring'])) as {
          origin: { salt: Uint8Array; iterations: number }
        }
      }),
    )
    expect(rings.map(({ origin }) => origin.iterations)).toEqual([600_000, 600_000])
    expect(rings[0]!.origin.salt).not.toEqual(rings[1]!.origin.salt)
  })

  test('of the browser is one for all tabs and cannot be taken out', async () => {
    const inner = createMemoryStore()
    const [one, other] = await Promise.all([
      openEncryptedStore(inner, 'browser'),
      openEncryptedStore(inner, 'browser'),
    ])
    await one.write(put(entry(0, 'kept')))
    expect(await rows(other)).toEqual(['kept'])
    const { origin } = (await valueAt(inner, 'keys', ['~ring'])) as { origin: { key: CryptoKey } }
    expect(origin.key.extractable).toBe(false)
  })
})

describe('a ring that cannot be read', () => {
  test('by a newer version asks for a reload, a damaged one is said to be; neither is touched', async () => {
    for (const [value, code] of [
      [{ v: 2 }, 'outdated'],
      [{ v: 1, n: 0 }, 'record-unreadable'],
    ] as const) {
      const { inner, writes } = watched()
      await inner.write(put({ store: 'keys', key: ['~ring', 0], value }))
      expect(await codeOf(openEncryptedStore(inner, host(1)))).toBe(code)
      expect(writes).toHaveLength(1)
    }
  })
})

describe('order', () => {
  test('a large write is not overtaken by a small one, nor by a read', async () => {
    const { inner, writes } = watched()
    const store = await openEncryptedStore(inner, host(1))
    await store.write(put(entry(0, 'first')))
    writes.length = 0
    const large = store.write(put(entry(1, 'x'.repeat(2_000_000))))
    const small = store.write({ durability: 'strict', put: [entry(1, 'small')] })
    const read = rows(store)
    await Promise.all([large, small])
    expect(writes.map((write) => write.durability)).toEqual(['relaxed', 'strict'])
    expect(await read).toEqual(['first', 'small'])
  })

  test('a write that fails holds up nothing after it', async () => {
    const { inner } = watched()
    const store = await openEncryptedStore(inner, host(1))
    const bad = codeOf(store.write(put(entry(0, () => 1))))
    expect(await store.write(put(entry(1, 'well')))).toBe('stored')
    expect(await bad).toBe('storage-failed')
    expect(await rows(store)).toEqual(['well'])
  })
})

describe('tabs', () => {
  test('that begin one session at the same moment seal it under the same keys', async () => {
    const inner = createMemoryStore()
    const [one, other] = await Promise.all([
      openEncryptedStore(inner, host(1)),
      openEncryptedStore(inner, host(1)),
    ])
    await Promise.all([one.write(put(entry(0, 'one'))), other.write(put(entry(1, 'other')))])
    expect(await rows(one)).toEqual(['one', 'other'])
    expect(await rows(await openEncryptedStore(inner, host(1)))).toEqual(['one', 'other'])
  })

  test('read a session that another removed and brought back', async () => {
    const inner = createMemoryStore()
    const [one, other] = [await openEncryptedStore(inner, host(1)), await openEncryptedStore(inner, host(1))]
    await one.write(put(entry(0, 'before')))
    expect(await rows(other)).toEqual(['before'])
    const remove: Range[] = [
      { store: 'journal', prefix: ['s1'] },
      { store: 'keys', prefix: ['s1'] },
    ]
    await one.write({ durability: 'strict', remove })
    await one.write(put(entry(0, 'after')))
    expect(await rows(other)).toEqual(['after'])
  })
})

describe('rotation', () => {
  test('leaves everything readable with the new key alone', async () => {
    const inner = createMemoryStore()
    const store = await openEncryptedStore(inner, host(1))
    await store.write(put(entry(0, 'a'), entry(0, 'b', 's2')))
    await store.rotate({ passphrase: 'new' })
    await store.write(put(entry(1, 'c')))
    expect(await codeOf(openEncryptedStore(inner, host(1)))).toBe('key-wrong')
    const again = await openEncryptedStore(inner, { passphrase: 'new' })
    expect(await rows(again)).toEqual(['a', 'c', 'b'])
    const rings = await rows(inner, { store: 'keys', prefix: ['~ring'], isKeys: true })
    expect(rings).toEqual([['~ring', 1]])
  })

  test('is one transaction', async () => {
    const { inner, writes } = watched()
    const store = await openEncryptedStore(inner, host(1))
    await store.write(put(entry(0, 'a'), entry(0, 'b', 's2')))
    writes.length = 0
    await store.rotate(host(2))
    expect(writes).toHaveLength(1)
    expect(writes[0]!.put).toHaveLength(2)
  })

  test('lets a page that holds the old key go on; nothing it stores is lost to the new one', async () => {
    const inner = createMemoryStore()
    const [one, stale] = [await openEncryptedStore(inner, host(1)), await openEncryptedStore(inner, host(1))]
    await stale.write(put(entry(0, 'before')))
    await one.rotate(host(2))
    await one.rotate(host(3))
    await stale.write(put(entry(1, 'after'), entry(0, 'begun after', 's2')))
    const again = await openEncryptedStore(inner, host(3))
    expect(await rows(again)).toEqual(['before', 'after', 'begun after'])
    // What was begun under the new key it can only say so of; nothing is taken for damaged.
    await again.write(put(entry(0, 'new', 's3')))
    expect(await codeOf(rows(stale))).toBe('key-wrong')
  })

  test('in two tabs at once is done by one of them', async () => {
    const inner = createMemoryStore()
    const [one, other] = [await openEncryptedStore(inner, host(1)), await openEncryptedStore(inner, host(1))]
    await one.write(put(entry(0, 'kept')))
    const codes = await Promise.all([codeOf(one.rotate(host(2))), codeOf(other.rotate(host(3)))])
    expect(codes.sort()).toEqual(['key-wrong', 'resolved'])
    const opened = await Promise.allSettled([host(2), host(3)].map((key) => openEncryptedStore(inner, key)))
    const [winner] = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(await rows(winner!)).toEqual(['kept'])
  })

  test('does not bring back the keys of a session that another tab removes meanwhile', async () => {
    const memory = createMemoryStore()
    let onRead = async () => {}
    const inner: Store = {
      ...memory,
      async read(ranges) {
        const found = await memory.read(ranges)
        await onRead()
        return found
      },
    }
    const store = await openEncryptedStore(inner, host(1))
    await store.write(put(entry(0, 'secret')))
    onRead = async () => {
      onRead = async () => {}
      await memory.write({
        durability: 'strict',
        remove: [{ store: 'keys', prefix: ['s1'] }],
        put: [{ store: 'heads', key: ['', 's1', 'fate'], value: { v: 1 } }],
      })
    }
    await store.rotate(host(2))
    expect(await rows(memory, { store: 'keys', prefix: ['s1'] })).toEqual([])
  })
})

describe('a session whose keys are deleted', () => {
  test('does not open again, even from copies of its rows', async () => {
    const inner = createMemoryStore()
    const store = await openEncryptedStore(inner, host(1))
    await store.write(put(entry(0, 'secret')))
    const copy = await valueAt(inner, 'journal', ['s1', 0])
    await store.write({
      durability: 'strict',
      remove: [
        { store: 'journal', prefix: ['s1'] },
        { store: 'keys', prefix: ['s1'] },
      ],
    })
    await inner.write(put(entry(0, copy)))
    for (const opened of [store, await openEncryptedStore(inner, host(1))]) {
      expect(await rows(opened)).toEqual([{ sealed: expect.any(String) }])
    }
  })
})

describe('switched on over what lies in clear', () => {
  const plain: Row[] = [
    entry(0, { v: 1, p: 'PLANTED' }),
    { store: 'chunks', key: ['s1', 0, 0], value: 'PLANTED' },
    { store: 'parts', key: ['s1', hash('a')], value: 'PLANTED' },
    { store: 'heads', key: ['u', 's1'], value: { v: 1, id: 's1', title: 'PLANTED' } },
    { store: 'heads', key: ['u', 's9', 'fate'], value: { v: 1, session: 's9', fate: 'removed' } },
  ]
  const everything = plain.map(({ store, key }): Range => ({ store, prefix: key }))

  test('reads everything, and has sealed it before anything else is done', async () => {
    const inner = createMemoryStore()
    await inner.write(put(...plain))
    const store = await openEncryptedStore(inner, host(1))
    const stored = await everythingIn(inner)
    expect(stored).not.toContain('PLANTED')
    expect(stored).not.toContain('aaaa')
    expect(stored).toContain('removed')
    expect(await store.read(everything)).toEqual(plain.map(({ value }) => [value]))
  })

  test('goes on where sealing was cut off', async () => {
    const memory = createMemoryStore()
    await memory.write(put(...plain))
    let left = 3
    const failing: Store = {
      ...memory,
      async write(write) {
        if (left-- > 0) return memory.write(write)
        throw new Error('killed')
      },
    }
    await openEncryptedStore(failing, host(1)).catch(() => {})
    expect(await everythingIn(memory)).toContain('PLANTED')
    const store = await openEncryptedStore(memory, host(1))
    expect(await everythingIn(memory)).not.toContain('PLANTED')
    expect(await store.read(everything)).toEqual(plain.map(({ value }) => [value]))
  })

  test('reads what a page without it stores meanwhile, and seals that at the next opening', async () => {
    const inner = createMemoryStore()
    const first = await openEncryptedStore(inner, host(1))
    await first.write(put(entry(0, 'sealed')))
    await inner.write(put(entry(1, 'PLANTED')))
    expect(await rows(first)).toEqual(['sealed', 'PLANTED'])
    const store = await openEncryptedStore(inner, host(1))
    expect(await everythingIn(inner)).not.toContain('PLANTED')
    expect(await rows(store)).toEqual(['sealed', 'PLANTED'])
  })

  test('stops looking once nothing in clear is found', async () => {
    const { inner } = watched()
    await inner.write(put(...plain))
    for (const _ of [1, 2, 3]) await openEncryptedStore(inner, host(1))
    expect(await rows(inner, { store: 'keys', prefix: ['~mixed'] })).toEqual([])
  })
})

describe('a database that was deleted and made anew', () => {
  test('gets a new ring: nothing is sealed under keys that are gone with the old one', async () => {
    let memory = createMemoryStore()
    let generation = 0
    const inner: Store = {
      kind: 'indexeddb',
      get generation() {
        return generation
      },
      write: (write) => memory.write(write),
      read: (ranges) => memory.read(ranges),
      close: async () => {},
    }
    const store = await openEncryptedStore(inner, { passphrase: 'p' })
    await store.write(put(entry(0, 'before')))
    const underWay = codeOf(store.write(put(entry(1, 'under way'))))
    memory = createMemoryStore()
    generation += 1
    expect(await underWay).toBe('storage-failed')
    await store.write(put(entry(0, 'after')))
    expect(await rows(store)).toEqual(['after'])
    expect(await rows(await openEncryptedStore(inner, { passphrase: 'p' }))).toEqual(['after'])
  })
})

describe('openSealed', () => {
  test('without encryption refuses what is sealed, and leaves it alone', async () => {
    const { inner, writes } = watched()
    expect(await openSealed(inner, undefined)).toBe(inner)
    const sealed = await openSealed(inner, host(1))
    await sealed.write(put(entry(0, 'kept')))
    const before = writes.length
    expect(await codeOf(openSealed(inner, undefined))).toBe('encryption-needed')
    expect(writes.length).toBe(before)
    expect(await rows(await openSealed(inner, host(1)))).toEqual(['kept'])
  })

  test('says so where the page has no WebCrypto, and writes nothing', async () => {
    const { inner, writes } = watched()
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
    try {
      expect(await codeOf(openSealed(inner, 'browser'))).toBe('encryption-unavailable')
      expect(writes).toEqual([])
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('says so where the part that encrypts does not load, and writes nothing', async () => {
    const { inner, writes } = watched()
    vi.doMock('../../../src/store/encrypted-store.ts', () => {
      throw new TypeError('Failed to fetch dynamically imported module')
    })
    try {
      expect(await codeOf(openSealed(inner, host(1)))).toBe('chunk-unavailable')
      expect(writes).toEqual([])
    } finally {
      vi.doUnmock('../../../src/store/encrypted-store.ts')
    }
  })
})
