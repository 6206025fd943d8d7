import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import {
  AppError,
  type Clock,
  errorText,
  type Lifecycle,
  type Log,
  ProtocolError,
  type Random,
} from '../../base/index.ts'
import {
  applyPatch,
  type Contact,
  type CredentialStore,
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceIdentity,
  type DeviceStore,
  type Driver,
  deviceIdOf,
  factsFrom,
  factsPatch,
  goneSince,
  hasEvent,
  type InformFacts,
  informChange,
  type ParameterStore,
  type ParameterWrite,
  type Upward,
} from '../../device/index.ts'
import {
  type CwmpEnvelope,
  decodeEnvelope,
  encodeEnvelope,
  faultRow,
  type RequestOf,
  RPCS,
  versionOfUrn,
} from '../wire/index.ts'
import { Authenticator, type EnrolmentPolicy } from './authenticate.ts'
import { BodyRefused, readBody } from './body.ts'
import { type DiscoveryMode, discover } from './discovery.ts'
import { confirm, type EnrolOptions, enrol } from './enrol.ts'
import { execute } from './execute.ts'
import { Session } from './session.ts'
import { Sessions } from './sessions.ts'
import { ParameterTypes } from './values.ts'
import { ConnectionRequester } from './wake.ts'

export interface AcsOptions {
  host: string
  port: number
  /** Adds an HTTPS listener. */
  tls?: { port: number; cert: string; key: string }
  policy: EnrolmentPolicy
  enrolmentSecret: string
  allowBasicOverHttp: boolean
  informIntervalS: number
  discovery: DiscoveryMode | 'none'
  maxSessions: number
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
}

const MAX_BODY = 16 * 1024 * 1024
const IDLE_MS = 30_000
const MAX_IDLE_MS = 600_000
const SUPPORTED_VERSIONS = ['1.4', '1.3', '1.2', '1.1', '1.0']
const METHODS = ['Inform', 'GetRPCMethods', 'TransferComplete', 'AutonomousTransferComplete', 'RequestDownload']

/** The ACS: its listeners, the sessions that run over them, and the way down to boxes that speak CWMP. */
export class Acs implements Lifecycle {
  readonly name = 'CWMP ACS'
  readonly #options: AcsOptions
  readonly #sessions: Sessions
  readonly #authenticator: Authenticator
  readonly #types = new ParameterTypes()
  readonly #requester: ConnectionRequester
  readonly #servers: Server[] = []
  readonly #running = new Set<Promise<void>>()
  #stopping = false

  constructor(options: AcsOptions) {
    this.#options = options
    this.#sessions = new Sessions(options.clock)
    this.#authenticator = new Authenticator(options)
    this.#requester = new ConnectionRequester({ ...options, isHere: (id) => this.#sessions.ofDevice(id) !== undefined })
  }

  /** How operations ask an absent box to come. */
  get driver(): Driver {
    return this.#requester
  }

  /** The port it listens on, after `start`. */
  get port(): number {
    const address = this.#servers[0]?.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  async start(): Promise<void> {
    const listener: RequestListener = (request, response) => {
      this.#handle(request, response).catch((err) => this.#fail(request, response, err))
    }
    const limits = {
      maxHeaderSize: 16_384,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 5000,
    }
    await this.#listen(createServer(limits, listener), this.#options.port)
    const { tls } = this.#options
    if (tls !== undefined)
      await this.#listen(
        createTlsServer({ ...limits, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, listener),
        tls.port,
      )
    this.#sessions.start()
  }

