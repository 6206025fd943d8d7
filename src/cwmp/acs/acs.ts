import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Clock,
  clientAddress,
  endsWithin,
  type Lifecycle,
  type Log,
  limitLines,
  type Networks,
  ProtocolError,
  type Random,
  systemClock,
} from '../../base/index.ts'
import {
  type ConnectionRequestOutcome,
  type CredentialStore,
  type Device,
  type DeviceId,
  type DeviceIdentity,
  type DeviceStore,
  type Driver,
  hasEvent,
  type InformFacts,
  type MappingCoverage,
  type ParameterStore,
  type Upward,
} from '../../domain/index.ts'
import { type CwmpEnvelope, encodeEnvelope, faultRow, type RequestOf, RPCS } from '../wire/index.ts'
import { AcsTurn } from './acs-turn.ts'
import { RequestNotes } from './connection-request/request-notes.ts'
import { ConnectionRequester } from './connection-request/requester.ts'
import { Discoveries } from './discovery/discoveries.ts'
import type { DiscoveryMode } from './discovery/walk.ts'
import { BodyRefused, isEmpty, readBody } from './http/body.ts'
import { Description } from './http/description.ts'
import { EnvelopeReader } from './http/envelope-reader.ts'
import { type HttpTimes, Listeners } from './http/listeners.ts'
import { reachedAt } from './http/reached-at.ts'
import { plain, send, tooBusy } from './http/respond.ts'
import { takeIn, tellBoot } from './inform/arrival.ts'
import { BadInforms } from './inform/bad-informs.ts'
import { chooseVersion, idOf, informFacts, isHeartbeat, replyHeader, transferKeysOf } from './inform/inform.ts'
import {
  Authenticator,
  type AuthRefusal,
  type AuthResult,
  type DigestAlgorithm,
  type EnrolmentPolicy,
  type Proof,
  type Shown,
} from './login/authenticate.ts'
import { CredentialChanges } from './login/credential-changes.ts'
import { confirm, type EnrolOptions, needsEnrolment, release } from './login/enrol.ts'
import { Entrance, noSession } from './login/entrance.ts'
import { Refusals } from './login/refusals.ts'
import { shownBy } from './login/shown-by.ts'
import { CpeRequests } from './session/cpe-requests.ts'
import { Session } from './session/session.ts'
import { SessionShares } from './session/session-shares.ts'
import { Sessions } from './session/sessions.ts'
import { ParameterTypes } from './session/values.ts'

export interface AcsOptions {
  host: string
  port: number
  /** Adds an HTTPS listener; with `clientCa`, CPE may show certificates that it signed. */
  tls?: { port: number; cert: string; key: string; clientCa?: string }
  /** False: no listener without TLS. Default: true. */
  plain?: boolean
  policy: EnrolmentPolicy
  enrolmentSecret: string
  /** A user name that is accepted with the enrolment secret, besides the names of TR-069. */
  enrolmentUsername?: string
  /**
   * The permission for a CPE that was reset to use the enrolment secret again: by an operator (default), or by its 0
   * BOOTSTRAP.
   */
  reEnrolment?: 'operator' | 'bootstrap'
  allowBasicOverHttp: boolean
  informIntervalS: number
  discovery: DiscoveryMode | 'none'
  maxSessions: number
  /** Sessions of one address; default 2,000. Those of a loopback address are not counted. */
  maxPerAddress?: number
  /** Connections of each listener; the default is enough for the sessions. */
  maxConnections?: number
  /** Bytes of an Inform, unpacked; default 256 KB. */
  maxInformBytes?: number
  /** Asked before a device is registered whose CPE has no proof of its own; absent: it may be. */
  mayRegister?(): Promise<boolean>
  /** Proxies whose X-Forwarded-For is believed. */
  trustedProxies?: Networks
  /** Networks to which connection requests may go, besides the address from which the CPE has connected. */
  connectionRequestNetworks?: Networks
  /** Algorithms of the Digest challenges, in the order in which they are offered. */
  digestAlgorithms?: readonly DigestAlgorithm[]
  /** Times of HTTP, where they are not to be those for production. */
  httpTimes?: Partial<HttpTimes>
  devices: DeviceStore
  parameters: ParameterStore
  /** Counts the trees that discoveries read; absent: they are not counted. */
  coverage?: Pick<MappingCoverage, 'isDue' | 'note'>
  credentials: CredentialStore
  upward: Upward
  /** Files that CPE fetch from the listeners of the ACS; absent: there are none. */
  files?: ServedFiles
  /** Address below which CPE reach them; absent: the one at which a CPE has reached the ACS itself. */
  publicUrl?: string
  clock: Clock
  /** For how long sessions may be silent, and nonces and cached logins are good; default: `clock`. */
  steadyClock?: Clock
  random: Random
  log: Log
  /** Counts for metrics; called once per ended session and per refused request. */
  onSession?(outcome: 'ended' | 'failed', rpcs: number): void
  onRefused?(reason: string): void
  /** Called once per connection request. */
  onConnectionRequest?(outcome: ConnectionRequestOutcome): void
}

