import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import {
  AppError,
  type Clock,
  type Lifecycle,
  type Log,
  limitLines,
  type Networks,
  Pace,
  ProtocolError,
  type Random,
} from '../../base/index.ts'
import {
  type ConnectionRequestOutcome,
  type CredentialStore,
  type Device,
  type DeviceId,
  type DeviceIdentity,
  type DeviceStore,
  type Driver,
  deviceIdOf,
  hasEvent,
  type InformFacts,
  type ParameterStore,
  type Upward,
} from '../../device/index.ts'
import {
  type CwmpEnvelope,
  type DeviceIdStruct,
  encodeEnvelope,
  faultRow,
  type RequestOf,
  RPCS,
  readEnvelope,
} from '../wire/index.ts'
import { takeIn, tellBoot } from './arrival.ts'
import {
  Authenticator,
  type AuthRefusal,
  type AuthResult,
  type DigestAlgorithm,
  type EnrolmentPolicy,
  type Shown,
} from './authenticate.ts'
import { BodyRefused, drain, expectedSize, readBody } from './body.ts'
import { clientAddress } from './client-address.ts'
import { CpeRequests, faultOf } from './cpe-requests.ts'
import { CredentialChanges } from './credential-changes.ts'
import { Description } from './description.ts'
import { Discoveries } from './discoveries.ts'
import { confirm, type EnrolOptions, needsEnrolment, release } from './enrol.ts'
import { EntryBudget } from './entry-budget.ts'
import { chooseVersion, identityOf, informFacts, isHeartbeat, replyHeader } from './inform.ts'
import { LargeBodies } from './large-bodies.ts'
import { type HttpTimes, Listeners } from './listeners.ts'
import { Refusals } from './refusals.ts'
import { challenged, plain, send, tooBusy } from './respond.ts'
import { Session } from './session.ts'
import { Sessions } from './sessions.ts'
import { Turns } from './turns.ts'
import { ParameterTypes } from './values.ts'
import { ConnectionRequester } from './wake.ts'
import { WakeNotes } from './wake-notes.ts'
import type { DiscoveryMode } from './walk.ts'

export interface AcsOptions {
  host: string
  port: number
  /** Adds an HTTPS listener; with `clientCa`, boxes may show certificates that it signed. */
  tls?: { port: number; cert: string; key: string; clientCa?: string }
  policy: EnrolmentPolicy
  enrolmentSecret: string
  /** A user name that boxes may send with the enrolment secret, besides the names that TR-069 gives them. */
  enrolmentUsername?: string
  /** Who lets a box that was reset use the enrolment secret again: a person (default), or its 0 BOOTSTRAP. */
  reEnrolment?: 'operator' | 'bootstrap'
  allowBasicOverHttp: boolean
  informIntervalS: number
  discovery: DiscoveryMode | 'none'
  maxSessions: number
  /** Bytes of an Inform, unpacked; 256 KB unless told. */
  maxInformBytes?: number
  /** Proxies whose X-Forwarded-For is believed. */
  trustedProxies?: Networks
  /** Networks in which a CPE may be asked to come, besides at the address it came from. */
  connectionRequestNetworks?: Networks
  /** Algorithms of the Digest challenges, in the order in which they are offered. */
  digestAlgorithms?: readonly DigestAlgorithm[]
  /** Times of HTTP, where they are not to be those for production. */
  httpTimes?: Partial<HttpTimes>
  devices: DeviceStore
  parameters: ParameterStore
  credentials: CredentialStore
  upward: Upward
  clock: Clock
  random: Random
  log: Log
  /** Counts for metrics; called once per ended session and per refused request. */
  onSession?(outcome: 'ended' | 'failed', rpcs: number): void
  onRefused?(reason: string): void
  /** Called once per connection request. */
  onConnectionRequest?(outcome: ConnectionRequestOutcome): void
}

