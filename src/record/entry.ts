/**
 * An entry: one record of the journal, the packed changes of one batch, and the link that chains it to its writer's
 * entry before.
 *
 *   hash = SHA-256( header )                      header names payloadHash, so it covers everything
 *   header.payloadHash = SHA-256( salt + payload )
 *   header.prev = hash of the same writer's entry before, in this session; '' for its first
 *
 * Invariants
 * - Header and payload are stored and sent as the very text that was hashed (RFC 8785 canonical JSON).
 * - Entries never change once appended. Erasing payload and salt together leaves a chain that still verifies.
 * - `n` is gapless per writer and session; a writer's id is random per page load and never reused.
 */
import { canonicalJson } from '../base/canonical.ts'
import { sha256 } from '../base/hash.ts'
import type { Json } from '../base/json.ts'
import { readChanges } from './guard.ts'
import type { Change } from './state.ts'

/** An entry as stored and sent. Short names: one such record is written per change. */
export interface EntryRecord {
  /** Format version of this shape. */
  readonly v: 1
  /** SHA-256 of `c`, hex. */
  readonly h: string
  /** Canonical header text. */
  readonly c: string
  /** Canonical payload text, a list of changes; absent once erased. */
  readonly p?: string
  /** Salt of the payload hash; absent once erased. */
  readonly s?: string
}

export interface EntryHeader {
  readonly session: string
  readonly writer: string
  /** 0, 1, 2, ... per writer and session. */
  readonly n: number
  /** Hybrid logical stamp, microseconds since 1970. */
  readonly at: number
  readonly prev: string
  readonly payloadHash: string
}

export interface Entry extends EntryHeader {
  readonly hash: string
  /** Absent once erased. */
  readonly changes?: readonly Change[]
}

/** Where a writer's chain stands: the last entry's number and hash. */
export interface ChainHead {
  readonly n: number
  readonly hash: string
}
export type ChainHeads = { readonly [writer: string]: ChainHead }

export const noChain: ChainHead = Object.freeze({ n: -1, hash: '' })

/** The stable name of an entry in every database and on the wire. */
export function entryId(entry: { readonly writer: string; readonly n: number }): string {
  return `${entry.writer}:${entry.n}`
}

/** Packs changes into the next entry of a writer's chain. */
export function packEntry(options: {
  readonly session: string
  readonly writer: string
  readonly after: ChainHead
  readonly at: number
  readonly salt: string
  readonly changes: readonly Change[]
}): EntryRecord {
  const payload = canonicalJson(options.changes as unknown as Json)
  const header: EntryHeader = {
    session: options.session,
    writer: options.writer,
    n: options.after.n + 1,
    at: options.at,
    prev: options.after.hash,
    payloadHash: sha256(options.salt + payload),
  }
  const text = canonicalJson(header as unknown as Json)
  return { v: 1, h: sha256(text), c: text, p: payload, s: options.salt }
}

export type EntryOutcome =
  | { readonly type: 'entry'; readonly entry: Entry }
  /** `newer`: written by a later version, do not write after it. `damaged`: set it aside, keep its bytes. */
  | { readonly type: 'newer' }
  | { readonly type: 'damaged'; readonly reason: string }

/** Reads and verifies one stored or received entry; never throws, whatever it is given. */
export function unpackEntry(value: unknown): EntryOutcome {
  if (typeof value !== 'object' || value === null) return damaged('not a record')
  const record = value as Partial<Record<keyof EntryRecord, unknown>>
  if (typeof record.v === 'number' && record.v > 1) return { type: 'newer' }
  if (record.v !== 1 || typeof record.c !== 'string' || typeof record.h !== 'string') {
    return damaged('fields missing')
  }
  if (sha256(record.c) !== record.h) return damaged('header hash does not match')
  const header = readHeader(record.c)
  if (header === undefined) return damaged('header is malformed')
  if (record.p === undefined && record.s === undefined) {
    return { type: 'entry', entry: { ...header, hash: record.h } }
  }
  if (typeof record.p !== 'string' || typeof record.s !== 'string') return damaged('payload cut')
  if (sha256(record.s + record.p) !== header.payloadHash) return damaged('payload hash does not match')
  const changes = readChanges(record.p)
  if (changes === 'newer') return { type: 'newer' }
  if (changes === undefined) return damaged('payload is malformed')
  return { type: 'entry', entry: { ...header, hash: record.h, changes } }
}

function damaged(reason: string): EntryOutcome {
  return { type: 'damaged', reason }
}

function readHeader(text: string): EntryHeader | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const h = value as Record<keyof EntryHeader, unknown>
  const isRight =
    typeof h.session === 'string' &&
    typeof h.writer === 'string' &&
    Number.isSafeInteger(h.n) &&
    (h.n as number) >= 0 &&
    Number.isSafeInteger(h.at) &&
    (h.at as number) >= 0 &&
    typeof h.prev === 'string' &&
    typeof h.payloadHash === 'string'
  if (!isRight) return undefined
  const { session, writer, n, at, prev, payloadHash } = value as EntryHeader
  return { session, writer, n, at, prev, payloadHash }
}
