/** What is planted, made of a seed in the page and in the test alike: nothing that travels between them holds it. */
import { sha256 } from '../../src/base/hash.ts'

/** Hex digits that come nowhere else. */
export function plantedText(seed: string): string {
  return sha256(`planted ${seed}`).slice(0, 48)
}

export function passphraseOf(seed: string): string {
  return sha256(`passphrase ${seed}`).slice(0, 32)
}

export function keyBytes(seed: string): Uint8Array {
  return Uint8Array.from(sha256(`key ${seed}`).match(/../g)!, (byte) => Number.parseInt(byte, 16))
}
