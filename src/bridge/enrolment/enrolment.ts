import { join } from 'node:path'
import { AppError, type Clock, defined, endsWithin, errorText, type Log, type Random } from '../../base/index.ts'
import { loginContext, type RouterLogin } from '../../domain/index.ts'
import { openSealed } from '../../security/index.ts'
import type { AgentController, AgentProof, FoundState, RouterRow, RouterRows } from '../agents/router-rows.ts'
import { readIfThere, writeDurably } from '../files/durable-file.ts'
import { AgentCertificates } from './agent-certificates.ts'
import type { BridgeIdentity } from './bridge-identity.ts'
import {
  type HeldCertificate,
  readAgentCertificates,
  readCertificate,
  readOwnBridge,
  readRouter,
  readRouters,
  type SealedRouter,
} from './server-answers.ts'
import type { ServerClient } from './server-client.ts'
import { readSnmpLogin } from './snmp-login.ts'
import { StateReports } from './state-reports.ts'

interface EnrolmentDeps {
  folder: string
  identity: BridgeIdentity
  server: ServerClient
  /** The token of POST /bridges; needed once. */
  token: string | undefined
  /** Version of this program. */
  version: string
  clock: Clock
  random: Pick<Random, 'fraction'>
  log: Log
  /** Milliseconds between two questions; default 5 s. */
  pollMs?: number
}

const POLL_MS = 5000
const MAX_POLL_MS = 60_000
const PAGE = 200
const STOP_MS = 3000
/** With a wrong clock each certificate is due at once: another one is asked for no sooner than after this time. */
const RENEWAL_MS = 600_000
/** Routers of a bridge that are read, at most. */
const MAX_ROUTERS = 20_000

/**
 * A bridge at its server: it registers once with its token, asks every five seconds whether its routers changed, and
 * reports their states. Routers and certificates are kept in the state folder, so that it also serves while the server
 * is away.
 */
export class Enrolment implements RouterRows {
  readonly #deps: EnrolmentDeps
  readonly #certificates: AgentCertificates
  readonly #reports: StateReports
  #onRows: (rows: readonly RouterRow[]) => void = () => undefined
  /** The number of the server with which the routers were read last; undefined: not since the start. */
  #version: number | undefined
  /** The Controller that was named with the routers last, as JSON. */
  #controller: string | undefined
  #failures = 0
  /** Time before which the certificate of the bridge is not renewed again. */
  #renewAfter = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined
  #polling: Promise<void> | undefined
  #stopped = false