/** Requests on the listeners of the ACS that are for files and not for CWMP. */
interface ServedFiles {
  isFor(request: IncomingMessage): boolean
  /** Answers such a request, whose sender has the address. */
  serve(request: IncomingMessage, response: ServerResponse, address: string): Promise<void>
  /** Returns the address of a file below that of this server. */
  urlOf(base: string, file: { kind: string; id: string; name: string }): string
}

/** Ways to prove oneself that anybody with the shared secret has, or anybody at all. */
const STRANGERS: ReadonlySet<Proof> = new Set(['enrolment', 'none', 'reset'])

/** The facts with which a session begins. */
interface Beginning {
  device: Device
  facts: InformFacts
  envelope: CwmpEnvelope
  request: IncomingMessage
  address: string
  isStranger: boolean
}

/** Bytes of a body within a session; the first request is bounded as an Inform. */
const MAX_BODY = 16 * 1024 * 1024
const MAX_PER_ADDRESS = 2000
/** Some CPE open their next connection before the last one is closed. */
const CONNECTIONS_EACH = 1.25
const IDLE_MS = 30_000
const MAX_IDLE_MS = 600_000
/** Log lines per minute of one kind about refused requests. */
const LINES_PER_MINUTE = 60
/** Time that a CPE has to continue after it closed its connection after the InformResponse, in milliseconds. */
const LEAVING_MS = 5000

/** Sessions under way may end for so long when the server stops. */
const STOP_MS = 5000

/** The ACS: its listeners, the sessions that run over them, and connection requests to CPE. */
export class Acs implements Lifecycle {
  readonly name = 'CWMP ACS'
  readonly #options: AcsOptions
  readonly #listeners: Listeners
  readonly #description = new Description()
  readonly #sessions: Sessions
  readonly #authenticator: Authenticator
  readonly #types = new ParameterTypes()
  readonly #wakes: RequestNotes
  readonly #requester: ConnectionRequester
  readonly #enrolment: EnrolOptions
  readonly #requests: CpeRequests
  readonly #turn: AcsTurn
  readonly #refusals: Refusals
  readonly #lines: Log
  readonly #reader: EnvelopeReader
  readonly #entrance: Entrance
  readonly #badInforms: BadInforms
  readonly #steady: Clock
  #stopping = false

