import { randomBytes, randomFillSync } from 'node:crypto'

/** Randomness as an argument, so that tests can fix it. */
export interface Random {
  /** `n` unpredictable bytes. */
  bytes(n: number): Uint8Array
  /** A number in [0, 1); for jitter only, never for secrets. */
  fraction(): number
}

/** Bytes that are fetched from the system at a time, and the most that one caller gets of them. */
const POOL = 4096
const MAX_OF_POOL = 64
let pool = Buffer.alloc(0)

/** Bytes of the pool, each given out once: a call to the system takes longer than all else that is done with few bytes. */
function pooled(n: number): Uint8Array {
  if (n > MAX_OF_POOL) return randomBytes(n)
  if (pool.length < n) pool = randomFillSync(Buffer.alloc(POOL))
  const bytes = pool.subarray(0, n)
  pool = pool.subarray(n)
  return bytes
}

export const systemRandom: Random = {
  bytes: pooled,
  fraction: () => Math.random(),
}

/** URL-safe random text of `n` bytes of entropy. */
export function randomToken(random: Random, n = 18): string {
  return Buffer.from(random.bytes(n)).toString('base64url')
}
