import { WaymarkError } from '../base/errors.ts'
import { loadChunk } from '../base/load-chunk.ts'
import type { EncryptedStore } from './encrypted-store.ts'
import type { Encryption } from './encryption.ts'
import { ringPrefix, type Store } from './store.ts'

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
