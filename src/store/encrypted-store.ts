/**
 * A Store whose values are sealed under keys of their session before another store keeps them.
 *
 *   write ─► text, in the task of the call ─► sealed ─► inner.write      one after another, in the order asked
 *   read  ─► inner.read, after every write asked for before ─► opened
 *
 * Invariants
 * - Every value is sealed but the marks of ids not used again and what lies in `keys`. Keys of rows stay in clear, but
 *   for the names of checkpoint parts, which are hashes of answers.
 * - A sealed value opens only where it was written: store, key of the row and format are authenticated with it. What
 *   does not open comes back as `{ sealed }`, its bytes in base64: damage of that row, for whoever reads it to set aside.
 * - All cryptography happens before a transaction opens: an `await` inside one ends it in Firefox and WebKit.
 * - Nothing overtakes: what was asked first reaches the inner store first.
 * - Nothing is sealed under keys that are not stored: where the database was deleted beneath, what was begun before is
 *   rejected, and everything after it gets a new ring.
 * - Values in clear are read all the same: they were there before encryption was switched on, or a page without it is
 *   still open. They are sealed at the next opening, before anything else is done.
 */
import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import { type Json, toJson } from '../base/json.ts'
import type { Encryption } from './encryption.ts'
import { isMarkKey, type KeyRing, openKeyRing, type SessionId, type SessionKeys } from './key-ring.ts'
import { assertWebCrypto } from './key-source.ts'
import { hideName, isNamed, showName } from './part-names.ts'
import { type Bytes, packText, seal, toBase64, unpackText, unseal } from './seal.ts'
import {
  type Key,
  type Range,
  type Row,
  type Store,
  type StoreName,
  storeNames,
  type Write,
} from './store.ts'

export interface EncryptedStore extends Store {
  /** Puts everything under another key, in one transaction. Rejects with `key-wrong`, with nothing changed. */
  rotate(next: Encryption): Promise<void>
}

/** A sealed value. To code without encryption it is a record of a newer format, which it may not write after. */
interface SealedValue {
  readonly v: 2
  readonly b: Bytes
}

const sealedFormat = 2
/** Stands in `keys` while there may be values in clear. */
const mixedKey: Key = ['~mixed']
const rowsPerWrite = 100

/**
 * Opens a store under a key, sealing what lies in it in clear. Rejects with `key-wrong`, with nothing read or written,
 * where it is not the key; with `encryption-unavailable` on plain http or where the app cannot give one now; and with `outdated`,
 * `record-unreadable` and what the store says.
 */