  constructor(deps: EnrolmentDeps) {
    this.#deps = deps
    const { folder, clock, log } = deps
    this.#certificates = new AgentCertificates({
      folder,
      clock,
      order: async (routerIds) => {
        // The server judges by the identities that it has.
        await this.#reports.flush()
        const made = readAgentCertificates(await this.#call('POST', '/bridge/agents/certificates', { routerIds }))
        for (const one of made.values()) if ('certificate' in one) deps.identity.own(one)
        return made
      },
    })
    this.#reports = new StateReports({
      send: async (states) => void (await this.#call('POST', '/bridge/states', { states })),
      clock,
      log,
    })
  }

  get controllers(): readonly AgentController[] {
    const controller = this.#deps.identity.registered?.bridge.controller
    return controller === undefined ? [] : [controller]
  }

  /**
   * Registers if that was not done, and begins to ask. AppError when the bridge was never registered and cannot be now;
   * with an earlier registration it begins without the server, too.
   */
  async start(onRows: (rows: readonly RouterRow[]) => void): Promise<void> {
    this.#onRows = onRows
    const { identity, token, log } = this.#deps
    if (identity.registered === undefined) await this.#register(token)
    const kept = await this.#keptRouters()
    if (kept !== undefined) this.#show(kept)
    await this.#poll()
    const { controller, name } = identity.registered?.bridge ?? {}
    if (controller?.tls === false)
      log.warn({ host: controller.host }, 'USP of the server is without TLS: links of Agents prove nothing')
    log.info({ bridge: name, controller: controller?.endpointId }, 'the bridge is registered at its server')
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    this.#certificates.stop()
    const work = Promise.allSettled([this.#polling, this.#reports.flush()])
    await endsWithin(work, STOP_MS, this.#deps.clock)
    this.#reports.stop()
    this.#deps.server.close()
  }

  report(routerId: string, state: FoundState): void {
    this.#reports.add(routerId, state)
  }

  forget(routerId: string): void {
    this.#reports.forget(routerId)
  }

  proofOf(routerId: string, endpointId: string): Promise<AgentProof> {
    return this.#certificates.proofOf(routerId, endpointId, this.#deps.identity.key)
  }

  async #register(token: string | undefined): Promise<void> {
    const { identity, server, version } = this.#deps
    if (token === undefined)
      throw new AppError('invalid', 'the bridge is not registered yet: give it a token of POST /bridges with --token')
    const body = {
      certificateRequest: identity.certificateRequest(),
      sealingKey: identity.sealing.publicKey,
      version,
    }
    const answer = await server.call({ method: 'POST', path: '/bridge/registration', body, proof: { token } })
    await identity.keep({ bridge: readOwnBridge(answer), own: this.#ownOf(answer) })
  }

  #ownOf(answer: unknown): HeldCertificate {
    const { certificate } = (answer ?? {}) as { certificate?: unknown }
    return this.#deps.identity.own(readCertificate(certificate))
  }

  #call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const { identity, server } = this.#deps
    const proof = identity.requestKey
    if (proof === undefined) throw new AppError('unavailable', 'the bridge is not registered')
    return server.call({ method, path, proof, ...(body === undefined ? {} : { body }) })
  }

  /** Asks once, and plans the next time. Never rejects. */
  async #poll(): Promise<void> {
    this.#polling = this.#look()
    await this.#polling
    if (this.#stopped) return
    const { clock, random, pollMs = POLL_MS } = this.#deps
    const delay = Math.min(pollMs * 2 ** this.#failures, MAX_POLL_MS) * (0.75 + random.fraction() / 2)
    this.#cancel = clock.after(delay, () => void this.#poll())
  }

  async #look(): Promise<void> {
    const { log, identity, clock } = this.#deps
    try {
      const bridge = readOwnBridge(await this.#call('GET', '/bridge'))
      const { registered } = identity
      if (registered === undefined) return
      const { own } = registered
      const controller = JSON.stringify(bridge.controller)
      if (controller !== JSON.stringify(registered.bridge.controller)) await identity.keep({ bridge, own })
      if (controller !== this.#controller || this.#version !== bridge.routersVersion)
        await this.#readRouters(bridge.routersVersion)
      if (clock.now() >= Math.max(own.renewAt, this.#renewAfter)) {
        this.#renewAfter = clock.now() + RENEWAL_MS
        await identity.keep({ bridge, own: this.#ownOf(await this.#call('POST', '/bridge/certificate')) })
      }
      if (this.#failures > 0) log.info({}, 'the server answers again')
      this.#failures = 0
    } catch (error) {
      const isRefused = error instanceof AppError && error.code === 'unauthorized'
      if (this.#failures++ === 0 || isRefused)
        log.warn(
          { reason: errorText(error) },
          isRefused
            ? 'the server does not accept this bridge any more; remove the state folder and register with a new token'
            : 'the server does not answer; the bridge goes on with the routers that it knows',
        )
    }
  }

  async #readRouters(version: number): Promise<void> {
    const routers: SealedRouter[] = []
    for (let more = true; more; ) {
      const last = routers.at(-1)
      const after = last === undefined ? '' : `&after=${encodeURIComponent(last.id)}`
      const page = readRouters(await this.#call('GET', `/bridge/routers?limit=${PAGE}${after}`))
      routers.push(...page.items)
      more = page.more && page.items.length > 0
      if (routers.length > MAX_ROUTERS)
        throw new AppError(
          'tooLarge',
          `the server names more than ${MAX_ROUTERS} routers: spread them over more bridges`,
        )
    }
    await writeDurably(this.#routersPath, `${JSON.stringify(routers)}\n`)
    this.#version = version
    if (!this.#stopped) this.#show(routers)
  }

  get #routersPath(): string {
    return join(this.#deps.folder, 'routers.json')
  }

  /** The routers that were read last; undefined when there are none, or when they cannot be read. */
  async #keptRouters(): Promise<SealedRouter[] | undefined> {
    const text = await readIfThere(this.#routersPath)
    if (text === undefined) return undefined
    try {
      return (JSON.parse(text) as unknown[]).map(readRouter)
    } catch (error) {
      this.#deps.log.warn({ reason: errorText(error) }, 'the kept routers cannot be read; the server is asked for them')
      return undefined
    }
  }

  #show(routers: readonly SealedRouter[]): void {
    this.#controller = JSON.stringify(this.#deps.identity.registered?.bridge.controller)
    this.#onRows(routers.map(({ login, ...row }) => ({ ...row, login: this.#opened(row.address, login) })))
  }

  /** The login in plain; undefined when it was sealed to other keys than those of this process. */
  #opened(address: string, { sealed }: SealedRouter['login']): RouterLogin | undefined {
    const { identity } = this.#deps
    const bridgeId = identity.registered?.bridge.id ?? ''
    try {
      const text = openSealed(identity.sealing.privateKey, sealed, loginContext(bridgeId, address))
      const { username, password, snmp } = JSON.parse(text) as Partial<Record<keyof RouterLogin, unknown>>
      if (typeof username === 'string' && typeof password === 'string')
        return { username, password, ...defined({ snmp: readSnmpLogin(snmp) }) }
    } catch (error) {
      this.#deps.log.debug({ address, reason: errorText(error) }, 'a login cannot be opened')
    }
    return undefined
  }
}
