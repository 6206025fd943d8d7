import { createHash, randomBytes } from 'node:crypto'

export interface Login {
  username: string
  password: string
}

/** What a 401 asks for, and how often its nonce was used. */
export interface Challenge {
  scheme: 'digest' | 'basic'
  realm: string
  nonce: string
  opaque: string | undefined
  qop: boolean
  session: boolean
  nc: number
}

/** Reads WWW-Authenticate; Digest wins over Basic. undefined: nothing a CPE can answer. */
export function readChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined) return undefined
  const at = header.search(/\bDigest\s/i)
  if (at < 0) {
    if (!/\bBasic\b/i.test(header)) return undefined
    return { scheme: 'basic', realm: '', nonce: '', opaque: undefined, qop: false, session: false, nc: 0 }
  }
  const text = header.slice(at)
  const field = (name: string): string | undefined => {
    const match = new RegExp(`(?:^|[\\s,])${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,]+))`, 'i').exec(text)
    return match?.[1] ?? match?.[2]
  }
  const algorithm = (field('algorithm') ?? 'MD5').toUpperCase()
  if (algorithm !== 'MD5' && algorithm !== 'MD5-SESS') return undefined
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
    session: algorithm === 'MD5-SESS',
    nc: 0,
  }
}

/** The Authorization header for one request (RFC 2617 3.2.2); uses the nonce once more. */
export function authorize(challenge: Challenge, { username, password }: Login, method: string, uri: string): string {
  if (challenge.scheme === 'basic') return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const { realm, nonce, opaque, qop, session } = challenge
  const cnonce = randomBytes(8).toString('hex')
  const secret = md5(`${username}:${realm}:${password}`)
  const ha1 = session ? md5(`${secret}:${nonce}:${cnonce}`) : secret
  const ha2 = md5(`${method}:${uri}`)
  const fields = [
    `username="${quoted(username)}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `algorithm=${session ? 'MD5-sess' : 'MD5'}`,
  ]
  if (qop) {
    const nc = (++challenge.nc).toString(16).padStart(8, '0')
    fields.push(`response="${md5(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`)}"`, 'qop=auth', `nc=${nc}`)
  } else fields.push(`response="${md5(`${ha1}:${nonce}:${ha2}`)}"`)
  if (qop || session) fields.push(`cnonce="${cnonce}"`)
  if (opaque !== undefined) fields.push(`opaque="${opaque}"`)
  return `Digest ${fields.join(', ')}`
}

function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&')
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** The Authorization that a challenge to a file transfer asks for; undefined when it cannot be answered. */
export function authorizeDownload(
  header: string | undefined,
  login: Login,
  method: string,
  uri: string,
): string | undefined {
  const challenge = readChallenge(header)
  return challenge === undefined || login.username === '' ? undefined : authorize(challenge, login, method, uri)
}
