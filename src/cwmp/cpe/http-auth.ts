import { createHash, randomBytes } from 'node:crypto'

export interface Login {
  username: string
  password: string
}

/** Hashes by the names of RFC 7616 3.3, in upper case and without `-SESS`. */
const HASHES = {
  MD5: (text: string) => createHash('md5').update(text).digest('hex'),
  'SHA-256': (text: string) => createHash('sha256').update(text).digest('hex'),
}
type Algorithm = keyof typeof HASHES

/** The challenge of a 401, and the number of times its nonce was used. */
export interface Challenge {
  scheme: 'digest' | 'basic'
  realm: string
  nonce: string
  opaque: string | undefined
  qop: boolean
  algorithm: Algorithm
  session: boolean
  nc: number
}

/**
 * Reads WWW-Authenticate: the first Digest challenge with a known algorithm (RFC 7616 3.7), else Basic. Returns
 * undefined when there is none that a CPE can answer.
 */
export function readChallenge(header: string | undefined): Challenge | undefined {
  const [before = '', ...digests] = (header ?? '').split(/(?:^|[\s,])Digest\s+/i)
  for (const text of digests) {
    const challenge = readDigest(text)
    if (challenge !== undefined) return challenge
  }
  if (digests.length > 0 || !/\bBasic\b/i.test(before)) return undefined
  return {
    scheme: 'basic',
    realm: '',
    nonce: '',
    opaque: undefined,
    qop: false,
    algorithm: 'MD5',
    session: false,
    nc: 0,
  }
}

function readDigest(text: string): Challenge | undefined {
  const field = (name: string): string | undefined => {
    const match = new RegExp(`(?:^|[\\s,])${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,]+))`, 'i').exec(text)
    return match?.[1] ?? match?.[2]
  }
  const name = (field('algorithm') ?? 'MD5').toUpperCase()
  const algorithm = name.replace(/-SESS$/, '')
  if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return undefined
  const qop = field('qop')
  return {
    scheme: 'digest',
    realm: field('realm') ?? '',
    nonce: field('nonce') ?? '',
    opaque: field('opaque'),
    qop:
      qop
        ?.split(',')
        .map((item) => item.trim())
        .includes('auth') ?? false,
    algorithm,
    session: name.endsWith('-SESS'),
    nc: 0,
  }
}

/** Returns the Authorization header for one request (RFC 7616 3.4) and counts one more use of the nonce. */
export function authorize(challenge: Challenge, { username, password }: Login, method: string, uri: string): string {
  if (challenge.scheme === 'basic') return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const { realm, nonce, opaque, qop, algorithm, session } = challenge
  const hash = HASHES[algorithm]
  const cnonce = randomBytes(8).toString('hex')
  const secret = hash(`${username}:${realm}:${password}`)
  const ha1 = session ? hash(`${secret}:${nonce}:${cnonce}`) : secret
  const ha2 = hash(`${method}:${uri}`)
  const fields = [
    `username="${quoted(username)}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `algorithm=${algorithm}${session ? '-sess' : ''}`,
  ]
  if (qop) {
    const nc = (++challenge.nc).toString(16).padStart(8, '0')
    fields.push(`response="${hash(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`)}"`, 'qop=auth', `nc=${nc}`)
  } else fields.push(`response="${hash(`${ha1}:${nonce}:${ha2}`)}"`)
  if (qop || session) fields.push(`cnonce="${cnonce}"`)
  if (opaque !== undefined) fields.push(`opaque="${opaque}"`)
  return `Digest ${fields.join(', ')}`
}

function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&')
}

/** Returns the Authorization header for a file transfer; undefined when the challenge cannot be answered. */
export function authorizeDownload(
  header: string | undefined,
  login: Login,
  method: string,
  uri: string,
): string | undefined {
  const challenge = readChallenge(header)
  return challenge === undefined || login.username === '' ? undefined : authorize(challenge, login, method, uri)
}