export async function openEncryptedStore(inner: Store, encryption: Encryption): Promise<EncryptedStore> {
  assertWebCrypto()
  let given = encryption
  let last: Promise<unknown> = Promise.resolve()
  let isNoted = false
  let ring = await open()

  async function open(): Promise<KeyRing> {
    const opened = await openKeyRing(inner, given, async () => ((await isEmpty(inner)) ? [] : [mixedRow]))
    const [mixed = []] = await inner.read([{ store: 'keys', prefix: mixedKey }])
    if (mixed.length > 0) await sealEverything(inner, opened)
    return opened
  }

  /** In turn only: makes sure of the ring of the database there is now. */
  async function renewRing(): Promise<void> {
    if (ring.generation !== inner.generation) ring = await open()
  }

  /** Runs one thing after another, as far as handing it to the inner store. */
  function inTurn<T>(prepare: () => Promise<() => Promise<T>>): Promise<T> {
    // In an object: a promise in a promise would be waited for, and the next turn with it.
    const issued = last.then(prepare).then((issue) => ({ underWay: issue() }))
    last = issued.catch(() => {})
    return issued.then(({ underWay }) => underWay)
  }

  async function openValue(store: StoreName, key: Key, value: unknown): Promise<unknown> {
    if (store === 'keys' || isMark(store, key)) return value
    if (!isSealed(value)) {
      if (!isNewer(value)) noteMixed()
      return value
    }
    const session = sessionOf(store, key)
    const opened = await tryOpen(await ring.find(session), store, key, value.b)
    if (opened !== undefined) return opened.value
    // Removed and brought back by another tab: it has other keys now.
    ring.forget(session)
    const again = await tryOpen(await ring.find(session), store, key, value.b)
    return again === undefined ? { sealed: toBase64(value.b) } : again.value
  }

  function noteMixed(): void {
    if (isNoted) return
    isNoted = true
    inner.write({ durability: 'relaxed', put: [mixedRow] }).catch(() => {
      isNoted = false // noted at the next such value
    })
  }

  return {
    kind: inner.kind,
    get generation() {
      return inner.generation
    },
    async write(write) {
      const { durability, remove = [] } = write
      const put = (write.put ?? []).map(toText)
      const add = write.add && toText(write.add)
      const begunIn = inner.generation
      return inTurn(async () => {
        await renewRing()
        const sealed: Write = {
          durability,
          remove: await Promise.all(remove.map((range) => hideRange(ring, range))),
          put: await Promise.all(put.map((row) => sealRow(ring, row))),
          ...(add && { add: await sealRow(ring, add) }),
        }
        for (const { store, prefix } of remove)
          if (store === 'keys' && prefix.length > 0) ring.forget(prefix[0]!)
        if (inner.generation !== begunIn || ring.generation !== begunIn) throw gone()
        return () => inner.write(sealed)
      })
    },
    async read(ranges) {
      const { found, asked } = await inTurn(async () => {
        await renewRing()
        const asked = await Promise.all(ranges.map((range) => hideRange(ring, range)))
        // The keys of a session are read with its rows: from one moment, whatever another tab removes.
        const sessions = ring.missing(ranges.flatMap((range) => sessionOfRange(range) ?? []))
        const withKeys = asked.filter((range) => !range.isKeys).map((range) => ({ ...range, isKeys: true }))
        const keyRows = sessions.map((session): Range => ({ store: 'keys', prefix: [session] }))
        return async () => {
          const found = await inner.read([...asked, ...withKeys, ...keyRows])
          for (const [i, session] of sessions.entries()) {
            await ring.learn(session, found[asked.length + withKeys.length + i] ?? [])
          }
          return { found, asked }
        }
      })
      let next = asked.length
      const results = asked.map((range, i) => {
        const rows = found[i] ?? []
        return range.isKeys
          ? { range, keys: rows as Key[], values: undefined }
          : { range, keys: found[next++] as Key[], values: rows }
      })
      await learnAll(
        ring,
        inner,
        results.flatMap(({ range, keys, values = [] }) =>
          keys.filter((_, i) => isSealed(values[i])).map((key) => sessionOf(range.store, key)),
        ),
      )
      return Promise.all(
        results.map(({ range: { store }, keys, values }) =>
          Promise.all(
            values === undefined
              ? keys.map((key) => showKey(ring, store, key))
              : values.map((value, i) => openValue(store, keys[i]!, value)),
          ),
        ),
      )
    },
    rotate: (next) =>
      inTurn(async () => {
        await renewRing()
        ring = await ring.rotate(next)
        given = next
        return async () => {}
      }),
    async close() {
      await last
      await inner.close()
    },
  }
}

interface TextRow {
  readonly row: Row
  /** Its value as JSON text; `undefined` where it stays as it is. */
  readonly text: string | undefined
}

/** In the task of the call: the caller may change the value afterwards. */
function toText(row: Row): TextRow {
  const { store, key, value } = row
  if (store === 'keys' || isMark(store, key)) return { row, text: undefined }
  try {
    return { row, text: JSON.stringify(toJson(value)) }
  } catch (error) {
    if (!isWaymarkError(error, 'answer-not-json')) throw error
    const { place } = error.details
    throw new WaymarkError(
      'storage-failed',
      `A value that is not plain JSON cannot be encrypted (${place}). Nothing was stored; change it and try again.`,
      { details: { store, place }, cause: error },
    )
  }
}

async function sealRow(ring: KeyRing, { row, text }: TextRow): Promise<Row> {
  if (text === undefined) return row
  const { store } = row
  const keys = await ring.ensure(sessionOf(store, row.key))
  const key = await hideName(store, row.key, keys)
  const value: SealedValue = {
    v: sealedFormat,
    b: await seal(keys.values, placeOf(store, key), packText(text)),
  }
  return { store, key, value }
}

