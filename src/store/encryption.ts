import { WaymarkError } from '../base/errors.ts'
import { loadChunk } from '../base/load-chunk.ts'
import type { EncryptedStore } from './encrypted-store.ts'
import type { Store } from './store.ts'

/**
 * What what is stored is encrypted under.
 *
 * - `passphrase`: a key is derived from it (PBKDF2-HMAC-SHA-256, 600,000 iterations, a salt of this browser's own).
 *   Forgotten is lost.
 * - `key`: 32 bytes, or an AES-GCM `CryptoKey` that may encrypt and decrypt, or a function that fetches one.
 * - `'browser'`: a key the browser keeps beside the data. It lies in the profile's files as raw bytes: it keeps a copied
 *   database or export unreadable, not a copied profile.
 */
export type Encryption =
  | { readonly passphrase: string }
  | { readonly key: HostKey | (() => HostKey | Promise<HostKey>) }
  | 'browser'

export type HostKey = CryptoKey | Uint8Array

/** Where the newest key ring lies in the store `keys`; the key of a session lies under the session's id. */
export const ringPrefix = '~ring'

/**
 * The store as it is to be used: sealed under `encryption`, or as it is where there is none to give. Rejects, with
 * nothing written, with `encryption-needed` where what is stored is sealed and no encryption was given, and with what
 * {@link loadSealing} and the key say.
 */
export async function openSealed(store: Store, encryption: Encryption): Promise<EncryptedStore>
export async function openSealed(store: Store, encryption: Encryption | undefined): Promise<Store>
export async function openSealed(store: Store, encryption: Encryption | undefined): Promise<Store> {
  if (encryption !== undefined) return (await loadSealing()).openEncryptedStore(store, encryption)
  const ring = { store: 'keys', prefix: [ringPrefix], isKeys: true, limit: 1 } as const
  // A store that fails now says so at the first use; read without a key, what is sealed counts as written by newer code.
  const [keys = []] = await store.read([ring]).catch(() => [])
  if (keys.length === 0) return store
  throw new WaymarkError(
    'encryption-needed',
    'What is stored here is encrypted, and createWaymark was given no "encryption". Nothing was read or changed: give it again.',
  )
}

/** The code that seals. Rejects with `encryption-unavailable` on plain http, `chunk-unavailable` where it cannot load. */
export async function loadSealing(): Promise<typeof import('./encrypted-store.ts')> {
  assertWebCrypto()
  return loadChunk(import('./encrypted-store.ts'), 'nothing can be encrypted and nothing is stored')
}

/** Throws where the browser offers this page no encryption. */
export function assertWebCrypto(): void {
  if ((globalThis.crypto as Crypto | undefined)?.subtle !== undefined) return
  throw new WaymarkError(
    'encryption-unavailable',
    'This page cannot encrypt: browsers offer WebCrypto on https and localhost only. Nothing is stored in clear; serve the page over https.',
  )
}
