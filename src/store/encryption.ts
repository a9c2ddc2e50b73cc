import { WaymarkError } from '../base/errors.ts'
import { loadChunk } from '../base/load-chunk.ts'
import type { EncryptedStore } from './encrypted-store.ts'
import { ringPrefix, type Store } from './store.ts'

/**
 * What what is stored is encrypted under.
 *
 * - `passphrase`: a key is derived from it (PBKDF2-HMAC-SHA-256, 600,000 iterations, a salt of this browser's own).
 *   Forgotten is lost.
 * - `key`: 32 bytes, or an AES-GCM `CryptoKey` that may encrypt and decrypt, or a function that fetches one.
 * - `'browser'`: a key the browser keeps beside the data and gives to no script. It lies in the profile's files as raw
 *   bytes, so whoever has those can read everything.
 */
export type Encryption =
  | { readonly passphrase: string }
  | { readonly key: HostKey | (() => HostKey | Promise<HostKey>) }
  | 'browser'

export type HostKey = CryptoKey | Uint8Array

/**
 * The store as it is to be used: sealed under `encryption`, or as it is where there is none to give. Rejects, with
 * nothing written, with `encryption-needed` where what is stored is sealed and no encryption was given, with
 * `chunk-unavailable`, and with what `openEncryptedStore` says.
 */
export async function openSealed(store: Store, encryption: Encryption): Promise<EncryptedStore>
export async function openSealed(store: Store, encryption: Encryption | undefined): Promise<Store>
export async function openSealed(store: Store, encryption: Encryption | undefined): Promise<Store> {
  if (encryption !== undefined) {
    const loading = import('./encrypted-store.ts')
    const { openEncryptedStore } = await loadChunk(loading, 'nothing can be encrypted and nothing is stored')
    return openEncryptedStore(store, encryption)
  }
  const ring = { store: 'keys', prefix: [ringPrefix], isKeys: true, limit: 1 } as const
  // A store that fails now says so at the first use; read without a key, what is sealed counts as written by newer code.
  const [keys = []] = await store.read([ring]).catch(() => [])
  if (keys.length === 0) return store
  throw new WaymarkError(
    'encryption-needed',
    'What is stored here is encrypted, and createWaymark was given no "encryption". Nothing was read or changed: give it again.',
  )
}
