import { randomBytes } from 'node:crypto'

/** Randomness as an argument, so that tests can fix it. */
export interface Random {
  /** `n` unpredictable bytes. */
  bytes(n: number): Uint8Array
  /** A number in [0, 1); for jitter only, never for secrets. */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (n) => randomBytes(n),
  fraction: () => Math.random(),
}

/** URL-safe random text of `n` bytes of entropy. */
export function randomToken(random: Random, n = 18): string {
  return Buffer.from(random.bytes(n)).toString('base64url')
}
