import { AppError, type Clock } from '../../base/index.ts'
import { may, type Permission, type Principal, type Role } from '../../domain/index.ts'
import { type ApiKey, type ApiKeyStore, matchesApiKey, type Scope, splitApiKey } from '../../security/index.ts'
import { limit, RateLimiterMemory } from './rate-limits.ts'

/** A key is read from the store again after this time, in milliseconds. */
const CACHE_MS = 10_000
const MAX_CACHE = 10_000
/** Wrong keys of one address, and requests with one key, in a minute. */
const WRONG_KEYS = 30
const REQUESTS = 6000

/** The role that the scope of an API key gives. */
const ROLE: Record<Scope, Role> = { read: 'reader', write: 'writer' }

/** Checks API keys, their permissions, and the rate of their requests. */
export class ApiAuth {
  readonly #keys: ApiKeyStore
  readonly #clock: Clock
  readonly #cache = new Map<string, { key: ApiKey | undefined; until: number }>()
  /** Wrong keys per address and minute: guessing is slow. */
  readonly #failures = new RateLimiterMemory({ points: WRONG_KEYS, duration: 60 })
  /** Requests per key and minute. */
  readonly #requests = new RateLimiterMemory({ points: REQUESTS, duration: 60 })

  constructor(keys: ApiKeyStore, clock: Clock) {
    this.#keys = keys
    this.#clock = clock
  }

  /**
   * Returns the principal behind a request. AppError `unauthorized` without a valid key, `forbidden` for a key without
   * the permission, `rateLimited` for too many requests.
   */
  async check(
    headers: { authorization?: string | undefined; key?: string | undefined },
    address: string,
    permission: Permission,
  ): Promise<Principal> {
    const text = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? headers.key
    const parts = text === undefined ? undefined : splitApiKey(text)
    const key = parts === undefined ? undefined : await this.#find(parts.id)
    if (parts === undefined || key === undefined || !matchesApiKey(key, parts.secret)) {
      if (text !== undefined)
        await limit(
          this.#failures,
          address,
          `more than ${WRONG_KEYS} wrong API keys came from this address; wait a minute`,
        )
      throw new AppError(
        'unauthorized',
        text === undefined
          ? 'the request has no API key; send it as `Authorization: Bearer isthmus_...`'
          : 'this API key is not known or was revoked; use another one',
      )
    }
    const principal: Principal = { kind: 'apiKey', id: key.id, roles: [ROLE[key.scope]], groups: [] }
    if (!may(principal, permission))
      throw new AppError(
        'forbidden',
        `API key ${key.id} has scope ${key.scope}, which does not allow ${permission}; use a key with scope write`,
      )
    await limit(
      this.#requests,
      key.id,
      `more than ${REQUESTS} requests a minute came with API key ${key.id}; wait a minute`,
    )
    return principal
  }

  /** Drops a key from the cache: the next request reads it from the store. */
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
