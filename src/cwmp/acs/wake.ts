import { type Clock, errorText, type Log, type Random } from '../../base/index.ts'
import type { CredentialStore, Device, DeviceId, Driver, WakeOutcome } from '../../device/index.ts'
import { type CrAnswer, get } from './cr-http.ts'
import { digestResponse } from './digest.ts'

/** A box that accepted is not asked again for this long (TR-069 3.2.2: it opens its session within 30 s). */
const QUIET_MS = 30_000
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
  readonly #allowBasicOverHttp: boolean
  readonly #askedAt = new Map<DeviceId, number>()
  readonly #underWay = new Map<DeviceId, Promise<WakeOutcome>>()

  constructor(options: {
    credentials: CredentialStore
    clock: Clock
    random: Random
    log: Log
    isHere(id: DeviceId): boolean
    /** Answer Basic challenges without TLS, too. */
    allowBasicOverHttp?: boolean
  }) {
    this.#credentials = options.credentials
    this.#clock = options.clock
    this.#random = options.random
    this.#log = options.log
    this.#isHere = options.isHere
    this.#allowBasicOverHttp = options.allowBasicOverHttp === true
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
      const outcome = await this.#exchange(url, device.cwmp?.remoteAddress, login)
      if (outcome === 'accepted') this.#note(device.id)
      this.#log.debug({ deviceId: device.id, outcome }, 'connection request')
      return outcome
    } catch (error) {
      // Unreachable is no fault of the box: it may stand behind NAT.
      this.#log.debug({ deviceId: device.id, reason: errorText(error) }, 'connection request failed')
      return 'unreachable'
    }
  }

  async #exchange(url: URL, peer: string | undefined, login: Login | undefined): Promise<WakeOutcome> {
    let answer = await get(url, peer, undefined)
    // Twice: a nonce may have grown old on the way.
    for (let attempt = 1; answer.status === 401 && login !== undefined && attempt <= 2; attempt++) {
      if (attempt > 1 && !/stale\s*=\s*"?true/i.test(answer.challenge ?? '')) break
      const header = this.#authorization(url, login, answer)
      if (header === undefined) break
      const send = () => get(url, peer, header)
      // Some boxes close after the 401 although they said nothing of it.
      answer = await send().catch(send)
    }
    return outcomeOf(answer.status)
  }

  /** The answer to a challenge: Digest where it is offered; Basic only where nobody can read it, or where that is allowed. */
  #authorization(url: URL, { username, password }: Login, { challenge: header }: CrAnswer): string | undefined {
    const challenge = parseChallenge(header)
    if (challenge === undefined) {
      const basic = /(^|,)\s*Basic\b/i.test(header ?? '') && (url.protocol === 'https:' || this.#allowBasicOverHttp)
      return basic ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` : undefined
    }
    const uri = url.pathname + url.search
    const fields = {
      ...challenge,
      uri,
      nc: '00000001',
      cnonce: Buffer.from(this.#random.bytes(8)).toString('hex'),
    }
    const response = digestResponse(username, password, 'GET', fields)
    const qop = fields.qop === undefined ? '' : `, qop=${fields.qop}, nc=${fields.nc}, cnonce="${fields.cnonce}"`
    const opaque = challenge.opaque === undefined ? '' : `, opaque="${challenge.opaque}"`
    return `Digest username="${quoted(username)}", realm="${fields.realm}", nonce="${fields.nonce}", uri="${uri}", algorithm=${fields.algorithm}, response="${response}"${qop}${opaque}`
  }

  #note(id: DeviceId): void {
    this.#askedAt.set(id, this.#clock.now())
    if (this.#askedAt.size > MAX_TRACKED) {
      const oldest = this.#askedAt.keys().next()
      if (oldest.done !== true) this.#askedAt.delete(oldest.value)
    }
  }
}

interface Login {
  username: string
  password: string
}

function outcomeOf(status: number): WakeOutcome {
  if (status === 200 || status === 204) return 'accepted'
  if (status === 401) return 'unauthorized'
  return status === 503 ? 'busy' : 'unreachable'
}

/** Only http and https with a host and a real port; a login in the URL is not ours to send. */
function usableUrl(text: string | undefined): URL | undefined {
  if (text === undefined || text.length > 512 || !URL.canParse(text)) return undefined
  const url = new URL(text)
  url.username = ''
  url.password = ''
  return /^https?:$/.test(url.protocol) && url.hostname !== '' && url.port !== '0' ? url : undefined
}

function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&')
}

/** The Digest challenge among those of a header; boxes offer several in one. */
function parseChallenge(
  header: string | undefined,
): { realm: string; nonce: string; algorithm: string; qop?: string; opaque?: string } | undefined {
  const own = /(?:^|,)\s*Digest\s+(.*)$/is.exec(header ?? '')?.[1]?.split(/,\s*Basic\b/i)[0]
  if (own === undefined) return undefined
  const field = (name: string) =>
    new RegExp(`(?:^|[\\s,])${name}\\s*=\\s*(?:"([^"]*)"|([^\\s,]+))`, 'i')
      .exec(own)
      ?.slice(1)
      .find((value) => value !== undefined)
  const realm = field('realm')
  const nonce = field('nonce')
  if (realm === undefined || nonce === undefined) return undefined
  const algorithm = (field('algorithm') ?? 'MD5').toUpperCase()
  const offered = field('qop')
    ?.split(',')
    .map((item) => item.trim().toLowerCase())
  const qop = ['auth', 'auth-int'].find((name) => offered?.includes(name))
  const opaque = field('opaque')
  return {
    realm,
    nonce,
    algorithm,
    ...(qop === undefined ? {} : { qop }),
    ...(opaque === undefined ? {} : { opaque }),
  }
}
