import type { SessionKeys } from './key-ring.ts'
import { type Bytes, fromBase64, toBase64 } from './seal.ts'
import type { Key, StoreName } from './store.ts'

/**
 * The parts of a checkpoint are named by the SHA-256 of their text. In clear that would tell a short answer to whoever
 * tries all there are, so the name is encrypted: the same name for the same part, or nothing could be found again.
 *
 * Fixed-IV CBC is what that takes: a hash is two blocks that never come twice with another meaning, so all it can show
 * is that two parts are the same one.
 */
const isHash = /^[0-9a-f]{64}$/
const mark = '~'
const algorithm = { name: 'AES-CBC', iv: new Uint8Array(16) }

/** Where in a key of this store a part's name stands, if it is one. */
function placeOfName(store: StoreName, key: Key): number | undefined {
  if (store === 'parts') return 1
  return store === 'sync' && key[1] === 'part' ? 2 : undefined
}

/** True where the key, or the beginning of one, holds a part's name in clear. */
export function isNamed(store: StoreName, key: Key): boolean {
  const place = placeOfName(store, key)
  return place !== undefined && isHash.test(String(key[place]))
}

export async function hideName(store: StoreName, key: Key, keys: SessionKeys): Promise<Key> {
  if (!isNamed(store, key)) return key
  const place = placeOfName(store, key)!
  const hash = Uint8Array.from((key[place] as string).match(/../g)!, (byte) => Number.parseInt(byte, 16))
  const hidden = new Uint8Array(await crypto.subtle.encrypt(algorithm, keys.names, hash))
  return withPart(key, place, mark + toBase64(hidden))
}

/** The key as it was before {@link hideName}; as it is where it was not hidden, or does not open. */
export async function showName(store: StoreName, key: Key, keys: SessionKeys): Promise<Key> {
  const place = placeOfName(store, key)
  const name = place === undefined ? undefined : key[place]
  if (place === undefined || typeof name !== 'string' || !name.startsWith(mark)) return key
  const hash = await decrypt(fromBase64(name.slice(mark.length)), keys)
  return hash === undefined ? key : withPart(key, place, hash)
}

function withPart(key: Key, place: number, name: string): Key {
  return key.map((part, i) => (i === place ? name : part))
}

async function decrypt(hidden: Bytes | undefined, keys: SessionKeys): Promise<string | undefined> {
  if (hidden === undefined) return undefined
  try {
    const hash = new Uint8Array(await crypto.subtle.decrypt(algorithm, keys.names, hidden))
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
  } catch {
    return undefined
  }
}
