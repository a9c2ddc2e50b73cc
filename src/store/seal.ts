/**
 * AES-GCM (NIST SP 800-38D) over bytes, and JSON values as bytes.
 *
 * Invariants
 * - A fresh 96-bit IV for every sealing, from the platform's generator and never an injected one: a seeded generator
 *   would repeat an IV, which gives the text away. The same holds for every key and salt of this room.
 * - What is sealed for a place opens there only: the place is authenticated with it.
 */
export type Bytes = Uint8Array<ArrayBuffer>

/** Where something sealed belongs. */
export type Place = readonly (string | number)[]

const ivLength = 12
const tagLength = 16
const encoder = new TextEncoder()

export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length))
}

export function toUtf8(text: string): Bytes {
  return encoder.encode(text)
}

/** IV and ciphertext in one. */
export async function seal(key: CryptoKey, place: Place, plain: Bytes): Promise<Bytes> {
  const iv = randomBytes(ivLength)
  const cipher = await crypto.subtle.encrypt(gcm(iv, place), key, plain)
  const sealed = new Uint8Array(ivLength + cipher.byteLength)
  sealed.set(iv)
  sealed.set(new Uint8Array(cipher), ivLength)
  return sealed
}

/** `undefined` where it was sealed with another key or for another place, or its bytes changed. */
export async function unseal(key: CryptoKey, place: Place, sealed: Bytes): Promise<Bytes | undefined> {
  if (sealed.length < ivLength + tagLength) return undefined
  const iv = sealed.slice(0, ivLength)
  try {
    return new Uint8Array(await crypto.subtle.decrypt(gcm(iv, place), key, sealed.subarray(ivLength)))
  } catch (error) {
    if ((error as Error).name === 'OperationError') return undefined
    throw error
  }
}

function gcm(iv: Bytes, place: Place): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: toUtf8(JSON.stringify(place)) }
}

/** JSON text as the shorter of UTF-8 and UTF-16, so that text of 28,000 units stays under 60 KB in any script. */
export function packText(text: string): Bytes {
  const utf8 = toUtf8(text)
  if (utf8.length <= 2 * text.length) return withTag(0, utf8)
  const units = Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
  return withTag(1, new Uint8Array(units.buffer))
}

export function unpackText(packed: Bytes): string {
  return new TextDecoder(packed[0] === 1 ? 'utf-16le' : 'utf-8', { ignoreBOM: true }).decode(
    packed.subarray(1),
  )
}

function withTag(tag: 0 | 1, bytes: Bytes): Bytes {
  const tagged = new Uint8Array(1 + bytes.length)
  tagged[0] = tag
  tagged.set(bytes, 1)
  return tagged
}

export function toBase64(bytes: Bytes): string {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 0x2000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x2000))
  }
  return btoa(binary)
}

/** `undefined` where the text is no base64. */
export function fromBase64(text: string): Bytes | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}
