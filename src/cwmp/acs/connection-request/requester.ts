import { BoundedMap, type Clock, type Log, type Networks, type Random } from '../../../base/index.ts'
import type {
  ConnectionRequestOutcome,
  CredentialStore,
  CwmpLogin,
  Device,
  DeviceId,
  Driver,
  WakeOutcome,
} from '../../../domain/index.ts'
import { ALGORITHMS, digestResponse } from '../login/digest.ts'
import { type Askable, type CrAnswer, get, noAnswer } from './request-http.ts'
import type { RequestEnd, RequestNotes } from './request-notes.ts'

/** Time in which a CPE that accepted a request is not asked again (TR-069 3.2.2: it opens its session within 30 s). */
const QUIET_MS = 30_000
const MAX_TRACKED = 100_000

/** Sends HTTP connection requests to absent CPE (TR-069 3.2.2), one at a time per CPE. */
export class ConnectionRequester implements Driver {
  readonly protocol = 'cwmp' as const
  readonly #credentials: Pick<CredentialStore, 'get'>
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #notes: Pick<RequestNotes, 'note'>
  /** Returns true while the CPE has a session here. */
  readonly #isHere: (id: DeviceId) => boolean
  readonly #allowBasicOverHttp: boolean
  readonly #allowed: Networks | undefined
  readonly #askedAt = new BoundedMap<DeviceId, number>(MAX_TRACKED)
  readonly #underWay = new Map<DeviceId, Promise<WakeOutcome>>()

  constructor(options: {
    credentials: Pick<CredentialStore, 'get'>
    clock: Clock
    random: Random
    log: Log
    notes: Pick<RequestNotes, 'note'>
    isHere(id: DeviceId): boolean
    /** Answer Basic challenges without TLS, too. */
    allowBasicOverHttp?: boolean
    /** Networks to which connection requests may go, besides the address from which the CPE has connected. */
    connectionRequestNetworks?: Networks
  }) {
    this.#credentials = options.credentials
    this.#clock = options.clock
    this.#random = options.random
    this.#log = options.log
    this.#notes = options.notes
    this.#isHere = options.isHere
    this.#allowBasicOverHttp = options.allowBasicOverHttp === true
    this.#allowed = options.connectionRequestNetworks
  }

  wake(device: Device): Promise<WakeOutcome> {
    if (this.#isHere(device.id)) return Promise.resolve('alreadyHere')
    const underWay = this.#underWay.get(device.id)
    if (underWay !== undefined) return underWay
    const asked = this.#askedAt.get(device.id)
    // The record of a CPE shows that it has connected to another instance.
    const hasCome = asked !== undefined && (device.cwmp?.lastInformAt ?? 0) >= asked
    if (asked !== undefined && !hasCome && this.#clock.now() - asked < QUIET_MS) return Promise.resolve('tooSoon')
    const run = this.#ask(device).finally(() => this.#underWay.delete(device.id))
    this.#underWay.set(device.id, run)
    return run
  }

  /** The CPE has connected: the next request may be sent at once. */
  came(id: DeviceId): void {
    this.#askedAt.delete(id)
  }

  async #ask(device: Device): Promise<ConnectionRequestOutcome> {
    // The CPE may have opened its session before its answer to this is read here.
    const at = this.#clock.now()
    const end = await this.#request(device)
    if (end.outcome === 'ok') this.#askedAt.set(device.id, at)
    this.#log.debug({ deviceId: device.id, ...end }, 'connection request')
    await this.#notes.note(device, end)
    return end.outcome
  }

  async #request(device: Device): Promise<RequestEnd> {
    const url = usableUrl(device.cwmp?.connectionRequestUrl)
    if (url === undefined) return { outcome: 'noUrl' }
    const login = (await this.#credentials.get(device.id))?.connectionRequest
    try {
      return await this.#exchange(url, { peer: device.cwmp?.remoteAddress, allowed: this.#allowed }, login)
    } catch (error) {
      // No fault of the CPE: it may stand behind NAT.
      const { outcome, message } = noAnswer(error)
      return { outcome, reason: message }
    }
  }

  async #exchange(url: URL, askable: Askable, login: CwmpLogin | undefined): Promise<RequestEnd> {
    let answer = await get(url, askable, undefined)
    // Twice: a nonce may have grown old on the way.
    for (let attempt = 1; answer.status === 401; attempt++) {
      if (login === undefined) return { outcome: 'noCredential', status: 401 }
      if (attempt > 2 || (attempt > 1 && !/stale\s*=\s*"?true/i.test(answer.challenge ?? ''))) break
      const header = this.#authorization(url, login, answer)
      if (header === undefined)
        return { outcome: /\bBasic\b/i.test(answer.challenge ?? '') ? 'basicOnly' : 'unauthorized', status: 401 }
      const send = () => get(url, askable, header)
      // Some CPE close after the 401 without having announced it.
      answer = await send().catch(send)
    }
    return { outcome: outcomeOf(answer.status), status: answer.status }
  }

  /** Returns the answer to a challenge: Digest where it is offered; Basic only over TLS, or where that is allowed. */
  #authorization(url: URL, { username, password }: CwmpLogin, { challenge: header }: CrAnswer): string | undefined {
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
    const asked = `realm="${fields.realm}", nonce="${fields.nonce}", uri="${uri}", algorithm=${fields.algorithm}`
    return `Digest username="${quoted(username)}", ${asked}, response="${response}"${qop}${opaque}`
  }
}

function outcomeOf(status: number): ConnectionRequestOutcome {
  const known = STATUSES[status]
  if (known !== undefined) return known
  if (status >= 300 && status < 400) return 'redirected'
  if (status >= 500) return 'http5xx'
  return status >= 400 ? 'http4xx' : 'http2xx'
}

const STATUSES: Record<number, ConnectionRequestOutcome> = {
  200: 'ok',
  204: 'ok',
  401: 'unauthorized',
  403: 'forbidden',
  503: 'busy',
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

interface DigestChallenge {
  realm: string
  nonce: string
  algorithm: string
  qop?: string
  opaque?: string
}

/**
 * The first Digest challenge of a header that can be answered here; CPE offer several in one, of several schemes and
 * algorithms.
 */
function parseChallenge(header: string | undefined): DigestChallenge | undefined {
  const [, ...challenges] = (header ?? '').split(/(?:^|,)\s*Digest\s+/i)
  for (const text of challenges) {
    const challenge = parseDigest(text.split(/,\s*Basic\b/i)[0] ?? '')
    if (challenge !== undefined && ALGORITHMS.has(challenge.algorithm)) return challenge
  }
  return undefined
}

function parseDigest(text: string): DigestChallenge | undefined {
  const field = (name: string) =>
    new RegExp(`(?:^|[\\s,])${name}\\s*=\\s*(?:"([^"]*)"|([^\\s,]+))`, 'i')
      .exec(text)
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
