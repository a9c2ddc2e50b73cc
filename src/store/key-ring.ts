/**
 * The keys of an encrypted store, and how they lie in its `keys`.
 *
 *   master key ─seals─► ring key ─seals─► one pair of keys per session ─seal─► its rows, and the names of its parts
 *   (passphrase, host,  ['~ring', n]      [session]
 *    browser)
 *
 * Invariants
 * - A wrong master key is found out by the ring key that does not open, before anything else is read: `key-wrong`,
 *   nothing written.
 * - The keys of a session are made once, by a comparing `add`, and are on the disk before anything sealed with them.
 *   Deleting that one row leaves whatever remains of the session without its keys.
 * - Rotation is one transaction: a new ring key under the new master key, every session's keys sealed anew, the old ring
 *   gone. Pages that hold the old ring may still make keys with it, so the new ring holds the old ring key, sealed.
 * - Where the database was deleted and made anew nothing of an old ring is used: see `generation`.
 */
import { WaymarkError } from '../base/errors.ts'
import type { Encryption } from './encryption.ts'
import {
  findMasterKey,
  importAesKey,
  type KeyOrigin,
  keyWrong,
  type MasterKey,
  makeMasterKey,
} from './key-source.ts'
import { type Bytes, randomBytes, seal, unseal } from './seal.ts'
import { type Key, type Row, ringPrefix, type Store } from './store.ts'

export interface SessionKeys {
  /** Seals values. */
  readonly values: CryptoKey
  /** Hides names that tell of a value: see `part-names.ts`. */
  readonly names: CryptoKey
}

/** The first part of a row's key that tells whose it is. */
export type SessionId = string | number

export interface KeyRing {
  /** The store's, when the ring was opened. */
  readonly generation: number
  /** Sessions whose keys are not at hand. */
  missing(sessions: Iterable<SessionId>): readonly SessionId[]
  /** Takes in what was read under `[session]` of `keys`. */
  learn(session: SessionId, rows: readonly unknown[]): Promise<void>
  /** `undefined` where there are none, or they do not open. Rejects with `key-wrong` where they are under a newer ring. */
  find(session: SessionId): Promise<SessionKeys | undefined>
  /** Finds or makes them. */
  ensure(session: SessionId): Promise<SessionKeys>
  forget(session: SessionId): void
  /** Puts everything under another master key; the ring it resolves with takes this one's place. */
  rotate(next: Encryption): Promise<KeyRing>
}

interface RingRow {
  readonly v: 1
  readonly n: number
  readonly origin: KeyOrigin
  /** The ring key, sealed under the master key. */
  readonly b: Bytes
  /** The ring keys before it, sealed under the ring key. */
  readonly older: readonly SealedKey[]
}

interface SealedKey {
  /** Number of the ring: the one it is under, or, of an older ring key, its own. */
  readonly n: number
  readonly b: Bytes
}

type SessionRow = SealedKey & { readonly v: 1 }

const keyLength = 32

/** Opens the newest ring, or makes the first with whatever rows `withFirst` wants stored in the same transaction. */
export async function openKeyRing(
  store: Store,
  encryption: Encryption,
  withFirst: () => Promise<readonly Row[]>,
): Promise<KeyRing> {
  const { generation } = store
  let made: { master: MasterKey; ringKey: Bytes } | undefined
  for (;;) {
    const [rows = []] = await store.read([{ store: 'keys', prefix: [ringPrefix], isReverse: true, limit: 1 }])
    if (rows.length > 0) {
      const row = readRingRow(rows[0])
      return ringFrom(store, generation, row, await findMasterKey(encryption, row.origin))
    }
    made ??= { master: await makeMasterKey(encryption), ringKey: randomBytes(keyLength) }
    const row = await toRingRow(0, made.master, made.ringKey, [])
    const put = await withFirst()
    const add: Row = { store: 'keys', key: [ringPrefix, 0], value: row }
    // Taken where another tab was first: its ring is the ring.
    if ((await store.write({ durability: 'strict', put, add })) === 'stored') {
      return ringFrom(store, generation, row, made.master.key)
    }
  }
}

async function toRingRow(
  n: number,
  { origin, key }: MasterKey,
  ringKey: Bytes,
  older: readonly { n: number; key: Bytes }[],
): Promise<RingRow> {
  const own = await importAesKey(ringKey)
  return {
    v: 1,
    n,
    origin,
    b: await seal(key, ringPlace(n), ringKey),
    older: await Promise.all(
      older.map(async (one) => ({ n: one.n, b: await seal(own, ringPlace(n, one.n), one.key) })),
    ),
  }
}

