/** Random bytes; works on insecure origins too, where `crypto.randomUUID` does not exist. */
export type Random = (length: number) => Uint8Array

export const systemRandom: Random = drawAhead(1_024)

/** Asking the platform costs 10 µs, however little is asked for: it is asked for more at once. Nothing is given out twice. */
function drawAhead(length: number): Random {
  const drawn = new Uint8Array(length)
  let given = length
  return (wanted) => {
    if (wanted > length) return crypto.getRandomValues(new Uint8Array(wanted))
    if (given + wanted > length) {
      crypto.getRandomValues(drawn)
      given = 0
    }
    given += wanted
    return drawn.slice(given - wanted, given)
  }
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
