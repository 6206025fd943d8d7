import { RateLimiterMemory } from 'rate-limiter-flexible'
import { AppError } from '../../base/index.ts'

export { RateLimiterMemory }

/** Counts one more for a key. AppError `rateLimited`, with this reason, when that is too many. */
export async function limit(limiter: RateLimiterMemory, key: string, why: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (cause) {
    throw new AppError('rateLimited', why, { cause })
  }
}