async function ringFrom(store: Store, generation: number, row: RingRow, master: CryptoKey): Promise<KeyRing> {
  const ringKey = await unseal(master, ringPlace(row.n), row.b)
  if (ringKey === undefined) throw keyWrong('This is not the key that what is stored here is sealed under.')
  const own = await importAesKey(ringKey)
  const rawByRing = new Map([[row.n, ringKey]])
  for (const { n, b } of row.older) {
    const key = await unseal(own, ringPlace(row.n, n), b)
    if (key !== undefined) rawByRing.set(n, key)
  }
  const ringKeys = new Map(
    await Promise.all([...rawByRing].map(async ([n, raw]) => [n, await importAesKey(raw)] as const)),
  )
  const known = new Map<SessionId, SessionKeys>()

  async function open(session: SessionId, value: unknown): Promise<Bytes | undefined> {
    const found = readSessionRow(value)
    if (found === undefined) return undefined
    if (found.n > row.n) throw keyWrong('The key was changed in another tab. Reload the page.')
    const key = ringKeys.get(found.n)
    return key && unseal(key, sessionPlace(session), found.b)
  }

  const ring: KeyRing = {
    generation,
    missing: (sessions) => [...new Set(sessions)].filter((session) => !known.has(session)),
    async learn(session, [value]) {
      const raw = await open(session, value)
      if (raw !== undefined) known.set(session, await toSessionKeys(raw))
    },
    async find(session) {
      if (!known.has(session)) {
        const [rows = []] = await store.read([{ store: 'keys', prefix: [session] }])
        await ring.learn(session, rows)
      }
      return known.get(session)
    },
    async ensure(session) {
      for (let tries = 0; tries < 2; tries++) {
        const found = await ring.find(session)
        if (found !== undefined) return found
        const raw = randomBytes(2 * keyLength)
        const value: SessionRow = { v: 1, n: row.n, b: await seal(own, sessionPlace(session), raw) }
        const add: Row = { store: 'keys', key: [session], value }
        if ((await store.write({ durability: 'strict', add })) === 'taken') continue
        const keys = await toSessionKeys(raw)
        known.set(session, keys)
        return keys
      }
      throw new WaymarkError(
        'record-unreadable',
        `The keys of session "${session}" are stored but do not open. What is stored of it stays as it is; nothing can be added.`,
        { details: { session } },
      )
    },
    forget: (session) => void known.delete(session),
    async rotate(next) {
      const master = await makeMasterKey(next)
      const all = { store: 'keys', prefix: [] } as const
      const [values = [], keys = []] = await store.read([all, { ...all, isKeys: true }])
      const nextKey = randomBytes(keyLength)
      const n = row.n + 1
      const nextRow = await toRingRow(
        n,
        master,
        nextKey,
        [...rawByRing].map(([of, key]) => ({ n: of, key })),
      )
      const under = await importAesKey(nextKey)
      const put: Row[] = []
      for (const [i, value] of values.entries()) {
        const key = keys[i] as Key
        const raw = key.length === 1 ? await open(key[0]!, value) : undefined
        if (raw === undefined) continue
        const resealed: SessionRow = { v: 1, n, b: await seal(under, sessionPlace(key[0]!), raw) }
        put.push({ store: 'keys', key, value: resealed })
      }
      const outcome = await store.write({
        durability: 'strict',
        remove: [{ store: 'keys', prefix: [ringPrefix], to: row.n }],
        put,
        add: { store: 'keys', key: [ringPrefix, n], value: nextRow },
      })
      if (outcome === 'taken')
        throw keyWrong('The key was changed in another tab meanwhile. Reload the page.')
      await removeAgain(store, put)
      return ringFrom(store, generation, nextRow, master.key)
    },
  }
  return ring
}

/** Keys of sessions that another tab removed while theirs were sealed anew: gone is gone. */
async function removeAgain(store: Store, put: readonly Row[]): Promise<void> {
  const [heads = []] = await store.read([{ store: 'heads', prefix: [], isKeys: true }])
  const marked = new Set((heads as Key[]).filter(isMarkKey).map((key) => key[1]))
  const remove = put
    .filter(({ key }) => marked.has(key[0]))
    .map(({ key }) => ({ store: 'keys', prefix: key }) as const)
  if (remove.length > 0) await store.write({ durability: 'strict', remove })
}

/** Tells the key of a mark: beside heads, `[account, session, 'fate']` says that an id is not used again. */
export function isMarkKey(key: Key): boolean {
  return key.length === 3
}

async function toSessionKeys(raw: Bytes): Promise<SessionKeys> {
  const names = raw.slice(keyLength)
  return {
    values: await importAesKey(raw.slice(0, keyLength)),
    names: await crypto.subtle.importKey('raw', names, 'AES-CBC', false, ['encrypt', 'decrypt']),
  }
}

const ringPlace = (n: number, older?: number) => [ringPrefix, n, ...(older === undefined ? [] : [older])]
const sessionPlace = (session: SessionId) => ['keys', session]

function readRingRow(value: unknown): RingRow {
  const row = value as Partial<RingRow> | null | undefined
  if (typeof row?.v === 'number' && row.v > 1) {
    throw new WaymarkError(
      'outdated',
      'What is stored here was encrypted by a newer version. Reload the page.',
    )
  }
  const isRight =
    row?.v === 1 &&
    typeof row.n === 'number' &&
    typeof row.origin === 'object' &&
    row.origin !== null &&
    ArrayBuffer.isView(row.b) &&
    Array.isArray(row.older)
  if (isRight) return row as RingRow
  throw new WaymarkError(
    'record-unreadable',
    'The key ring of what is stored here is damaged. Nothing was read or changed.',
  )
}

function readSessionRow(value: unknown): SessionRow | undefined {
  const row = value as Partial<SessionRow> | null | undefined
  return row?.v === 1 && typeof row.n === 'number' && ArrayBuffer.isView(row.b)
    ? (row as SessionRow)
    : undefined
}
