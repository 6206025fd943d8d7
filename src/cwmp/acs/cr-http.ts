import { lookup as resolve } from 'node:dns'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { errorText } from '../../base/index.ts'
import type { ConnectionRequestOutcome } from '../../device/index.ts'

const TIMEOUT_MS = 5000
const MAX_ANSWER = 16_384

/** Addresses at which no box can be: a ConnectionRequestURL that names one would make us ask ourselves or our neighbours. */
const NOBODY = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  NOBODY.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  NOBODY.addSubnet(net, bits, 'ipv6')

/** True of an address that may be asked: no loopback, link-local or multicast one, unless the box itself came from there. */
export function mayBeAsked(address: string, peer: string | undefined): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (plain === peer || !NOBODY.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')) return true
  // A box on this very machine has both loopback addresses.
  return LOOPBACK.test(plain) && LOOPBACK.test(peer ?? '')
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1)$/

/** What came back. */
export interface CrAnswer {
  status: number
  /** All challenges, in one line. */
  challenge: string | undefined
}

/** A connection request that got no answer. */
export class NoAnswer extends Error {
  readonly outcome: ConnectionRequestOutcome

  constructor(outcome: ConnectionRequestOutcome, message: string, options?: ErrorOptions) {
    super(message, options)
    this.outcome = outcome
  }
}

/** One GET without redirects; the body is thrown away, and both its size and the wait are bounded. Rejects with NoAnswer. */
export function get(url: URL, peer: string | undefined, authorization: string | undefined): Promise<CrAnswer> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !mayBeAsked(host, peer)) return Promise.reject(notAllowed())
  return new Promise((done, refuse) => {
    const reject = (error: Error) => refuse(noAnswer(error))
    const headers = { connection: 'close', ...(authorization === undefined ? {} : { authorization }) }
    const options: RequestOptions = { method: 'GET', headers, timeout: TIMEOUT_MS, agent: false, lookup: guarded(peer) }
    const take = (incoming: IncomingMessage) => {
      let size = 0
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAX_ANSWER) outgoing.destroy()
      })
      incoming.on('error', reject)
      incoming.on('close', () =>
        done({ status: incoming.statusCode ?? 0, challenge: incoming.headers['www-authenticate'] }),
      )
    }
    const outgoing = url.protocol === 'https:' ? requestTls(url, options, take) : request(url, options, take)
    const limit = setTimeout(
      () => outgoing.destroy(new NoAnswer('timeout', `no answer within ${TIMEOUT_MS} ms`)),
      TIMEOUT_MS,
    )
    outgoing.on('timeout', () => outgoing.destroy(new NoAnswer('timeout', `no answer within ${TIMEOUT_MS} ms`)))
    outgoing.on('error', reject)
    outgoing.on('close', () => clearTimeout(limit))
    outgoing.end()
  })
}

/** Names are looked up, and what they mean is judged like an address. */
function guarded(peer: string | undefined): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const good = addresses.filter(({ address }) => mayBeAsked(address, peer))
      const [first] = good
      if (first === undefined) return callback(notAllowed(), [])
      return options.all === true ? callback(null, good) : callback(null, first.address, first.family)
    })
  }
}

function notAllowed(): NoAnswer {
  return new NoAnswer('addressNotAllowed', 'the connection request URL names an address at which no CPE can be')
}

const OUTCOMES: Record<string, ConnectionRequestOutcome> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'unknownHost',
  EAI_AGAIN: 'unknownHost',
  EAI_FAIL: 'unknownHost',
}

/** The reason why a request was not answered, from any error. */
export function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const tls = /CERT|SSL|TLS|SELF_SIGNED|ISSUER|SIGNATURE/.test(code)
  return new NoAnswer(OUTCOMES[code] ?? (tls ? 'tls' : 'unreachable'), errorText(error), { cause: error })
}
