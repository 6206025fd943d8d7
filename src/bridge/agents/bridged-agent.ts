import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, errorText, type Log, type Random } from '../../base/index.ts'
import { encodePart, type RouterIdentity } from '../../domain/index.ts'
import { type Codec, MANAGER, type NotifyFile, UspAgent, websocketTransport } from '../../usp/index.ts'
import type { PollSlots } from '../changes/poll-slots.ts'
import type { RouterWatch } from '../changes/router-watch.ts'
import type { Restart } from '../commands/command.ts'
import { BridgedModel } from '../model/bridged-model.ts'
import { LocalModel } from '../model/local-model.ts'
import { GatedTransport } from './gated-transport.ts'
import type { RouterParts } from './router-parts.ts'
import type { AgentController, AgentProof } from './router-rows.ts'

interface BridgedAgentOptions {
  /** The state folder of the bridge. */
  folder: string
  identity: RouterIdentity
  parts: RouterParts
  controllers: readonly AgentController[]
  notifies: NotifyFile
  slots: PollSlots
  codec: Codec
  clock: Clock
  random: Random
  log: Log
}

const AGENT = 'Device.LocalAgent.'

/** The Agent of one router: its model, its own tree and its links, with its state in a folder of its own. */
export class BridgedAgent {
  readonly identity: RouterIdentity
  readonly #agent: UspAgent
  readonly #gate: GatedTransport
  readonly #local: LocalModel
  readonly #parts: RouterParts
  readonly #watch: RouterWatch
  /** The proof that further links show. */
  #proof: AgentProof | undefined

  private constructor(options: BridgedAgentOptions, local: LocalModel, model: BridgedModel, watch: RouterWatch) {
    const { identity, controllers, notifies, parts } = options
    this.identity = identity
    this.#local = local
    this.#parts = parts
    this.#watch = watch
    const certificates = controllers.flatMap(({ certificate }) => certificate ?? [])
    // Every Agent has a TLS context of its own, in which those of the system take half a megabyte.
    const trustedOnly = certificates.length === controllers.length && certificates.every(isOwnIssuer)
    const websocket = websocketTransport(() => ({
      trusted: certificates,
      trustedOnly,
      ...(this.#proof === undefined ? {} : { certificate: this.#proof.certificate, key: this.#proof.key }),
    }))
    this.#gate = new GatedTransport(websocket)
    const managers = new Set(controllers.map(({ endpointId }) => endpointId))
    this.#agent = new UspAgent({
      ...options,
      model,
      transport: this.#gate,
      endpointId: identity.endpointId,
      wallClock: options.clock,
      access: { roleOf: (endpointId) => (managers.has(endpointId) ? MANAGER.name : undefined) },
      notifyStore: notifies.storeOf(identity.endpointId),
    })
  }

  /** Opens the state of the Agent of a router. AppError when a file cannot be read. */
  static async open(options: BridgedAgentOptions): Promise<BridgedAgent> {
    const { folder, identity, parts, controllers } = options
    const own = join(folder, 'agents', encodePart(identity.endpointId))
    const writes = await parts.openFiles(own)
    const seed = { [`${AGENT}EndpointID`]: identity.endpointId, ...controllerRows(controllers, true) }
    const local = await LocalModel.open(join(own, 'local.jsonl'), seed)
    await local.put(await changedAddresses(local, controllers))
    const watch = parts.watch(local, options.slots)
    const model = new BridgedModel(local, parts.reads, writes, () => watch.looked())
    return new BridgedAgent(options, local, model, watch)
  }

  /** Links that are open. */
  get linkCount(): number {
    return this.#gate.linkCount
  }

  /** Notifications since the Agent was made. */
  get notifies(): number {
    return this.#agent.counters.notifies
  }

  /** Bytes of its files, and of those of its router. */
  get bytes(): { local: number; numbers: number; intents: number } {
    return { local: this.#local.bytes, ...this.#parts.bytes }
  }

  /** Begins to connect, when the router is reached. */
  start(proof: AgentProof | undefined, restart: Restart | undefined): void {
    this.#proof = proof
    this.#agent.start({
      cause: restart?.cause ?? 'LocalReboot',
      commandKey: restart?.commandKey ?? '',
      firmwareUpdated: false,
    })
  }

  /** The router has booted: the Agent does, too. */
  reboot(restart: Restart | undefined): void {
    this.#agent.stop(false)
    this.start(this.#proof, restart)
  }

  /** Further links show this proof. */
  renew(proof: AgentProof | undefined): void {
    this.#proof = proof
  }

  /** Opens links while the router is reached, and cuts them while it is not. */
  setReached(isReached: boolean): void {
    this.#watch.setReached(isReached)
    if (isReached) this.#gate.open()
    else this.#gate.shut()
  }

  /** Takes leave of the Controllers, and closes the files. Never rejects. */
  async stop(log: Log): Promise<void> {
    this.#agent.stop(true)
    this.#gate.stop()
    const ends = await Promise.allSettled([this.#local.close(), this.#parts.close()])
    for (const end of ends)
      if (end.status === 'rejected') log.warn({ reason: errorText(end.reason) }, 'a file of a router was not closed')
  }
}

/** True for a certificate by which nothing but itself and what it signed is trusted. */
function isOwnIssuer(pem: string): boolean {
  const { subject, issuer } = new X509Certificate(pem)
  return subject === issuer
}

/** The values of the Controllers that every Agent begins with. */
function controllerRows(controllers: readonly AgentController[], isNew: boolean): Record<string, string> {
  const values: Record<string, string> = {}
  for (const [index, { endpointId, host, port, path, tls }] of controllers.entries()) {
    const row = `${AGENT}Controller.${index + 1}.`
    if (isNew) {
      values[`${row}EndpointID`] = endpointId
      values[`${row}Enable`] = 'true'
      values[`${row}PeriodicNotifInterval`] = '300'
      values[`${row}OnBoardingComplete`] = 'false'
      values[`${row}MTP.1.Protocol`] = 'WebSocket'
      values[`${row}MTP.1.Enable`] = 'true'
    }
    values[`${row}MTP.1.WebSocket.Host`] = host
    values[`${row}MTP.1.WebSocket.Port`] = String(port)
    values[`${row}MTP.1.WebSocket.Path`] = path
    values[`${row}MTP.1.WebSocket.EnableEncryption`] = String(tls)
  }
  return values
}

/**
 * Returns the addresses of Controllers that are other ones than those of the rows that the bridge made. A row that names
 * another Controller by now, or was deleted, is the Controllers' own.
 */
async function changedAddresses(
  local: LocalModel,
  controllers: readonly AgentController[],
): Promise<Record<string, string>> {
  const changed: Record<string, string> = {}
  for (const [index, controller] of controllers.entries()) {
    const id = `${AGENT}Controller.${index + 1}.EndpointID`
    if ((await local.get([id])).get(id) !== controller.endpointId) continue
    const wanted = controllerRows([controller], false)
    const here = Object.entries(wanted).map(
      ([path, value]) => [path.replace('.Controller.1.', `.Controller.${index + 1}.`), value] as const,
    )
    const present = await local.get(here.map(([path]) => path))
    for (const [path, value] of here) if (present.has(path) && present.get(path) !== value) changed[path] = value
  }
  return changed
}
