import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import type { Encryption, HostKey } from './encryption.ts'
import { type Bytes, randomBytes, toUtf8 } from './seal.ts'

/** What OWASP's Password Storage Cheat Sheet asks of PBKDF2-HMAC-SHA-256, since December 2022. */
export const passphraseIterations = 600_000
/** A record that asks for more would hang the page. */
const mostIterations = 20_000_000
const saltLength = 16

/** Where a master key comes from, as stored beside what it seals. */
export type KeyOrigin =
  | { readonly kind: 'passphrase'; readonly salt: Bytes; readonly iterations: number }
  | { readonly kind: 'host' }
  | { readonly kind: 'browser'; readonly key: CryptoKey }

export interface MasterKey {
  readonly origin: KeyOrigin
  readonly key: CryptoKey
}

/** The master key of something not sealed yet. Rejects with `key-wrong` where what was given is no key. */
export async function makeMasterKey(encryption: Encryption): Promise<MasterKey> {
  assertEncryption(encryption)
  if (encryption === 'browser') {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ])
    return { origin: { kind: 'browser', key }, key }
  }
  if ('passphrase' in encryption) {
    const origin = {
      kind: 'passphrase',
      salt: randomBytes(saltLength),
      iterations: passphraseIterations,
    } as const
    return { origin, key: await deriveKey(encryption.passphrase, origin.salt, origin.iterations) }
  }
  return { origin: { kind: 'host' }, key: await hostKey(encryption.key) }
}

/** The master key of what is sealed already. Whether it is the right one shows when it opens something. */
export async function findMasterKey(encryption: Encryption, origin: KeyOrigin): Promise<CryptoKey> {
  assertEncryption(encryption)
  if (encryption === 'browser') {
    if (origin.kind === 'browser') return origin.key
  } else if ('passphrase' in encryption) {
    if (origin.kind === 'passphrase') return deriveKey(encryption.passphrase, origin.salt, origin.iterations)
  } else if (origin.kind === 'host') return hostKey(encryption.key)
  throw keyWrong(`What is stored here is sealed under ${words[origin.kind]}. Give that as "encryption".`)
}

/** Throws where the browser offers this page no encryption. */
export function assertWebCrypto(): void {
  if ((globalThis.crypto as Crypto | undefined)?.subtle !== undefined) return
  throw new WaymarkError(
    'encryption-unavailable',
    'This page cannot encrypt: browsers offer WebCrypto on https and localhost only. Nothing is stored in clear; serve the page over https.',
  )
}

/** PBKDF2 of a passphrase, in Unicode's composed form, so that every keyboard gives the same key. */
export async function deriveKey(passphrase: string, salt: Bytes, iterations: number): Promise<CryptoKey> {
  if (typeof passphrase !== 'string' || passphrase === '')
    throw keyWrong('Give a passphrase that is not empty.')
  if (!(Number.isSafeInteger(iterations) && iterations > 0 && iterations <= mostIterations)) {
    throw keyWrong('What is sealed asks for a derivation this version does not do.')
  }
  const bytes = toUtf8(passphrase.normalize('NFC'))
  const material = await crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveKey'])
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }
  return crypto.subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ])
}

/** Plain JavaScript gets here untyped. */
function assertEncryption(given: unknown): void {
  const isObject = typeof given === 'object' && given !== null
  if (given === 'browser' || (isObject && ('passphrase' in given || 'key' in given))) return
  throw keyWrong("Give encryption a passphrase, a key or 'browser'.")
}

async function hostKey(given: HostKey | (() => HostKey | Promise<HostKey>)): Promise<CryptoKey> {
  const key = typeof given === 'function' ? await fetchKey(given) : given
  if (ArrayBuffer.isView(key)) {
    if (key.byteLength === 32) return importAesKey(new Uint8Array(key) as Bytes)
  } else if (
    key?.algorithm?.name === 'AES-GCM' &&
    ['encrypt', 'decrypt'].every((usage) => key.usages.includes(usage as KeyUsage))
  ) {
    return key
  }
  throw keyWrong(
    'The key given is none: give 32 bytes, or an AES-GCM CryptoKey that may encrypt and decrypt.',
  )
}

async function fetchKey(fetch: () => HostKey | Promise<HostKey>): Promise<HostKey> {
  try {
    return await fetch()
  } catch (error) {
    if (isWaymarkError(error)) throw error
    throw new WaymarkError(
      'encryption-unavailable',
      'The key for what is stored here could not be fetched, so nothing is read or stored. Try again when it can.',
      { cause: error, isRetryable: true },
    )
  }
}

export function importAesKey(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

export function keyWrong(message: string): WaymarkError {
  return new WaymarkError('key-wrong', `${message} Nothing was changed.`)
}

const words: Readonly<Record<KeyOrigin['kind'], string>> = {
  passphrase: 'a passphrase',
  host: 'a key of the app',
  browser: 'a key the browser keeps',
}