  /** New sessions are turned away with 503; running ones may end for up to five seconds. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const server of this.#servers) server.close()
    const limit = new Promise((resolve) => setTimeout(resolve, 5000).unref())
    await Promise.race([Promise.allSettled([...this.#running]), limit])
    this.#sessions.stop()
    for (const server of this.#servers) server.closeAllConnections()
  }

  async #listen(server: Server, port: number): Promise<void> {
    this.#servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, this.#options.host, () => {
        server.off('error', reject)
        server.on('error', (err) => this.#options.log.error({ err }, 'CWMP listener error'))
        resolve()
      })
    })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return plain(response, 405, 'CWMP is spoken by POST')
    const body = await readBody(request, MAX_BODY)
    const session = this.#sessions.find(request.headers.cookie, request.socket)
    if (body.length === 0) {
      if (session !== undefined && !(await this.#isProven(session, request, response))) return
      return this.#onEmptyPost(session, response)
    }
    const envelope = decodeEnvelope(body, request.headers['content-type'])
    if (envelope.repaired)
      this.#options.log.warn(
        { deviceId: session?.deviceId, address: request.socket.remoteAddress },
        'ill-formed XML was repaired',
      )
    const { message } = envelope
    if (message.kind === 'request' && message.name === 'Inform')
      return this.#onInform(request, response, envelope, message.body)
    if (session === undefined) return plain(response, 400, 'there is no session; it begins with an Inform')
    if (!(await this.#isProven(session, request, response))) return
    if (session.state === 'awaitingResponse') return session.answer(envelope, (text) => send(response, text))
    if (session.state === 'cpeTurn' && (message.kind === 'request' || message.kind === 'unknown'))
      return this.#onRequest(session, envelope, response)
    throw new ProtocolError('unexpected', `${message.kind} is not expected in state ${session.state}`)
  }

  /** A cookie is no proof: on each new connection the CPE shows again who it is (3.4.4). False: it was sent a 401. */
  async #isProven(session: Session, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (!this.#sessions.isOn(session, request.socket)) {
      const auth = await this.#authenticate(session.deviceId, session.device, request, response)
      if (auth === undefined) return false
      this.#sessions.moved(session, request.socket)
    }
    session.lastActivityAt = this.#options.clock.now()
    return true
  }

  /** Who the CPE is; undefined when it was sent a 401. */
  async #authenticate(id: DeviceId, identity: DeviceIdentity, request: IncomingMessage, response: ServerResponse) {
    const auth = await this.#authenticator.check(id, identity, {
      header: request.headers.authorization,
      path: request.url ?? '/',
      tls: 'encrypted' in request.socket,
    })
    if (auth.ok) return auth
    if (auth.reason === 'wrong' || auth.reason === 'unknown') {
      const { remoteAddress: address } = request.socket
      this.#options.onRefused?.('credentials')
      this.#options.log.warn({ deviceId: id, address, reason: auth.reason }, 'CPE refused: credentials')
    }
    response.setHeader('www-authenticate', auth.challenge)
    plain(response, 401, '')
    return undefined
  }

  /** Bad input ends here: the CPE is told what was wrong, its session is over, nobody else notices. */
  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const address = request.socket.remoteAddress
    const session = this.#sessions.find(request.headers.cookie, request.socket)
    if (session !== undefined && this.#sessions.isOn(session, request.socket)) session.drop('protocol')
    if (error instanceof BodyRefused) {
      this.#options.onRefused?.('body')
      response.setHeader('connection', 'close')
      plain(response, error.status, error.message)
    } else if (error instanceof ProtocolError || (error instanceof AppError && error.code === 'invalid')) {
      this.#options.onRefused?.(error.code)
      this.#options.log.info(
        { address, code: error.code, reason: error.message, context: error.context },
        'CWMP request refused',
      )
      plain(response, 400, error.message)
    } else {
      this.#options.log.error({ address, err: error }, 'CWMP request failed')
      response.setHeader('retry-after', '30')
      plain(response, 503, 'the server cannot serve this now')
    }
  }

  async #onInform(
    request: IncomingMessage,
    response: ServerResponse,
    envelope: CwmpEnvelope,
    inform: RequestOf<'Inform'>,
  ): Promise<void> {
    const { clock, log } = this.#options
    if (this.#stopping || this.#sessions.size >= this.#options.maxSessions) {
      response.setHeader('retry-after', '30')
      return plain(response, 503, 'too many sessions')
    }
    const facts = informFacts(inform, envelope, request.socket, this.#types)
    const id = deviceIdOf(facts.identity)
    const auth = await this.#authenticate(id, facts.identity, request, response)
    if (auth === undefined) return
    const version = chooseVersion(envelope)
    if (version === undefined) {
      const fault = { code: 8006, text: faultRow(8006).text, parameters: [] }
      return void send(response, encodeEnvelope(envelope.urn, replyHeader(envelope), { kind: 'fault', fault }))
    }
    facts.version = version
    const device = await this.#record(id, facts, clock.now())
    if (auth.proof === 'pending' && auth.credential !== undefined) await confirm(auth.credential, this.#enrolOptions())
    await this.#tellBoot(id, facts, device)
    this.#requester.came(id)
    const session = new Session({
      cookie: Buffer.from(this.#options.random.bytes(18)).toString('base64url'),
      device,
      urn: envelope.urn,
      remoteAddress: request.socket.remoteAddress ?? '',
      idleMs: Math.min(Math.max((envelope.header.sessionTimeoutS ?? 0) * 1000, IDLE_MS), MAX_IDLE_MS),
      now: clock.now(),
    })
    session.move('inform')
    this.#sessions.add(session, request.socket)
    if (auth.proof === 'enrolment' || auth.proof === 'none') this.#toEnrol.add(session)
    response.setHeader('set-cookie', `isthmus=${session.cookie}; Path=/; HttpOnly`)
    const header = replyHeader(envelope)
    if (envelope.header.supportedCwmpVersions !== undefined) header.useCwmpVersion = version
    send(
      response,
      encodeEnvelope(envelope.urn, header, { kind: 'response', name: 'Inform', body: { MaxEnvelopes: 1 } }),
    )
    if (log.isDebug())
      log.debug(
        {
          deviceId: id,
          sessionId: session.cookie.slice(0, 8),
          events: facts.events.map((event) => event.code),
          proof: auth.proof,
        },
        'Inform',
      )
  }

  readonly #toEnrol = new WeakSet<Session>()

  /** Reads the record, works out what the Inform changes, and commits it: two grouped round trips. */
  async #record(id: DeviceId, facts: InformFacts, now: number): Promise<Device> {
    for (let attempt = 1; ; attempt++) {
      const known = await this.#options.devices.get(id)
      const change = informChange(known, facts, now)
      try {
        await this.#options.devices.commit(change)
      } catch (error) {
        // Created or deleted by somebody else between the read and the commit.
        if (attempt < 3 && error instanceof AppError && error.code === 'conflict') continue
        throw error
      }
      return change.create ?? applyPatch(known as Device, change.set ?? {}, now)
    }
  }

  /** A boot may end operations that wait for it: before the Inform is acknowledged, and so never lost. */
  async #tellBoot(deviceId: DeviceId, facts: InformFacts, device: Device): Promise<void> {
    const codes = facts.events.map((event) => event.code)
    const bootstrap = hasEvent(codes, '0')
    const keys = facts.events.filter((event) => event.code === 'M Reboot').map((event) => event.commandKey)
    if (!bootstrap && !hasEvent(codes, '1') && keys.length === 0) return
    const base = {
      deviceId,
      protocol: 'cwmp' as const,
      kind: 'boot' as const,
      bootstrap,
      at: this.#options.clock.now(),
    }
    for (const commandKey of keys.length === 0 ? [''] : keys) {
      await this.#options.upward.completed({
        ...base,
        commandKey,
        ...(device.softwareVersion === undefined ? {} : { softwareVersion: device.softwareVersion }),
      })
    }
  }

  async #onRequest(session: Session, envelope: CwmpEnvelope, response: ServerResponse): Promise<void> {
    session.move('cpeRequest')
    const reply = (message: Parameters<typeof encodeEnvelope>[2]) =>
      void send(response, encodeEnvelope(session.urn, replyHeader(envelope), message))
    const { message } = envelope
    if (message.kind === 'request') {
      switch (message.name) {
        case 'GetRPCMethods':
          return reply({ kind: 'response', name: 'GetRPCMethods', body: { MethodList: METHODS } })
        case 'TransferComplete':
          await this.#onTransferComplete(session, message.body)
          return reply({ kind: 'response', name: 'TransferComplete', body: {} })
        case 'AutonomousTransferComplete':
        case 'RequestDownload':
          this.#options.log.info({ deviceId: session.deviceId, rpc: message.name }, 'request of the CPE noted')
          return reply({ kind: 'response', name: message.name, body: {} })
        default:
          if (RPCS[message.name].from === 'acs') break
      }
    }
    reply({ kind: 'fault', fault: { code: 8000, text: faultRow(8000).text, parameters: [] } })
  }

  /** May come twice, and before or after the boot it belongs to: completing an operation that is completed does nothing. */
  async #onTransferComplete(session: Session, body: RequestOf<'TransferComplete'>): Promise<void> {
    const { FaultCode, FaultString } = body.FaultStruct
    await this.#options.upward.completed({
      deviceId: session.deviceId,
      protocol: 'cwmp',
      kind: 'transfer',
      commandKey: body.CommandKey,
      at: this.#options.clock.now(),
      ...(session.device.softwareVersion === undefined ? {} : { softwareVersion: session.device.softwareVersion }),
      ...(FaultCode === 0
        ? {}
        : {
            fault: {
              code: String(FaultCode),
              text: FaultString || faultRow(FaultCode).text,
              retryable: faultRow(FaultCode).retryable,
            },
          }),
    })
  }

  #onEmptyPost(session: Session | undefined, response: ServerResponse): void {
    if (session === undefined) {
      plain(response, 400, 'there is no session; it begins with an Inform')
      return
    }
    if (session.state !== 'cpeTurn')
      throw new ProtocolError('unexpected', `an empty POST is not expected in state ${session.state}`)
    session.move('emptyPost')
    session.offerTurn((text) => send(response, text))
    response.on('close', () => {
      // The CPE went away while we were still thinking about what to ask.
      if (!response.writableEnded) session.drop('connection')
    })
    if (!this.#needsTurn(session)) {
      session.finish()
      this.#options.onSession?.('ended', session.rpcs)
      return
    }
    const run: Promise<void> = this.#turn(session).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  #needsTurn(session: Session): boolean {
    return (
      session.device.work.open ||
      this.#toEnrol.has(session) ||
      this.#mustDiscover(session.device) ||
      this.#options.upward.hasNews(session.deviceId)
    )
  }

  /** Our turn: enrolment, waiting operations, discovery; then 204. */
  async #turn(session: Session): Promise<void> {
    const { log, upward } = this.#options
    const line = log.isDebug() ? log.child({ deviceId: session.deviceId, sessionId: session.cookie.slice(0, 8) }) : log
    try {
      if (this.#toEnrol.has(session)) await this.#enrol(session, line)
      await upward.contact(this.#contact(session))
      if (this.#mustDiscover(session.device)) await this.#discover(session)
      while (session.state === 'acsTurn' && upward.hasNews(session.deviceId))
        await upward.contact(this.#contact(session))
      session.finish()
      this.#options.onSession?.('ended', session.rpcs)
    } catch (error) {
      log.info({ deviceId: session.deviceId, reason: errorText(error) }, 'CWMP session failed')
      session.drop('failed')
      this.#options.onSession?.('failed', session.rpcs)
    }
  }

  async #enrol(session: Session, log: Log): Promise<void> {
    const credential = await this.#options.credentials.get(session.deviceId)
    if (credential?.current !== undefined) return
    const refused = await enrol(session, credential, this.#enrolOptions())
    if (refused !== undefined)
      log.warn(
        { deviceId: session.deviceId, reason: refused },
        'CPE did not take its own credential; the enrolment secret stays valid for it',
      )
  }

  #enrolOptions(): EnrolOptions {
    return { ...this.#options, authenticator: this.#authenticator, types: this.#types }
  }

  #mustDiscover(device: Device): boolean {
    return this.#options.discovery !== 'none' && (device.cwmp?.discoveredFor ?? '') !== (device.softwareVersion ?? '?')
  }

  async #discover(session: Session): Promise<void> {
    if (this.#options.discovery === 'none') return
    const { devices, clock } = this.#options
    const root = session.device.root ?? 'Device.'
    const outcomes = await discover(session, root, this.#options.discovery, this.#types)
    const now = clock.now()
    const parameters = outcomes.flatMap((outcome): ParameterWrite[] =>
      outcome.value === undefined
        ? []
        : [
            {
              path: outcome.path,
              value: outcome.value,
              type: outcome.type ?? 'unknown',
              source: 'cwmp',
              collectedAt: now,
              ...(outcome.writable === undefined ? {} : { writable: outcome.writable }),
            },
          ],
    )
    const facts = factsFrom(parameters.map(({ path, value }) => ({ name: path, value })))
    const patch = factsPatch(session.device, facts)
    patch['cwmp.discoveredFor'] = session.device.softwareVersion ?? '?'
    if (facts.informIntervalS !== undefined && /^\d{1,9}$/.test(facts.informIntervalS))
      patch['cwmp.informIntervalS'] = Number(facts.informIntervalS)
    const { deviceId } = session
    const knows = (object: string) => this.#types.knowsObject(object)
    const read = { deviceId, objects: [root], results: outcomes, source: 'cwmp' as const, knows }
    const gone = await goneSince(read, this.#options.parameters)
    const change: DeviceChange = { deviceId, set: patch, parameters }
    if (gone.subtrees.length > 0) change.dropSubtrees = gone.subtrees
    if (gone.parameters.length > 0) change.dropParameters = gone.parameters
    await devices.commit(change)
    session.device = applyPatch(session.device, patch, now)
  }

  #contact(session: Session): Contact {
    const { device } = session
    const context = {
      types: this.#types,
      forgetCredential: async () => {
        await this.#options.credentials.delete(device.id)
        this.#authenticator.forget(device.id)
      },
    }
    return {
      deviceId: device.id,
      protocol: 'cwmp',
      lasting: false,
      signal: session.signal,
      workKnown: device.work.open,
      execute: (operation, hooks) => execute(session, operation, hooks, context),
    }
  }
}

/** The same id comes back; a request without one gets an answer without one (3.4.7). */
function replyHeader(envelope: CwmpEnvelope): { id?: string; useCwmpVersion?: string } {
  return envelope.header.id === undefined ? {} : { id: envelope.header.id }
}

/** The highest version both know, or what the namespace implies when the CPE lists none. */
function chooseVersion(envelope: CwmpEnvelope): string | undefined {
  const listed = envelope.header.supportedCwmpVersions
  if (listed === undefined) return versionOfUrn(envelope.urn)
  const theirs = listed.split(',').map((version) => version.trim())
  return SUPPORTED_VERSIONS.find((version) => theirs.includes(version))
}

function informFacts(
  inform: RequestOf<'Inform'>,
  envelope: CwmpEnvelope,
  socket: Socket,
  types: ParameterTypes,
): InformFacts {
  const { Manufacturer, OUI, ProductClass, SerialNumber } = inform.DeviceId
  return {
    identity: { oui: OUI, productClass: ProductClass, serial: SerialNumber },
    manufacturer: Manufacturer,
    events: inform.Event.map((event) => ({ code: event.EventCode.trim(), commandKey: event.CommandKey })),
    parameters: inform.ParameterList.map(({ name, value, type }) => ({ name, value, type: types.typeOf(name, type) })),
    version: versionOfUrn(envelope.urn),
    ...(socket.remoteAddress === undefined ? {} : { remoteAddress: socket.remoteAddress.replace(/^::ffff:/, '') }),
  }
}

/** An envelope as 200, nothing as 204. False when nobody is there to take it. */
function send(response: ServerResponse, envelope: string | undefined): boolean {
  if (response.destroyed || response.writableEnded || response.socket?.destroyed === true) return false
  if (envelope === undefined) {
    response.writeHead(204).end()
    return true
  }
  // As text it leaves in one write together with its head.
  const length = Buffer.byteLength(envelope)
  response.writeHead(200, { 'content-type': 'text/xml; charset="utf-8"', 'content-length': length }).end(envelope)
  return true
}

function plain(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return
  const bytes = Buffer.from(text)
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': bytes.length }).end(bytes)
}
