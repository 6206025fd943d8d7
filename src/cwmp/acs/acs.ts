import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import {
  AppError,
  type Clock,
  type Lifecycle,
  type Log,
  limitLines,
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
import { Authenticator, type AuthResult, type EnrolmentPolicy, type Shown } from './authenticate.ts'
import { BodyRefused, readBody } from './body.ts'
import { CpeRequests, faultOf } from './cpe-requests.ts'
import { CredentialChanges } from './credential-changes.ts'
import { Description } from './description.ts'
import { Discoveries } from './discoveries.ts'
import { confirm, type EnrolOptions, needsEnrolment, release } from './enrol.ts'
import { chooseVersion, identityOf, informFacts, isHeartbeat, replyHeader } from './inform.ts'
import { type HttpTimes, Listeners } from './listeners.ts'
import { Refusals } from './refusals.ts'
import { challenged, plain, send } from './respond.ts'
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

/** Within a session, and before it: who has not shown who he is has an Inform to send at most. */
const MAX_BODY = 16 * 1024 * 1024
const MAX_FIRST_BODY = 1024 * 1024
const IDLE_MS = 30_000
const MAX_IDLE_MS = 600_000
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
    const session = this.#sessions.find(request.headers.cookie, request.socket)
    const body = await readBody(request, session === undefined ? MAX_FIRST_BODY : MAX_BODY)
    if (isEmpty(body)) {
      if (session !== undefined && !(await this.#isProven(session, request, response))) return
      return this.#onEmptyPost(session, response)
    }
    if (session === undefined) {
      if (this.#isFull()) return tooBusy(response)
      // Nobody is let in without credentials: no need to read what such a request says.
      const challenges = this.#authenticator.challengeFor(shownBy(request))
      if (challenges !== undefined) return challenged(response, challenges)
    }
    const envelope = await readEnvelope(body, request.headers['content-type'], this.#pace)
    if (envelope.repaired)
      this.#lines.warn(
        { deviceId: session?.deviceId, address: addressOf(request) },
        'XML that is not well-formed was read all the same',
      )
    return this.#onEnvelope(session, envelope, request, response)
  }

  async #onEnvelope(
    session: Session | undefined,
    envelope: CwmpEnvelope,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { message } = envelope
    if (message.kind === 'request' && message.name === 'Inform')
      return this.#onInform(request, response, envelope, message.body)
    if (message.kind === 'unknown' && message.name === 'Inform')
      return this.#refuseInform(request, response, envelope, message)
    if (session === undefined) return plain(response, 400, 'there is no session; it begins with an Inform')
    if (!(await this.#isProven(session, request, response))) return
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

  /** A cookie is no proof: on each new connection the CPE shows again who it is (3.4.4). False: it was sent a 401. */
  async #isProven(session: Session, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (!this.#sessions.isOn(session, request.socket)) {
      const auth = await this.#authenticate(session.deviceId, session.device, shownBy(request), response)
      if (auth === undefined) return false
      this.#sessions.moved(session, request.socket)
    }
    session.lastActivityAt = this.#options.clock.now()
    return true
  }

  /** Who the CPE is; undefined when it was sent a 401. */
  async #authenticate(
    id: DeviceId,
    identity: DeviceIdentity,
    shown: Shown & { address: string | undefined },
    response: ServerResponse,
  ): Promise<Extract<AuthResult, { ok: true }> | undefined> {
    const auth = await this.#authenticator.check(id, identity, shown)
    if (auth.ok) return auth
    await this.#refusals.refuse(id, auth, shown.address, response)
    return undefined
  }

  #isFull(): boolean {
    return this.#stopping || this.#sessions.size >= this.#options.maxSessions
  }

  /** Bad input ends here: the CPE is told what was wrong, its session is over, nobody else notices. */
  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const address = addressOf(request)
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
    request: IncomingMessage,
    response: ServerResponse,
    envelope: CwmpEnvelope,
    { error, sender }: { error?: ProtocolError; sender?: DeviceIdStruct },
  ): Promise<void> {
    const identity = sender === undefined ? undefined : identityOf(sender)
    const id = identity === undefined ? undefined : idOf(identity)
    if (identity !== undefined && typeof id === 'string') {
      if ((await this.#authenticate(id, identity, shownBy(request), response)) === undefined) return
      const text = `its Inform cannot be read: ${error?.message ?? 'it has no arguments'}`
      if ((await this.#options.devices.get(id)) !== undefined)
        await this.#refusals.tell(id, { reason: 'inform', address: addressOf(request) ?? '', text })
    }
    this.#answerBadInform(request, response, envelope, identity, error)
  }

  #answerBadInform(
    request: IncomingMessage,
    response: ServerResponse,
    envelope: CwmpEnvelope,
    identity: DeviceIdentity | undefined,
    error?: ProtocolError,
  ): void {
    this.#options.onRefused?.(error?.code ?? 'inform')
    this.#lines.warn(
      { address: addressOf(request), identity, reason: error?.message, context: error?.context },
      'Inform refused',
    )
    send(response, encodeEnvelope(envelope.urn, replyHeader(envelope), faultOf(error)))
  }

  async #onInform(
    request: IncomingMessage,
    response: ServerResponse,
    envelope: CwmpEnvelope,
    inform: RequestOf<'Inform'>,
  ): Promise<void> {
    const facts = informFacts(inform, envelope, request.socket, this.#types)
    const id = idOf(facts.identity)
    if (id instanceof ProtocolError) return this.#answerBadInform(request, response, envelope, facts.identity, id)
    if (this.#isFull() && this.#sessions.ofDevice(id) === undefined) return tooBusy(response)
    const bootstrap = hasEvent(
      facts.events.map(({ code }) => code),
      '0',
    )
    const shown = { ...shownBy(request), bootstrap }
    const auth = await this.#authenticate(id, facts.identity, shown, response)
    if (auth === undefined) return
    const version = chooseVersion(envelope)
    if (version === undefined) {
      const fault = { code: 8006, text: faultRow(8006).text, parameters: [] }
      return void send(response, encodeEnvelope(envelope.urn, replyHeader(envelope), { kind: 'fault', fault }))
    }
    facts.version = version
    if (auth.login !== undefined && !(await confirm(id, auth.login, this.#enrolment)))
      return this.#refusals.refuse(id, this.#authenticator.refusal(shown, 'replaced'), shown.address, response)
    const device = await takeIn(id, facts, { ...this.#options, wakes: this.#wakes })
    if (auth.proof === 'reset') await release(id, this.#enrolment)
    await tellBoot(id, facts, device, this.#options)
    const session = this.#begin(device, facts, envelope, request)
    if (needsEnrolment(auth, bootstrap, this.#options.clock.now())) this.#turns.enrolIn(session)
    response.setHeader('set-cookie', `isthmus=${session.cookie}; Path=/; HttpOnly`)
    const header = replyHeader(envelope)
    if (envelope.header.supportedCwmpVersions !== undefined) header.useCwmpVersion = version
    send(
      response,
      encodeEnvelope(envelope.urn, header, { kind: 'response', name: 'Inform', body: { MaxEnvelopes: 1 } }),
    )
    session.onStep?.('Inform', { events: facts.events.map((event) => event.code), proof: auth.proof })
  }

  #begin(device: Device, facts: InformFacts, envelope: CwmpEnvelope, request: IncomingMessage): Session {
    const { clock, random, log } = this.#options
    const leaves = isHeartbeat(facts)
    const session = new Session({
      cookie: Buffer.from(random.bytes(18)).toString('base64url'),
      device,
      urn: envelope.urn,
      remoteAddress: addressOf(request) ?? '',
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

  #onEmptyPost(session: Session | undefined, response: ServerResponse): void {
    if (session === undefined) return plain(response, 400, 'there is no session; it begins with an Inform')
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

/** The address of the CPE, IPv4 in its own form. */
function addressOf({ socket }: IncomingMessage): string | undefined {
  return socket.remoteAddress?.replace(/^::ffff:/, '')
}

function shownBy(request: IncomingMessage): Shown & { address: string | undefined } {
  const { socket, headers } = request
  const shown = { header: headers.authorization, address: addressOf(request) }
  if (!(socket instanceof TLSSocket)) return { ...shown, tls: false }
  const name = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined
  return { ...shown, tls: true, ...(typeof name === 'string' ? { certificate: name } : {}) }
}

function tooBusy(response: ServerResponse): void {
  response.setHeader('retry-after', '30')
  plain(response, 503, 'too many sessions')
}