  constructor(options: AcsOptions) {
    this.#options = options
    const maxPerAddress = options.maxPerAddress ?? MAX_PER_ADDRESS
    this.#listeners = new Listeners({ ...options, maxPerAddress: Math.ceil(maxPerAddress * CONNECTIONS_EACH) })
    this.#steady = options.steadyClock ?? options.clock
    this.#sessions = new Sessions(this.#steady, new SessionShares({ maxSessions: options.maxSessions, maxPerAddress }))
    this.#authenticator = new Authenticator({ ...options, clock: this.#steady })
    this.#wakes = new RequestNotes(options)
    this.#requester = new ConnectionRequester({
      ...options,
      notes: this.#wakes,
      isHere: (id) => this.#sessions.isHere(id),
    })
    this.#enrolment = {
      ...options,
      changes: new CredentialChanges(options.credentials, this.#authenticator),
      types: this.#types,
    }
    this.#requests = new CpeRequests(options)
    this.#lines = limitLines(options.log, options.clock, LINES_PER_MINUTE)
    this.#reader = new EnvelopeReader(this.#lines)
    this.#entrance = new Entrance({ ...options, authenticator: this.#authenticator, isFull: () => this.#isFull() })
    this.#refusals = new Refusals({ ...options, lines: this.#lines })
    this.#badInforms = new BadInforms({
      ...options,
      refusals: this.#refusals,
      lines: this.#lines,
      authenticate: (...given) => this.#authenticate(...given),
    })
    this.#turn = new AcsTurn({
      ...options,
      types: this.#types,
      enrolment: this.#enrolment,
      discoveries: new Discoveries({ ...options, mode: options.discovery, types: this.#types }),
      fileUrl: ({ reachedAt: own }, file) => {
        const base = options.publicUrl ?? own
        return base === undefined ? undefined : options.files?.urlOf(base, file)
      },
      comeAgain: (session) => {
        this.#requester.wake(session.device).catch((err: unknown) => {
          options.log.warn({ deviceId: session.deviceId, err }, 'CPE could not be asked to come again')
        })
      },
    })
  }

  /** The Driver by which operations ask an absent CPE to connect. */
  get driver(): Driver {
    return this.#requester
  }

  /** The port it listens on, after `start`. */
  get port(): number {
    return this.#listeners.port
  }

  /** That of HTTPS; 0 where there is none. */
  get tlsPort(): number {
    return this.#listeners.tlsPort
  }

  /** Connections from now on get this certificate. */
  renewCertificate(tls: { cert: string; key: string; clientCa?: string }): void {
    this.#listeners.renew(tls)
  }

  /**
   * Permits a CPE that is going to be reset to log in with the enrolment secret or with its present login. Durable when
   * it resolves.
   */
  release(deviceId: DeviceId): Promise<void> {
    return release(deviceId, this.#enrolment)
  }

  /** Removes the credential of a deleted device from the cache, so that it is refused from now on. */
  forget(deviceId: DeviceId): void {
    this.#authenticator.forget(deviceId)
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  async start(): Promise<void> {
    await this.#listeners.start((request, response) => {
      this.#handle(request, response).catch((err) => this.#fail(request, response, err))
    })
    this.#sessions.start()
  }

  /** New sessions are turned away with 503; running ones may end for up to five seconds. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#listeners.close()
    await endsWithin(this.#turn.stop(), STOP_MS, systemClock)
    this.#sessions.stop()
    await this.#wakes.stop()
    this.#listeners.closeAll()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { files, trustedProxies } = this.#options
    if (files?.isFor(request) === true) return files.serve(request, response, clientAddress(request, trustedProxies))
    if (request.method === 'GET' || request.method === 'HEAD') return this.#description.serve(request, response)
    if (request.method !== 'POST') return plain(response, 405, 'CWMP is spoken by POST')
    const shown = shownBy(request, this.#options.trustedProxies)
    const { address } = shown
    const session = this.#sessions.find(request.headers.cookie, request.socket)
    const refused = session === undefined ? undefined : await this.#prove(session, request, shown)
    if (session === undefined || refused !== undefined)
      return this.#entrance.enter(request, response, shown, session !== undefined, async (body) => {
        const envelope = body === undefined ? undefined : await this.#reader.read(body, request, { address })
        if (envelope !== undefined && isInform(envelope))
          return this.#onInformMessage(request, response, envelope, shown)
        if (session === undefined || refused === undefined) noSession(response)
        else await this.#refusals.refuse(session.deviceId, refused, shown.address, response)
        return false
      })
    const body = await readBody(request, MAX_BODY)
    if (isEmpty(body)) return this.#onEmptyPost(session, response)
    const envelope = await this.#reader.read(body, request, { address, deviceId: session.deviceId })
    if (envelope === undefined) return tooBusy(response)
    await this.#onEnvelope(session, envelope, request, response, shown)
  }

  /** An Inform, whole or not; true when a session began. */
  async #onInformMessage(
    request: IncomingMessage,
    response: ServerResponse,
    envelope: CwmpEnvelope,
    shown: Shown,
  ): Promise<boolean> {
    const { message } = envelope
    if (message.kind === 'request' && message.name === 'Inform')
      return this.#onInform(request, response, envelope, message.body, shown)
    if (message.kind === 'unknown') await this.#badInforms.refuse(response, envelope, message, shown)
    return false
  }

  async #onEnvelope(
    session: Session,
    envelope: CwmpEnvelope,
    request: IncomingMessage,
    response: ServerResponse,
    shown: Shown,
  ): Promise<void> {
    const { message } = envelope
    if (isInform(envelope)) {
      await this.#onInformMessage(request, response, envelope, shown)
      return
    }
    const awaits = session.state === 'awaitingResponse'
    const asks = message.kind === 'request' && RPCS[message.name].from !== 'acs'
    if (awaits && !asks) return session.answer(envelope, this.#respond(session, response))
    if (awaits || (session.state === 'cpeTurn' && (message.kind === 'request' || message.kind === 'unknown'))) {
      const answer = await this.#requests.answer(session, envelope)
      return void this.#respond(session, response)(encodeEnvelope(session.urn, replyHeader(envelope), answer))
    }
    throw new ProtocolError('unexpected', `${message.kind} is not expected in state ${session.state}`)
  }

  /** Returns the function that sends one HTTP answer; from then on the silence of the CPE is measured. */
  #respond(session: Session, response: ServerResponse): (text: string | undefined) => boolean {
    return (text) => {
      session.lastActivityAt = this.#steady.now()
      return send(response, text)
    }
  }

  /**
   * A cookie is no proof: on each new connection the CPE shows again who it is (3.4.4). Undefined when it did, else the
   * refusal.
   */
  async #prove(session: Session, request: IncomingMessage, shown: Shown): Promise<AuthRefusal | undefined> {
    if (!this.#sessions.isOn(session, request.socket)) {
      const auth = await this.#authenticator.check(session.deviceId, session.device, shown)
      // A session that began without a login goes on without one, also after it was given a credential.
      const goesOn = session.isOpen && shown.address === session.remoteAddress
      if (!auth.ok && !(goesOn && auth.reason === 'missing')) return auth
      this.#sessions.moved(session, request.socket)
      this.#listeners.prove(request.socket)
    }
    session.lastActivityAt = this.#steady.now()
    return undefined
  }

  /** Returns the identity of the CPE; undefined when it was refused. */
  async #authenticate(
    id: DeviceId,
    identity: DeviceIdentity,
    shown: Shown,
    response: ServerResponse,
  ): Promise<Extract<AuthResult, { ok: true }> | undefined> {
    const auth = await this.#authenticator.check(id, identity, shown)
    if (auth.ok) {
      this.#refusals.passed(id)
      return auth
    }
    await this.#refusals.refuse(id, auth, shown.address, response)
    return undefined
  }

  #isFull(): boolean {
    return this.#stopping || this.#sessions.size >= this.#options.maxSessions
  }

  /** Answers bad input with the reason and ends the session. Other sessions are not affected. */
  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const address = clientAddress(request, this.#options.trustedProxies)
    const session = this.#sessions.find(request.headers.cookie, request.socket)
    const detail = error instanceof ProtocolError ? `the CPE sent what cannot be taken: ${error.message}` : undefined
    if (session !== undefined && this.#sessions.isOn(session, request.socket)) session.drop('protocol', detail)
    if (error instanceof BodyRefused) {
      this.#options.onRefused?.('body')
      response.setHeader('connection', 'close')
      // Those that it has (RFC 9110 15.5.16).
      if (error.status === 415) response.setHeader('accept-encoding', 'gzip, deflate')
      plain(response, error.status, error.message)
    } else if (error instanceof ProtocolError) {
      this.#options.onRefused?.(error.code)
      this.#lines.info(
        { address, code: error.code, reason: error.message, context: error.context },
        'CWMP request refused',
      )
      plain(response, 400, error.message)
    } else {
      this.#lines.error({ address, err: error }, 'CWMP request failed')
      response.setHeader('retry-after', '30')
      plain(response, 503, 'the server cannot serve this now')
    }
  }

  /** True when a session began. */
  async #onInform(
    request: IncomingMessage,
    response: ServerResponse,
    envelope: CwmpEnvelope,
    inform: RequestOf<'Inform'>,
    shown: Shown,
  ): Promise<boolean> {
    const facts = informFacts(inform, envelope, shown.address, this.#types)
    const id = idOf(facts.identity)
    if (id instanceof ProtocolError) {
      this.#badInforms.answer(response, envelope, shown, facts.identity, id)
      return false
    }
    if (this.#isFull() && this.#sessions.ofDevice(id) === undefined) {
      tooBusy(response)
      return false
    }
    const bootstrap = hasEvent(
      facts.events.map(({ code }) => code),
      '0',
    )
    shown.bootstrap = bootstrap
    const auth = await this.#authenticate(id, facts.identity, shown, response)
    if (auth === undefined) return false
    const isStranger = STRANGERS.has(auth.proof)
    if (!this.#sessions.hasRoomFor(id, { remoteAddress: shown.address, isStranger })) {
      this.#options.onRefused?.('sessions of the address')
      tooBusy(response)
      return false
    }
    const version = chooseVersion(envelope)
    if (version === undefined) {
      const fault = { code: 8006, text: faultRow(8006).text, parameters: [] }
      send(response, encodeEnvelope(envelope.urn, replyHeader(envelope), { kind: 'fault', fault }))
      return false
    }
    facts.version = version
    if (auth.login !== undefined && !(await confirm(id, auth.login, this.#enrolment))) {
      await this.#refusals.refuse(id, this.#authenticator.refusal(shown, 'replaced'), shown.address, response)
      return false
    }
    const { devices, clock, mayRegister } = this.#options
    const limit = isStranger && mayRegister !== undefined ? { mayRegister } : {}
    const arrival = await takeIn(id, facts, { devices, clock, wakes: this.#wakes, ...limit })
    if (arrival === undefined) {
      this.#options.onRefused?.('new devices')
      tooBusy(response, 'no new device is registered at the moment')
      return false
    }
    const { device, made } = arrival
    if (auth.proof === 'reset') await release(id, this.#enrolment)
    // A record that was just made has no operations that a boot may end.
    if (made === undefined) await tellBoot(id, facts, device, this.#options)
    const session = this.#begin({ device, facts, envelope, request, address: shown.address, isStranger })
    session.made = made
    session.isOpen = auth.proof === 'none'
    if (needsEnrolment(auth, bootstrap, this.#options.clock.now())) this.#turn.enrolIn(session)
    const header = replyHeader(envelope)
    if (envelope.header.supportedCwmpVersions !== undefined) header.useCwmpVersion = version
    send(
      response,
      encodeEnvelope(envelope.urn, header, { kind: 'response', name: 'Inform', body: { MaxEnvelopes: 1 } }),
      `isthmus=${session.cookie}; Path=/; HttpOnly`,
    )
    session.onStep?.('Inform', { events: facts.events.map((event) => event.code), proof: auth.proof })
    return true
  }

  #begin({ device, facts, envelope, request, address, isStranger }: Beginning): Session {
    const { random, log } = this.#options
    const leaves = isHeartbeat(facts)
    const session = new Session({
      cookie: Buffer.from(random.bytes(18)).toString('base64url'),
      device,
      urn: envelope.urn,
      remoteAddress: address,
      isStranger,
      idleMs: leaves ? LEAVING_MS : idleMs(isStranger ? 0 : envelope.header.sessionTimeoutS),
      now: this.#steady.now(),
    })
    session.leavesAtOnce = leaves
    session.reachedAt = reachedAt(request, this.#options.trustedProxies)
    session.informed = facts.parameters.map(({ name }) => name)
    session.transferKeys = transferKeysOf(facts)
    if (log.isDebug()) {
      const line = log.child({ deviceId: device.id, sessionId: session.cookie.slice(0, 8) })
      session.onStep = (step, fields) => line.debug(fields, step)
    }
    if (!leaves) this.#requester.came(device.id)
    session.move('inform')
    this.#sessions.add(session, request.socket)
    this.#listeners.prove(request.socket)
    return session
  }

  #onEmptyPost(session: Session, response: ServerResponse): void {
    if (session.state !== 'cpeTurn')
      throw new ProtocolError('unexpected', `an empty POST is not expected in state ${session.state}`)
    session.move('emptyPost')
    session.offerTurn(this.#respond(session, response))
    this.#turn.begin(session)
    if (response.writableEnded) return
    response.on('close', () => {
      // The CPE went away before the next request was chosen.
      if (!response.writableEnded) session.drop('connection')
    })
  }
}

/**
 * Returns the longest silence of a CPE, in milliseconds: the SessionTimeout that it asks for (3.4.7), within bounds.
 */
function idleMs(sessionTimeoutS = 0): number {
  return Math.min(Math.max(sessionTimeoutS * 1000, IDLE_MS), MAX_IDLE_MS)
}

function isInform({ message }: CwmpEnvelope): boolean {
  return message.kind !== 'fault' && message.kind !== 'response' && message.name === 'Inform'
}
