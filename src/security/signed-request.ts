import { createHash, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'
import { AppError } from '../base/index.ts'

/** The parts of an HTTP request that its signature covers. */
export interface RequestParts {
  method: string
  /** Path, and the query behind it with its `?`; '' without a query. */
  path: string
  query: string
}

/** A signature as its headers show it, before it is verified. */
export interface ShownSignature {
  /** Serial number of the certificate whose key signed. */
  keyId: string
  /** Seconds since 1970. */
  created: number
  /** The value of Content-Digest that is signed; undefined: none is. */
  digest: string | undefined
  /** The value of `@signature-params`. */
  params: string
  signature: Buffer
}

/** Headers of HTTP, by lower-case name. */
type Headers = (name: string) => string | undefined

const LABEL = 'isthmus'
const ALGORITHM = 'ecdsa-p256-sha256'
const INPUT =
  /^isthmus=(\("@method" "@path" "@query"( "content-digest")?\);created=(\d{1,12});keyid="([0-9a-f]{1,40})";alg="ecdsa-p256-sha256")$/
const SIGNATURE = /^isthmus=:([A-Za-z0-9+/]{86}==):$/
/** A signature is accepted for this time before and after the time that it names. */
const WINDOW_MS = 300_000

/**
 * Returns the headers that sign a request (RFC 9421, HTTP Message Signatures) with ECDSA on P-256: method, path, query,
 * and the digest of the body where there is one (RFC 9530).
 */
export function signRequest(
  parts: RequestParts,
  { body, keyId, key, now }: { body?: string | undefined; keyId: string; key: KeyObject; now: number },
): Record<string, string> {
  const digest = body === undefined ? undefined : contentDigest(Buffer.from(body))
  const covered = ['"@method"', '"@path"', '"@query"', ...(digest === undefined ? [] : ['"content-digest"'])].join(' ')
  const params = `(${covered});created=${Math.floor(now / 1000)};keyid="${keyId}";alg="${ALGORITHM}"`
  const signature = sign('sha256', baseOf(parts, digest, params), { key, dsaEncoding: 'ieee-p1363' })
  return {
    ...(digest === undefined ? {} : { 'content-digest': digest }),
    'signature-input': `${LABEL}=${params}`,
    signature: `${LABEL}=:${signature.toString('base64')}:`,
  }
}

/** Returns the signature that the headers of a request show. AppError `unauthorized` when they show none of this form. */
export function readSignature(header: Headers): ShownSignature {
  const input = INPUT.exec(header('signature-input') ?? '')
  const signature = SIGNATURE.exec(header('signature') ?? '')
  if (input === null || signature === null)
    throw new AppError('unauthorized', 'the request is not signed with the key of a bridge (RFC 9421)')
  const [, params = '', hasDigest, created, keyId = ''] = input
  const digest = hasDigest === undefined ? undefined : (header('content-digest') ?? '')
  return { keyId, created: Number(created), digest, params, signature: Buffer.from(signature[1] ?? '', 'base64') }
}

/** AppError `unauthorized` when the key did not sign these parts, or not about now. */
export function verifySignature(shown: ShownSignature, parts: RequestParts, key: KeyObject, now: number): void {
  const { digest, params, signature, created } = shown
  if (!verify('sha256', baseOf(parts, digest, params), { key, dsaEncoding: 'ieee-p1363' }, signature))
    throw new AppError('unauthorized', 'the signature of the request is not that of the key that it names')
  // With a good signature, so that the text shows a clock that is wrong and nothing else.
  if (Math.abs(now - created * 1000) > WINDOW_MS)
    throw new AppError(
      'unauthorized',
      `the request was signed at ${new Date(created * 1000).toISOString()}, and it is ${new Date(now).toISOString()}: set the clock of the bridge`,
    )
}

/** Returns the value of Content-Digest (RFC 9530) for a body. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}

/** Returns true when a body has the digest that a header names; other algorithms than SHA-256 are not known. */
export function hasDigest(body: Uint8Array, header: string): boolean {
  const [own, shown] = [Buffer.from(contentDigest(body)), Buffer.from(header)]
  return own.length === shown.length && timingSafeEqual(own, shown)
}

/** The signature base of RFC 9421 2.5. */
function baseOf({ method, path, query }: RequestParts, digest: string | undefined, params: string): Buffer {
  const lines = [
    `"@method": ${method}`,
    `"@path": ${path}`,
    `"@query": ${query === '' ? '?' : query}`,
    ...(digest === undefined ? [] : [`"content-digest": ${digest}`]),
    `"@signature-params": ${params}`,
  ]
  return Buffer.from(lines.join('\n'))
}
