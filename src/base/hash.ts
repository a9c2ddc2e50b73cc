import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/**
 * SHA-256 (FIPS 180-4) of the UTF-8 bytes of `text`, as 64 lower-case hex digits, synchronously: an await between
 * a change and its transaction loses the exit flush in Firefox, and WebCrypto is absent on plain http.
 */
export function sha256(text: string): string {
  return bytesToHex(nobleSha256(utf8ToBytes(text)))
}
