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
