import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock, Random } from '../../base/index.ts'

/** What an Authorization header says, before anything is believed. */
export type Authorization =
  | { scheme: 'basic'; username: string; password: string }
  | { scheme: 'digest'; username: string; fields: DigestFields }

export interface DigestFields {
  realm: string
  nonce: string
  uri: string
  response: string
  algorithm: string
  qop?: string
  nc?: string
  cnonce?: string
}

const MAX_HEADER = 2048
const NONCE_LIFE_MS = 300_000
const MAX_TRACKED_NONCES = 50_000

/** Reads an Authorization header (RFC 2617); undefined when it is missing or makes no sense. */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined
  const basic = /^Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(header)
  if (basic?.[1] !== undefined) {
    const text = Buffer.from(basic[1], 'base64').toString('utf8')
    const colon = text.indexOf(':')
    return colon < 0 ? undefined : { scheme: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  if (!/^Digest\s/i.test(header)) return undefined
  const found = new Map<string, string>()
  for (const match of header.slice(7).matchAll(/([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
    found.set((match[1] ?? '').toLowerCase(), match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '')
  }
  const [username, realm, nonce, uri, response] = ['username', 'realm', 'nonce', 'uri', 'response'].map((name) =>
    found.get(name),
  )
  if (
    username === undefined ||
    realm === undefined ||
    nonce === undefined ||
    uri === undefined ||
    response === undefined
  )
    return undefined
  const fields: DigestFields = {
    realm,
    nonce,
    uri,
    response: response.toLowerCase(),
    algorithm: (found.get('algorithm') ?? 'MD5').toUpperCase(),
  }
  for (const name of ['qop', 'nc', 'cnonce'] as const) {
    const value = found.get(name)
    if (value !== undefined) fields[name] = value
  }
  return { scheme: 'digest', username, fields }
}

/** The response a client must give (RFC 2617 3.2.2) for MD5 and MD5-sess, with qop auth, auth-int of an empty body, or none. */
export function digestResponse(
  username: string,
  password: string,
  method: string,
  fields: Omit<DigestFields, 'response'>,
): string {
  let ha1 = md5(`${username}:${fields.realm}:${password}`)
  if (fields.algorithm === 'MD5-SESS') ha1 = md5(`${ha1}:${fields.nonce}:${fields.cnonce ?? ''}`)
  const ha2 = md5(`${method}:${fields.uri}${fields.qop === 'auth-int' ? `:${md5('')}` : ''}`)
  if (fields.qop === undefined) return md5(`${ha1}:${fields.nonce}:${ha2}`)
  return md5(`${ha1}:${fields.nonce}:${fields.nc ?? ''}:${fields.cnonce ?? ''}:${fields.qop}:${ha2}`)
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** Equal in constant time. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

/** How a nonce fares: fresh, known but too old or used up (the client should take a new one), or not ours. */
export type NonceState = 'fresh' | 'stale' | 'forged'

/**
 * Nonces that carry their own time under an HMAC: they work over a new TCP connection and cost no memory until used. The highest nonce count
 * seen is kept per nonce, so a request cannot be played again.
 */
export class Nonces {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: Uint8Array
  readonly #counts = new Map<string, number>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
    this.#key = random.bytes(32)
  }

  issue(): string {
    const body = `${this.#clock.now().toString(36)}.${Buffer.from(this.#random.bytes(6)).toString('hex')}`
    return `${body}.${this.#sign(body)}`
  }

  /** Checks a nonce and, with a nonce count, that it goes up. */
  check(nonce: string, nc: string | undefined): NonceState {
    const cut = nonce.lastIndexOf('.')
    const body = nonce.slice(0, cut)
    if (cut < 0 || !sameText(nonce.slice(cut + 1), this.#sign(body))) return 'forged'
    const issuedAt = Number.parseInt(body, 36)
    if (this.#clock.now() - issuedAt > NONCE_LIFE_MS) return 'stale'
    if (nc === undefined) return 'fresh'
    const count = /^[0-9a-f]{1,8}$/i.test(nc) ? Number.parseInt(nc, 16) : 0
    if (count <= (this.#counts.get(nonce) ?? 0)) return 'stale'
    this.#counts.delete(nonce)
    this.#counts.set(nonce, count)
    if (this.#counts.size > MAX_TRACKED_NONCES) {
      const oldest = this.#counts.keys().next()
      if (oldest.done !== true) this.#counts.delete(oldest.value)
    }
    return 'fresh'
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url').slice(0, 22)
  }
}
