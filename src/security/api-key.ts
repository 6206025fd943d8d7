import { createHash, timingSafeEqual } from 'node:crypto'
import { AppError, type Random, randomToken } from '../base/index.ts'

/** Scopes of API keys. read: every GET. write: also commands, groups, plans. */
export const SCOPES = ['read', 'write'] as const
export type Scope = (typeof SCOPES)[number]

/** An API key as it is stored: with a hash of its secret only. */
export interface ApiKey {
  id: string
  name: string
  scope: Scope
  /** SHA-256 of the secret, hex. The secret has 192 random bits, so a slow hash would add nothing. */
  hash: string
  createdAt: number
  revokedAt?: number
}

/** The API keys by id. */
export interface ApiKeyStore {
  /** Adds the key, or replaces the one with its id. */
  put(key: ApiKey): Promise<void>
  get(id: string): Promise<ApiKey | undefined>
  /** A page in the order of ids, revoked keys included; `cursor` is `next` of the page before. */
  list(query: { limit: number; cursor?: string }): Promise<{ items: ApiKey[]; next?: string }>
  /** Returns true when a key other than this one may write and is not revoked. */
  hasOtherWriter(id: string): Promise<boolean>
  /** The number of keys, revoked ones included. */
  count(): Promise<number>
}

/** The most characters of the name of a key. */
export const MAX_KEY_NAME = 100

/** Throws AppError `invalid` for a name that no key may have. */
export function checkKeyName(name: string): void {
  if (name.length < 1 || name.length > MAX_KEY_NAME)
    throw new AppError(
      'invalid',
      `the name of an API key has 1 to ${MAX_KEY_NAME} characters, this one has ${name.length}`,
    )
}

/** Returns a new key and its text, which is shown once: `isthmus_<id>_<secret>`. */
export function newApiKey(
  random: Random,
  id: string,
  name: string,
  scope: Scope,
  now: number,
): { key: ApiKey; text: string } {
  const secret = randomToken(random, 24)
  return { key: { id, name, scope, hash: sha256(secret), createdAt: now }, text: `isthmus_${id}_${secret}` }
}

/** Returns the key of a text that was chosen elsewhere. AppError `invalid` when the text is none. */
export function givenApiKey(text: string, name: string, scope: Scope, now: number): { key: ApiKey; text: string } {
  const split = splitApiKey(text)
  if (split === undefined)
    throw new AppError(
      'invalid',
      'the text is no API key: the form is isthmus_<id>_<secret>, with 10-40 and 20-64 characters',
    )
  return { key: { id: split.id, name, scope, hash: sha256(split.secret), createdAt: now }, text }
}

/** Splits a presented key text; undefined when it does not have the form of one. */
export function splitApiKey(text: string): { id: string; secret: string } | undefined {
  const match = /^isthmus_([0-9a-z]{10,40})_([A-Za-z0-9_-]{20,64})$/.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { id: match[1], secret: match[2] }
}

/** Returns true when the secret is that of the key, compared in constant time, and the key is not revoked. */
export function matchesApiKey(key: ApiKey, secret: string): boolean {
  if (key.revokedAt !== undefined) return false
  return timingSafeEqual(Buffer.from(sha256(secret), 'hex'), Buffer.from(key.hash, 'hex'))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
