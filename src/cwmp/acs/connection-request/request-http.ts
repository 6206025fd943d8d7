import { lookup as resolve } from 'node:dns'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { errorText, groupsOf, type Networks, plainAddress, shareOf } from '../../../base/index.ts'
import type { ConnectionRequestOutcome } from '../../../domain/index.ts'

const TIMEOUT_MS = 5000
const MAX_ANSWER = 16_384

function listOf(nets: readonly (readonly [net: string, bits: number])[]): BlockList {
  const list = new BlockList()
  for (const [net, bits] of nets) list.addSubnet(net, bits, isIP(net) === 6 ? 'ipv6' : 'ipv4')
  return list
}

/**
 * Addresses that are refused unless the CPE has connected from one: a URL that names one would make the server call
 * itself or its neighbours.
 */
const NOBODY = listOf([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['fe80::', 10],
  ['ff00::', 8],
])

/**
 * Addresses that are always refused: cloud services that give secrets to any caller, and forms that hide an IPv4
 * address.
 */
const NEVER = listOf([
  // Metadata of AWS, Azure, Google and others; of containers; of Alibaba, Azure (wire server), Oracle; over IPv6 of AWS
  // and Google.
  ['169.254.169.0', 24],
  ['169.254.170.0', 24],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.0', 24],
  ['fd00:ec2::', 32],
  ['fd20:ce::', 32],
  ['fe80::a9fe:a9fe', 128],
  // NAT64 (RFC 6052, RFC 8215), IPv4-compatible, IPv4-translated (RFC 2765), Teredo (RFC 4380), 6to4 (RFC 3056).
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['2001::', 32],
  ['2002::', 16],
])

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1)$/

/**
 * Returns true for an address to which a connection request may go: the one from which the CPE has connected (over IPv6
 * its network of 64 bits), and those of allowed networks. Loopback, link-local and multicast addresses only when the
 * CPE itself has connected from there; metadata services and tunnel forms never.
 */
export function mayBeAsked(address: string, peer: string | undefined, allowed?: Networks): boolean {
  const plain = unmapped(address)
  const from = peer === undefined ? undefined : unmapped(peer)
  const version = isIP(plain)
  if (version === 0) return false
  // A CPE on this very machine has both loopback addresses.
  if (LOOPBACK.test(plain)) return LOOPBACK.test(from ?? '')
  const family = version === 6 ? 'ipv6' : 'ipv4'
  if (NEVER.check(plain, family) || isIsatap(plain)) return false
  if (plain === from) return true
  if (NOBODY.check(plain, family)) return false
  if (version === 6 && from !== undefined && shareOf(plain) === shareOf(from)) return true
  return allowed?.has(plain) === true
}

/** An IPv4 address that is mapped into IPv6, as IPv4, in any spelling; IPv6 in one spelling. */
function unmapped(address: string): string {
  const plain = plainAddress(address)
  if (isIP(plain) !== 6) return plain
  const groups = groupsOf(plain)
  const [high = 0, low = 0] = groups.slice(6)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  return new URL(`http://[${plain}]`).hostname.slice(1, -1)
}

/** An interface identifier that carries an IPv4 address (RFC 5214 6.1). */
function isIsatap(address: string): boolean {
  if (isIP(address) !== 6) return false
  const groups = groupsOf(address)
  return groups[5] === 0x5efe && (groups[4] === 0 || groups[4] === 0x200)
}

/**
 * The addresses to which connection requests may go: the one from which the CPE has connected, and networks that are
 * allowed for all.
 */
export interface Askable {
  peer: string | undefined
  allowed: Networks | undefined
}

/** The answer of the CPE. */
export interface CrAnswer {
  status: number
  /** All challenges, in one line. */
  challenge: string | undefined
}

/** A connection request that got no answer. */
class NoAnswer extends Error {
  readonly outcome: ConnectionRequestOutcome

  constructor(outcome: ConnectionRequestOutcome, message: string, options?: ErrorOptions) {
    super(message, options)
    this.outcome = outcome
  }
}

/**
 * One GET without redirects; the body is thrown away, and both its size and the wait are bounded. Rejects with
 * NoAnswer.
 */
export function get(url: URL, { peer, allowed }: Askable, authorization: string | undefined): Promise<CrAnswer> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !mayBeAsked(host, peer, allowed)) return Promise.reject(notAllowed())
  return new Promise((done, refuse) => {
    const reject = (error: Error) => refuse(noAnswer(error))
    const headers = { connection: 'close', ...(authorization === undefined ? {} : { authorization }) }
    const options: RequestOptions = {
      method: 'GET',
      headers,
      timeout: TIMEOUT_MS,
      agent: false,
      lookup: guarded({ peer, allowed }),
    }
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
function guarded({ peer, allowed }: Askable): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const good = addresses.filter(({ address }) => mayBeAsked(address, peer, allowed))
      const [first] = good
      if (first === undefined) return callback(notAllowed(), [])
      return options.all === true ? callback(null, good) : callback(null, first.address, first.family)
    })
  }
}

function notAllowed(): NoAnswer {
  return new NoAnswer(
    'addressNotAllowed',
    'the connection request URL names an address that is neither the one the CPE came from nor in an allowed network',
  )
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