/** Within a session. Before it there is an Inform to send at most. */
const MAX_BODY = 16 * 1024 * 1024
const MAX_INFORM = 256 * 1024
const IDLE_MS = 30_000
const MAX_IDLE_MS = 600_000
const NO_SESSION = 'there is no session; it begins with an Inform'
/** Of one kind, about requests that are refused. */
const LINES_PER_MINUTE = 60
/** A box that leaves after the InformResponse has this long to think better of it. */
const LEAVING_MS = 5000

/** The ACS: its listeners, the sessions that run over them, and the way down to boxes that speak CWMP. */
export class Acs implements Lifecycle {
  readonly name = 'CWMP ACS'
  readonly #options: AcsOptions
  readonly #listeners: Listeners
  readonly #description = new Description()
  readonly #sessions: Sessions
  readonly #authenticator: Authenticator
  readonly #types = new ParameterTypes()
  readonly #wakes: WakeNotes
  readonly #requester: ConnectionRequester
  readonly #enrolment: EnrolOptions
  readonly #requests: CpeRequests
  readonly #turns: Turns
  readonly #refusals: Refusals
  readonly #lines: Log
  readonly #entries: EntryBudget
  readonly #large = new LargeBodies()
  readonly #maxInform: number
  readonly #pace = new Pace()
  #stopping = false

