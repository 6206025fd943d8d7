import { hash as hashOf, timingSafeEqual } from 'node:crypto'

/** The content of an Authorization header, before it is checked. */
export type Authorization =
  | { scheme: 'basic'; username: string; password: string }
  | { scheme: 'digest'; username: string; fields: DigestFields }

interface DigestFields {
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
const DIGEST = /^Digest\s/i
const DIRECTIVE = /([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi

/** Reads an Authorization header (RFC 2617); undefined when it is missing or makes no sense. */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined
  if (!DIGEST.test(header)) return basicIn(header)
  const found = directivesIn(header.slice(7))
  const username = found.get('username')
  const realm = found.get('realm')
  const nonce = found.get('nonce')
  const uri = found.get('uri')
  const response = found.get('response')
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

function basicIn(header: string): Authorization | undefined {
  const basic = /^Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(header)
  if (basic?.[1] === undefined) return undefined
  const text = Buffer.from(basic[1], 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { scheme: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** The directives of a Digest header by their names in lower case; of two with one name, the last. */
function directivesIn(text: string): Map<string, string> {
  const found = new Map<string, string>()
  // `matchAll` makes a new expression at each call.
  DIRECTIVE.lastIndex = 0
  for (let match = DIRECTIVE.exec(text); match !== null; match = DIRECTIVE.exec(text)) {
    const [, name = '', quoted, token = ''] = match
    const value = quoted === undefined ? token : quoted.includes('\\') ? quoted.replace(/\\(.)/g, '$1') : quoted
    found.set(name.toLowerCase(), value)
  }
  return found
}

/** Algorithms that can be computed here, by their names in upper case (RFC 7616 3.3). */
export const ALGORITHMS: ReadonlySet<string> = new Set(['MD5', 'MD5-SESS', 'SHA-256', 'SHA-256-SESS'])

/** The response a client must give (RFC 7616 3.4.1), with qop auth, auth-int of an empty body, or none (RFC 2069). */
export function digestResponse(
  username: string,
  password: string,
  method: string,
  fields: Omit<DigestFields, 'response'>,
): string {
  const hash = fields.algorithm.startsWith('SHA-256') ? sha256 : md5
  let ha1 = hash(`${username}:${fields.realm}:${password}`)
  if (fields.algorithm.endsWith('-SESS')) ha1 = hash(`${ha1}:${fields.nonce}:${fields.cnonce ?? ''}`)
  const ha2 = hash(`${method}:${fields.uri}${fields.qop === 'auth-int' ? `:${hash('')}` : ''}`)
  if (fields.qop === undefined) return hash(`${ha1}:${fields.nonce}:${ha2}`)
  return hash(`${ha1}:${fields.nonce}:${fields.nc ?? ''}:${fields.cnonce ?? ''}:${fields.qop}:${ha2}`)
}

/**
 * Returns true when the response proves the password. Its length selects the hash: some clients name an algorithm that
 * they did not use.
 */
export function proves(username: string, password: string, method: string, fields: DigestFields): boolean {
  const session = fields.algorithm.endsWith('-SESS') ? '-SESS' : ''
  const algorithm = `${fields.response.length === 64 ? 'SHA-256' : 'MD5'}${session}`
  return sameText(fields.response, digestResponse(username, password, method, { ...fields, algorithm }))
}

function md5(text: string): string {
  return hashOf('md5', text)
}

function sha256(text: string): string {
  return hashOf('sha256', text)
}

/** Equal in constant time. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
