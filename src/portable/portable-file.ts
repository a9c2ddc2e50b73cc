/**
 * The file sessions leave and come back in: JSON, plain or sealed under a passphrase.
 *
 *   { "format": "waymark-export", "v": 1, "at": 1794000000000,
 *     "sessions": [{ "hash": "<SHA-256 of the session's canonical JSON>", "session": { ... } }] }
 *
 *   { "format": "waymark-export", "v": 1, "at": 1794000000000,
 *     "sealed": { "iterations": 600000, "salt": "<base64>", "data": "<base64>" } }     data: `sessions`, AES-256-GCM
 *
 * Invariants
 * - Entries travel as the very text that was hashed, so what arrives can be verified, hash by hash and link by link.
 * - Nothing of a file is believed: every session that comes out of here is checked in shape, and its hash is right.
 */
import { canonicalJson } from '../base/canonical.ts'
import { WaymarkError } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import type { EntryRecord } from '../record/entry.ts'
import { isText, parseJson } from '../record/guard.ts'
import { type Head, readHead } from '../record/head.ts'
import type { SessionState } from '../record/state.ts'
import { assertWebCrypto, deriveKey, keyWrong, passphraseIterations } from '../store/key-source.ts'
import { fromBase64, packText, randomBytes, seal, toBase64, unpackText, unseal } from '../store/seal.ts'

/** A session as it travels. */
export interface PortableSession {
  readonly id: string
  readonly head: Head
  /** Every entry that verifies, in the journal's order. */
  readonly entries: readonly Pick<EntryRecord, 'c' | 'p' | 's'>[]
  /** What the session is, where that is more than its entries tell: typing that is no entry yet, damage, payloads left out. */
  readonly state?: SessionState
  /** When the latest of it was entered, a hybrid stamp. */
  readonly at: number
  /** Sensitive answers were left out. */
  readonly isPartial?: true
  /** What was set aside as unreadable, as it lay there. */
  readonly quarantine: readonly Json[]
}

/** A session of a file, or why it is none. */
export type ReadSession =
  | { readonly type: 'session'; readonly session: PortableSession }
  | { readonly type: 'unreadable'; readonly id: string; readonly reason: string }

const format = 'waymark-export'
const version = 1
const place = [format, version]
const saltLength = 16
/** In UTF-16 units. */
const longestFile = 256_000_000
const mostSessions = 10_000
/** Ids made here have 26 characters; a part of a row's key has to be one that is no other's. */
const idPattern = /^[A-Za-z0-9][\w-]{0,127}$/

export async function writeFile(
  sessions: readonly PortableSession[],
  options: { readonly now: number; readonly passphrase: string | undefined },
): Promise<Blob> {
  const { now, passphrase } = options
  const hashed = sessions.map((session) => ({ hash: hashOf(session), session }))
  const body =
    passphrase === undefined ? { sessions: hashed } : { sealed: await sealBody(hashed, passphrase) }
  return new Blob([JSON.stringify({ format, v: version, at: now, ...body })], { type: 'application/json' })
}

function hashOf(session: PortableSession): string {
  return sha256(canonicalJson(session as unknown as Json))
}

async function sealBody(sessions: unknown, passphrase: string) {
  assertWebCrypto()
  const salt = randomBytes(saltLength)
  const key = await deriveKey(passphrase, salt, passphraseIterations)
  const data = await seal(key, place, packText(JSON.stringify(sessions)))
  return { iterations: passphraseIterations, salt: toBase64(salt), data: toBase64(data) }
}

/**
 * Every session of a file. Rejects with `import-unreadable` where it is no export or was cut, with `outdated` where a
 * newer version made it, with `key-wrong` where the passphrase is wrong or missing.
 */
export async function readFile(file: Blob | string, passphrase?: string): Promise<readonly ReadSession[]> {
  const text = typeof file === 'string' ? file : await file.text()
  if (text.length > longestFile) throw unreadable(`it is longer than ${longestFile} characters`)
  const outer = parseJson(text)
  if (!isJsonObject(outer) || outer['format'] !== format) throw unreadable('it is no export, or was cut')
  if (typeof outer['v'] === 'number' && outer['v'] > version) {
    throw new WaymarkError(
      'outdated',
      `This file was made by a newer version (${outer['v']} > ${version}). Reload the page and import it again.`,
    )
  }
  const sessions =
    outer['sealed'] === undefined ? outer['sessions'] : await openBody(outer['sealed'], passphrase)
  if (outer['v'] !== version || !Array.isArray(sessions)) throw unreadable('it holds no list of sessions')
  if (sessions.length > mostSessions) throw unreadable(`it holds more than ${mostSessions} sessions`)
  return (sessions as readonly Json[]).map(readOne)
}

async function openBody(sealed: Json, passphrase: string | undefined): Promise<Json | undefined> {
  if (!isJsonObject(sealed)) return undefined
  const { iterations, salt, data } = sealed
  const [saltBytes, bytes] = [salt, data].map((one) => (isText(one) ? fromBase64(one) : undefined))
  if (typeof iterations !== 'number' || saltBytes === undefined || bytes === undefined) return undefined
  if (passphrase === undefined) throw keyWrong('This file is sealed: give its passphrase.')
  assertWebCrypto()
  const packed = await unseal(await deriveKey(passphrase, saltBytes, iterations), place, bytes)
  if (packed === undefined) throw keyWrong('This is not the passphrase of the file, or the file was changed.')
  return parseJson(unpackText(packed))
}

function readOne(value: Json): ReadSession {
  const { hash, session } = isJsonObject(value) ? value : {}
  if (!isJsonObject(session)) return { type: 'unreadable', id: '', reason: 'no session' }
  const { id, head, entries, state, at, isPartial, quarantine } = session
  if (!isText(id) || !idPattern.test(id)) return { type: 'unreadable', id: '', reason: 'no id' }
  const fail = (reason: string): ReadSession => ({ type: 'unreadable', id, reason })
  if (hash !== sha256(canonicalJson(session))) return fail('its hash does not match')
  const known = readHead(head)
  if (known === undefined || known.id !== id) return fail('its head is malformed')
  if (!Array.isArray(entries) || !entries.every(isEntry)) return fail('its entries are malformed')
  if (state !== undefined && !isJsonObject(state)) return fail('its state is malformed')
  if (typeof at !== 'number' || !(at >= 0 && at <= Number.MAX_SAFE_INTEGER))
    return fail('its stamp is malformed')
  if (!Array.isArray(quarantine)) return fail('what was set aside is malformed')
  return {
    type: 'session',
    session: {
      ...{ id, head: known, entries: entries as PortableSession['entries'], at, quarantine },
      ...(state === undefined ? {} : { state: state as unknown as SessionState }),
      ...(isPartial === true ? { isPartial } : {}),
    },
  }
}

function isEntry(value: Json): boolean {
  if (!isJsonObject(value)) return false
  const { c, p, s } = value
  return isText(c) && [p, s].every((text) => text === undefined || isText(text))
}

function unreadable(why: string): WaymarkError {
  return new WaymarkError('import-unreadable', `This file cannot be imported: ${why}. Nothing was imported.`)
}