  constructor(options: AcsOptions) {
    this.#options = options
    this.#listeners = new Listeners(options)
    this.#sessions = new Sessions(options.clock)
    this.#authenticator = new Authenticator(options)
    this.#wakes = new WakeNotes(options)
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
    this.#maxInform = options.maxInformBytes ?? MAX_INFORM
    this.#entries = new EntryBudget(options.clock)
    this.#lines = limitLines(options.log, options.clock, LINES_PER_MINUTE)
    this.#refusals = new Refusals({ ...options, lines: this.#lines })
    this.#turns = new Turns({
      ...options,
      types: this.#types,
      enrolment: this.#enrolment,
      discoveries: new Discoveries({ ...options, mode: options.discovery, types: this.#types }),
      comeAgain: (session) => {
        this.#requester.wake(session.device).catch((err: unknown) => {
          options.log.warn({ deviceId: session.deviceId, err }, 'CPE could not be asked to come again')
        })
      },
    })
  }

  /** How operations ask an absent box to come. */
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

  /** Lets a CPE that is to be reset come back with the enrolment secret, or with the login it has. Durable when it resolves. */
  release(deviceId: DeviceId): Promise<void> {
    return release(deviceId, this.#enrolment)
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
    const limit = new Promise((resolve) => setTimeout(resolve, 5000).unref())
    await Promise.race([this.#turns.stop(), limit])
    this.#sessions.stop()
    await this.#wakes.stop()
    this.#listeners.closeAll()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET' || request.method === 'HEAD') return this.#description.serve(request, response)
    if (request.method !== 'POST') return plain(response, 405, 'CWMP is spoken by POST')
    const shown = this.#shownBy(request)
    const session = this.#sessions.find(request.headers.cookie, request.socket)
    const refused = session === undefined ? undefined : await this.#prove(session, request, shown)
    if (session === undefined || refused !== undefined) return this.#onFirst(request, response, shown, session, refused)
    const body = await readBody(request, MAX_BODY)
    if (isEmpty(body)) return this.#onEmptyPost(session, response)
    const envelope = await this.#large.run(body.length, () => this.#read(body, request, shown, session))
    if (envelope === undefined) return tooBusy(response)
    await this.#onEnvelope(session, envelope, request, response, shown)
  }

  /** A request of which nobody knows yet who sends it: it costs next to nothing until that is known. */
  async #onFirst(
    request: IncomingMessage,
    response: ServerResponse,
    shown: Shown,
    session: Session | undefined,
    refused: AuthRefusal | undefined,
  ): Promise<void> {
    const maxBytes = this.#maxInform
    const size = expectedSize(request, maxBytes)
    if (session === undefined && size === 0) return plain(response, 400, NO_SESSION)
    const turnAway = (answer: () => void) => {
      drain(request, maxBytes)
      answer()
    }
    if (session === undefined && this.#isFull()) return turnAway(() => tooBusy(response))
    const challenges = this.#authenticator.challengeFor(shown)
    if (challenges !== undefined) return turnAway(() => challenged(response, challenges))
    const entry = this.#entries.enter(shown.address, size)
    if (entry === undefined) {
      this.#options.onRefused?.('busy')
      return turnAway(() => tooBusy(response))
    }
    let isLetIn = false
    let bytes = 0
    try {
      const body = await readBody(request, maxBytes)
      bytes = body.length
      const envelope = isEmpty(body) ? undefined : await this.#read(body, request, shown)
      if (envelope !== undefined && isInform(envelope))
        isLetIn = await this.#onInformMessage(request, response, envelope, shown)
      else if (session !== undefined && refused !== undefined)
        await this.#refusals.refuse(session.deviceId, refused, shown.address, response)
      else plain(response, 400, NO_SESSION)
    } finally {
      entry.leave(isLetIn, bytes)
    }
  }

  async #read(body: Buffer, request: IncomingMessage, shown: Shown, session?: Session): Promise<CwmpEnvelope> {
    const envelope = await readEnvelope(body, request.headers['content-type'], this.#pace)
    if (envelope.repaired)
      this.#lines.warn(
        { deviceId: session?.deviceId, address: shown.address },
        'XML that is not well-formed was read all the same',
      )
    return envelope
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
    if (message.kind === 'unknown') await this.#refuseInform(response, envelope, message, shown)
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

  /** The way of one HTTP answer; from then on it is the CPE's time that runs. */
  #respond(session: Session, response: ServerResponse): (text: string | undefined) => boolean {
    return (text) => {
      session.lastActivityAt = this.#options.clock.now()
      return send(response, text)
    }
  }

  /** A cookie is no proof: on each new connection the CPE shows again who it is (3.4.4). Undefined when it did, else the refusal. */
  async #prove(session: Session, request: IncomingMessage, shown: Shown): Promise<AuthRefusal | undefined> {
    if (!this.#sessions.isOn(session, request.socket)) {
      const auth = await this.#authenticator.check(session.deviceId, session.device, shown)
      if (!auth.ok) return auth
      this.#sessions.moved(session, request.socket)
    }
    session.lastActivityAt = this.#options.clock.now()
    return undefined
  }

  /** Who the CPE is; undefined when it was refused. */
  async #authenticate(
    id: DeviceId,
    identity: DeviceIdentity,
    shown: Shown,
    response: ServerResponse,
  ): Promise<Extract<AuthResult, { ok: true }> | undefined> {
    const auth = await this.#authenticator.check(id, identity, shown)
    if (auth.ok) return auth
    await this.#refusals.refuse(id, auth, shown.address, response)
    return undefined
  }

  #shownBy(request: IncomingMessage): Shown {
    const { socket, headers } = request
    const address = clientAddress(request, this.#options.trustedProxies)
    const shown = { header: headers.authorization, address }
    if (!(socket instanceof TLSSocket)) return { ...shown, tls: false }
    const name = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined
    return { ...shown, tls: true, ...(typeof name === 'string' ? { certificate: name } : {}) }
  }

  #isFull(): boolean {
    return this.#stopping || this.#sessions.size >= this.#options.maxSessions
  }

  /** Bad input ends here: the CPE is told what was wrong, its session is over, nobody else notices. */
  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const address = clientAddress(request, this.#options.trustedProxies)
    const session = this.#sessions.find(request.headers.cookie, request.socket)
    if (session !== undefined && this.#sessions.isOn(session, request.socket)) session.drop('protocol')
    if (error instanceof BodyRefused) {
      this.#options.onRefused?.('body')
      response.setHeader('connection', 'close')
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

  /**
   * An Inform whose arguments break their declaration: 8003, which ends the session before it began (A.5.2). Who shows that it is a device
   * on record gets an event there.
   */
  async #refuseInform(
    response: ServerResponse,
    envelope: CwmpEnvelope,
    { error, sender }: { error?: ProtocolError; sender?: DeviceIdStruct },
    shown: Shown,
  ): Promise<void> {
    const identity = sender === undefined ? undefined : identityOf(sender)
    const id = identity === undefined ? undefined : idOf(identity)
    if (identity !== undefined && typeof id === 'string') {
      if ((await this.#authenticate(id, identity, shown, response)) === undefined) return
      const text = `its Inform cannot be read: ${error?.message ?? 'it has no arguments'}`
      if ((await this.#options.devices.get(id)) !== undefined)
        await this.#refusals.tell(id, { reason: 'inform', address: shown.address, text })
    }
    this.#answerBadInform(response, envelope, shown, identity, error)
  }

  #answerBadInform(
    response: ServerResponse,
    envelope: CwmpEnvelope,
    { address }: Shown,
    identity: DeviceIdentity | undefined,
    error?: ProtocolError,
  ): void {
    this.#options.onRefused?.(error?.code ?? 'inform')
    this.#lines.warn({ address, identity, reason: error?.message, context: error?.context }, 'Inform refused')
    send(response, encodeEnvelope(envelope.urn, replyHeader(envelope), faultOf(error)))
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
      this.#answerBadInform(response, envelope, shown, facts.identity, id)
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
    const device = await takeIn(id, facts, { ...this.#options, wakes: this.#wakes })
    if (auth.proof === 'reset') await release(id, this.#enrolment)
    await tellBoot(id, facts, device, this.#options)
    const session = this.#begin(device, facts, envelope, request, shown)
    if (needsEnrolment(auth, bootstrap, this.#options.clock.now())) this.#turns.enrolIn(session)
    response.setHeader('set-cookie', `isthmus=${session.cookie}; Path=/; HttpOnly`)
    const header = replyHeader(envelope)
    if (envelope.header.supportedCwmpVersions !== undefined) header.useCwmpVersion = version
    send(
      response,
      encodeEnvelope(envelope.urn, header, { kind: 'response', name: 'Inform', body: { MaxEnvelopes: 1 } }),
    )
    session.onStep?.('Inform', { events: facts.events.map((event) => event.code), proof: auth.proof })
    return true
  }

  #begin(
    device: Device,
    facts: InformFacts,
    envelope: CwmpEnvelope,
    request: IncomingMessage,
    { address }: Shown,
  ): Session {
    const { clock, random, log } = this.#options
    const leaves = isHeartbeat(facts)
    const session = new Session({
      cookie: Buffer.from(random.bytes(18)).toString('base64url'),
      device,
      urn: envelope.urn,
      remoteAddress: address,
      idleMs: leaves
        ? LEAVING_MS
        : Math.min(Math.max((envelope.header.sessionTimeoutS ?? 0) * 1000, IDLE_MS), MAX_IDLE_MS),
      now: clock.now(),
    })
    session.leavesAtOnce = leaves
    if (log.isDebug()) {
      const line = log.child({ deviceId: device.id, sessionId: session.cookie.slice(0, 8) })
      session.onStep = (step, fields) => line.debug(fields, step)
    }
    if (!leaves) this.#requester.came(device.id)
    session.move('inform')
    this.#sessions.add(session, request.socket)
    return session
  }

  #onEmptyPost(session: Session, response: ServerResponse): void {
    if (session.state !== 'cpeTurn')
      throw new ProtocolError('unexpected', `an empty POST is not expected in state ${session.state}`)
    session.move('emptyPost')
    session.offerTurn(this.#respond(session, response))
    response.on('close', () => {
      // The CPE went away while we were still thinking about what to ask.
      if (!response.writableEnded) session.drop('connection')
    })
    this.#turns.begin(session)
  }
}

/** An empty POST; some boxes send a line end. */
function isEmpty(body: Buffer): boolean {
  return body.length === 0 || (body.length <= 8 && body.toString('latin1').trim() === '')
}

/** The id, or what is wrong with the identity. */
function idOf(identity: DeviceIdentity): DeviceId | ProtocolError {
  try {
    return deviceIdOf(identity)
  } catch (cause) {
    if (cause instanceof AppError) return new ProtocolError('identity', cause.message, { cause })
    throw cause
  }
}

function isInform({ message }: CwmpEnvelope): boolean {
  return message.kind !== 'fault' && message.kind !== 'response' && message.name === 'Inform'
}
