import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/**
 * SHA-256 (FIPS 180-4) of the UTF-8 bytes of `text`, as 64 lower-case hex digits, synchronously: an await between
 * a change and its transaction loses the exit flush in Firefox, and WebCrypto is absent on plain http.
 * A lone surrogate, for which UTF-8 has no bytes, is hashed as its three WTF-8 bytes: texts that differ never hash alike.
 */
export function sha256(text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return bytesToHex(nobleSha256(utf8ToBytes(text)))
  const hash = nobleSha256.create()
  for (const piece of text.split(/(\p{Surrogate})/u)) {
    const unit = piece.length === 1 ? piece.charCodeAt(0) : 0
    const isLone = unit >= 0xd800 && unit <= 0xdfff
    hash.update(
      isLone ? Uint8Array.of(0xed, 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63)) : utf8ToBytes(piece),
    )
  }
  return bytesToHex(hash.digest())
}
