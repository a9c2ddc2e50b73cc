/** Random bytes; works on insecure origins too, where `crypto.randomUUID` does not exist. */
export type Random = (length: number) => Uint8Array

/** Drawn ahead: asking the platform costs 10 µs, however little is asked for. Nothing is given out twice. */
const drawn = new Uint8Array(1_024)
let given = drawn.length

export const systemRandom: Random = (length) => {
  if (length > drawn.length) return crypto.getRandomValues(new Uint8Array(length))
  if (given + length > drawn.length) {
    crypto.getRandomValues(drawn)
    given = 0
  }
  given += length
  return drawn.slice(given - length, given)
}

const digits = '0123456789abcdefghijklmnopqrstuv'

/** A random id of 5 bits a character: 20 characters hold 100 bits. */
export function createId(random: Random, length = 20): string {
  let id = ''
  for (const byte of random(length)) id += digits[byte & 31]
  return id
}

/** A number in [0, 1) with 32 random bits, for jitter. */
export function randomFraction(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(4)
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32
}
