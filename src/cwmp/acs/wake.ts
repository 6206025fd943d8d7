import { type IncomingMessage, request } from 'node:http'
import { type Clock, errorText, type Log, type Random } from '../../base/index.ts'
import type { CredentialStore, Device, DeviceId, Driver, WakeOutcome } from '../../device/index.ts'
import { digestResponse } from './digest.ts'

/** A box that accepted is not asked again for this long (TR-069 3.2.2: it opens its session within 30 s). */
const QUIET_MS = 30_000
const TIMEOUT_MS = 5000
const MAX_TRACKED = 100_000

/** Asks absent CPE to come: HTTP connection requests (TR-069 3.2.2), one at a time per box. */
export class ConnectionRequester implements Driver {
  readonly protocol = 'cwmp' as const
  readonly #credentials: CredentialStore
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  /** True while the box has a session here. */
  readonly #isHere: (id: DeviceId) => boolean
  readonly #askedAt = new Map<DeviceId, number>()
  readonly #underWay = new Map<DeviceId, Promise<WakeOutcome>>()

  constructor(options: {
    credentials: CredentialStore
    clock: Clock
    random: Random
    log: Log
    isHere(id: DeviceId): boolean
  }) {
    this.#credentials = options.credentials
    this.#clock = options.clock
    this.#random = options.random
    this.#log = options.log
    this.#isHere = options.isHere
  }

  wake(device: Device): Promise<WakeOutcome> {
    if (this.#isHere(device.id)) return Promise.resolve('alreadyHere')
    const underWay = this.#underWay.get(device.id)
    if (underWay !== undefined) return underWay
    const asked = this.#askedAt.get(device.id)
    if (asked !== undefined && this.#clock.now() - asked < QUIET_MS) return Promise.resolve('tooSoon')
    const run = this.#ask(device).finally(() => this.#underWay.delete(device.id))
    this.#underWay.set(device.id, run)
    return run
  }

  /** The box came: the next request may be asked at once. */
  came(id: DeviceId): void {
    this.#askedAt.delete(id)
  }

  async #ask(device: Device): Promise<WakeOutcome> {
    const url = usableUrl(device.cwmp?.connectionRequestUrl)
    if (url === undefined) return 'notSupported'
    const login = (await this.#credentials.get(device.id))?.connectionRequest
    try {
      const outcome = await this.#exchange(url, login)
      if (outcome === 'accepted') this.#note(device.id)
      this.#log.debug({ deviceId: device.id, outcome }, 'connection request')
      return outcome
    } catch (error) {
      // Unreachable is no fault of the box: it may stand behind NAT.
      this.#log.debug({ deviceId: device.id, reason: errorText(error) }, 'connection request failed')
      return 'unreachable'
    }
  }

  async #exchange(url: URL, login: { username: string; password: string } | undefined): Promise<WakeOutcome> {
    const first = await get(url, undefined)
    if (first.status !== 401) return outcomeOf(first.status)
    const challenge = login === undefined ? undefined : parseChallenge(first.challenge)
    if (challenge === undefined || login === undefined) return 'unauthorized'
    const target = url.pathname + url.search
    const fields = {
      ...challenge,
      uri: target,
      nc: '00000001',
      cnonce: Buffer.from(this.#random.bytes(8)).toString('hex'),
    }
    const response = digestResponse(login.username, login.password, 'GET', fields)
    const qop = fields.qop === undefined ? '' : `, qop=${fields.qop}, nc=${fields.nc}, cnonce="${fields.cnonce}"`
    const opaque = challenge.opaque === undefined ? '' : `, opaque="${challenge.opaque}"`
    const header = `Digest username="${login.username}", realm="${fields.realm}", nonce="${fields.nonce}", uri="${target}", algorithm=${fields.algorithm}, response="${response}"${qop}${opaque}`
    const send = () => get(url, header)
    // Some boxes close after the 401 although they said nothing of it.
    const second = await send().catch(send)
    return second.status === 401 ? 'unauthorized' : outcomeOf(second.status)
  }

  #note(id: DeviceId): void {
    this.#askedAt.set(id, this.#clock.now())
    if (this.#askedAt.size > MAX_TRACKED) {
      const oldest = this.#askedAt.keys().next()
      if (oldest.done !== true) this.#askedAt.delete(oldest.value)
    }
  }
}

function outcomeOf(status: number): WakeOutcome {
  if (status === 200 || status === 204) return 'accepted'
  return status === 503 ? 'busy' : 'unreachable'
}

/** Only http with a host and a real port: anything else was never reachable, or is bait. */
function usableUrl(text: string | undefined): URL | undefined {
  if (text === undefined || text.length > 512 || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'http:' && url.hostname !== '' && url.port !== '0' ? url : undefined
}

function parseChallenge(
  header: string | undefined,
): { realm: string; nonce: string; algorithm: string; qop?: string; opaque?: string } | undefined {
  if (header === undefined || !/^Digest\s/i.test(header)) return undefined
  const field = (name: string) =>
    new RegExp(`${name}\\s*=\\s*(?:"([^"]*)"|([^\\s,]+))`, 'i')
      .exec(header)
      ?.slice(1)
      .find((value) => value !== undefined)
  const realm = field('realm')
  const nonce = field('nonce')
  if (realm === undefined || nonce === undefined) return undefined
  const algorithm = (field('algorithm') ?? 'MD5').toUpperCase()
  const offered = field('qop')
  const opaque = field('opaque')
  return {
    realm,
    nonce,
    algorithm,
    ...(offered?.split(',').some((item) => item.trim() === 'auth') === true ? { qop: 'auth' } : {}),
    ...(opaque === undefined ? {} : { opaque }),
  }
}

/** One GET without redirects; the body is thrown away, and both its size and the wait are bounded. */
function get(url: URL, authorization: string | undefined): Promise<{ status: number; challenge: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { connection: 'close', ...(authorization === undefined ? {} : { authorization }) }
    const outgoing = request(
      url,
      { method: 'GET', headers, timeout: TIMEOUT_MS, agent: false },
      (incoming: IncomingMessage) => {
        let size = 0
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > 16_384) outgoing.destroy()
        })
        incoming.on('error', reject)
        incoming.on('close', () =>
          resolve({ status: incoming.statusCode ?? 0, challenge: incoming.headers['www-authenticate'] }),
        )
      },
    )
    const limit = setTimeout(() => outgoing.destroy(new Error('no answer in time')), TIMEOUT_MS)
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', reject)
    outgoing.on('close', () => clearTimeout(limit))
    outgoing.end()
  })
}