async function tryOpen(
  keys: SessionKeys | undefined,
  store: StoreName,
  key: Key,
  sealed: Bytes,
): Promise<{ value: Json } | undefined> {
  const packed = keys && (await unseal(keys.values, placeOf(store, key), sealed))
  return packed && { value: JSON.parse(unpackText(packed)) }
}

function placeOf(store: StoreName, key: Key): Key {
  return ['waymark', sealedFormat, store, ...key]
}

async function hideRange(ring: KeyRing, range: Range): Promise<Range> {
  if (!isNamed(range.store, range.prefix)) return range
  const keys = await ring.find(range.prefix[0]!)
  return keys === undefined ? range : { ...range, prefix: await hideName(range.store, range.prefix, keys) }
}

async function showKey(ring: KeyRing, store: StoreName, key: Key): Promise<Key> {
  if (store !== 'parts' && store !== 'sync') return key
  const keys = await ring.find(sessionOf(store, key))
  return keys === undefined ? key : showName(store, key, keys)
}

/** Reads the keys of many sessions at once. */
async function learnAll(ring: KeyRing, inner: Store, sessions: readonly SessionId[]): Promise<void> {
  const missing = ring.missing(sessions)
  if (missing.length === 0) return
  const rows = await inner.read(missing.map((session): Range => ({ store: 'keys', prefix: [session] })))
  await Promise.all(missing.map((session, i) => ring.learn(session, rows[i] ?? [])))
}

/** Seals every value that lies in clear; once none is found the note that there may be some goes. */
async function sealEverything(inner: Store, ring: KeyRing): Promise<void> {
  let count = 0
  for (const store of storeNames) {
    if (store === 'keys') continue
    const all = { store, prefix: [] } as const
    const [values = [], keys = []] = await inner.read([all, { ...all, isKeys: true }])
    const plain = (keys as Key[])
      .map((key, i): Row => ({ store, key, value: values[i] }))
      .filter(({ key, value }) => !isMark(store, key) && !isSealed(value) && !isNewer(value))
    count += plain.length
    for (let i = 0; i < plain.length; i += rowsPerWrite) {
      const rows = plain.slice(i, i + rowsPerWrite)
      const put = await Promise.all(rows.map((row) => sealRow(ring, toText(row))))
      // A part's name is hidden too, so its row moves.
      const moved = rows.filter(({ key }) => isNamed(store, key))
      const remove = moved.map(({ key }): Range => ({ store, prefix: key }))
      await inner.write({ durability: 'strict', remove, put })
    }
  }
  if (count === 0) await inner.write({ durability: 'relaxed', remove: [{ store: 'keys', prefix: mixedKey }] })
}

async function isEmpty(inner: Store): Promise<boolean> {
  const stores = storeNames.filter((store) => store !== 'keys')
  const found = await inner.read(
    stores.map((store): Range => ({ store, prefix: [], limit: 1, isKeys: true })),
  )
  return found.every((keys) => keys.length === 0)
}

const mixedRow: Row = { store: 'keys', key: mixedKey, value: { v: 1 } }

function isMark(store: StoreName, key: Key): boolean {
  return store === 'heads' && isMarkKey(key)
}

function sessionOf(store: StoreName, key: Key): SessionId {
  return (store === 'heads' ? (key[1] ?? key[0]) : key[0])!
}

function sessionOfRange({ store, prefix }: Range): SessionId | undefined {
  if (store === 'keys') return undefined
  return store === 'heads' ? prefix[1] : prefix[0]
}

function isSealed(value: unknown): value is SealedValue {
  const sealed = value as Partial<SealedValue> | null | undefined
  return sealed?.v === sealedFormat && ArrayBuffer.isView(sealed.b)
}

/** Sealed in a later format, or not ours: whoever reads it knows what to make of a newer record. */
function isNewer(value: unknown): boolean {
  const version = (value as { v?: unknown } | null | undefined)?.v
  return typeof version === 'number' && version > 1
}

function gone(): WaymarkError {
  return new WaymarkError(
    'storage-failed',
    'What this page had stored was deleted, as by clearing site data. What it still holds is stored again.',
    { isRetryable: true },
  )
}
