import { RateLimiterMemory } from 'rate-limiter-flexible'
import { AppError, type Clock } from '../../base/index.ts'
import { type ApiKey, type ApiKeyStore, matchesApiKey, type Scope, splitApiKey } from '../../security/index.ts'

const CACHE_MS = 10_000
const MAX_CACHE = 10_000

/** Checks API keys and how often who asks. */
export class ApiAuth {
  readonly #keys: ApiKeyStore
  readonly #clock: Clock
  readonly #cache = new Map<string, { key: ApiKey | undefined; until: number }>()
  /** Failed keys per address: guessing is slow. */
  readonly #failures = new RateLimiterMemory({ points: 30, duration: 60 })
  /** Requests per key. */
  readonly #requests = new RateLimiterMemory({ points: 6000, duration: 60 })

  constructor(keys: ApiKeyStore, clock: Clock) {
    this.#keys = keys
    this.#clock = clock
  }

  /** The key behind a request, for a scope. AppError `unauthorized`, `forbidden` or `rateLimited`. */
  async check(
    headers: { authorization?: string | undefined; key?: string | undefined },
    address: string,
    scope: Scope,
  ): Promise<ApiKey> {
    const text = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? headers.key
    const parts = text === undefined ? undefined : splitApiKey(text)
    const key = parts === undefined ? undefined : await this.#find(parts.id)
    if (parts === undefined || key === undefined || !matchesApiKey(key, parts.secret)) {
      if (text !== undefined)
        await limit(this.#failures, address, 'too many wrong keys from this address; wait a minute')
      throw new AppError(
        'unauthorized',
        text === undefined
          ? 'send your API key as `Authorization: Bearer isthmus_...`'
          : 'this API key is not known or was revoked',
      )
    }
    if (scope === 'write' && key.scope !== 'write')
      throw new AppError('forbidden', 'this key may only read; use one with scope write')
    await limit(this.#requests, key.id, 'more than 6000 requests a minute with this key')
    return key
  }

  /** The next request asks the store again. */
  forget(id: string): void {
    this.#cache.delete(id)
  }

  async #find(id: string): Promise<ApiKey | undefined> {
    const now = this.#clock.now()
    const cached = this.#cache.get(id)
    if (cached !== undefined && cached.until > now) return cached.key
    const key = await this.#keys.get(id)
    if (this.#cache.size >= MAX_CACHE) this.#cache.clear()
    this.#cache.set(id, { key, until: now + CACHE_MS })
    return key
  }
}

async function limit(limiter: RateLimiterMemory, key: string, why: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (cause) {
    throw new AppError('rateLimited', why, { cause })
  }
}
