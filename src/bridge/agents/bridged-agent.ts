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
import { OwnControllers } from './own-controllers.ts'
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

/** The parts of an Agent whose files are open. */
interface OpenParts {
  local: LocalModel
  rows: OwnControllers
  model: BridgedModel
  watch: RouterWatch
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
  readonly #rows: OwnControllers
  /** The Controllers of the bridge, and those that the rows are made for. */
  #controllers: readonly AgentController[]
  #followed: readonly AgentController[]
  #trust: { trusted: string[]; trustedOnly: boolean }
  /** The proof that further links show. */
  #proof: AgentProof | undefined

  private constructor(options: BridgedAgentOptions, { local, rows, model, watch }: OpenParts) {
    const { identity, controllers, notifies, parts } = options
    this.identity = identity
    this.#local = local
    this.#rows = rows
    this.#parts = parts
    this.#watch = watch
    this.#controllers = controllers
    this.#followed = controllers
    this.#trust = trustOf(controllers)
    const websocket = websocketTransport(() => ({
      ...this.#trust,
      ...(this.#proof === undefined ? {} : { certificate: this.#proof.certificate, key: this.#proof.key }),
    }))
    this.#gate = new GatedTransport(websocket)
    const isManager = (id: string) => this.#controllers.some(({ endpointId }) => endpointId === id)
    this.#agent = new UspAgent({
      ...options,
      model,
      transport: this.#gate,
      endpointId: identity.endpointId,
      wallClock: options.clock,
      access: { roleOf: (endpointId) => (isManager(endpointId) ? MANAGER.name : undefined) },
      notifyStore: notifies.storeOf(identity.endpointId),
    })
  }

  /** Opens the state of the Agent of a router. AppError when a file cannot be read. */
  static async open(options: BridgedAgentOptions): Promise<BridgedAgent> {
    const { folder, identity, parts, controllers } = options
    const own = join(folder, 'agents', encodePart(identity.endpointId))
    const writes = await parts.openFiles(own)
    const local = await LocalModel.open(join(own, 'local.jsonl'), { [`${AGENT}EndpointID`]: identity.endpointId })
    const rows = await OwnControllers.open(local, own)
    await rows.follow(controllers)
    const watch = parts.watch(local, options.slots)
    const model = new BridgedModel(local, parts.reads, writes, () => watch.looked())
    return new BridgedAgent(options, { local, rows, model, watch })
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

  /**
   * Takes the Controllers of the bridge as they are now: takes leave at an address that is another one by now, and
   * connects to the new one with all subscriptions. Rejects when that cannot be stored, and is then to be called again.
   */
  async follow(controllers: readonly AgentController[]): Promise<void> {
    if (JSON.stringify(controllers) === JSON.stringify(this.#followed)) return
    // Links that the rows open are trusted by the certificates of now.
    this.#controllers = controllers
    this.#trust = trustOf(controllers)
    await this.#rows.follow(controllers)
    this.#followed = controllers
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

/** The certificates by which links are trusted. */
function trustOf(controllers: readonly AgentController[]): { trusted: string[]; trustedOnly: boolean } {
  const trusted = controllers.flatMap(({ certificate }) => certificate ?? [])
  // Every Agent has a TLS context of its own, in which those of the system take half a megabyte.
  return { trusted, trustedOnly: trusted.length === controllers.length && trusted.every(isOwnIssuer) }
}

/** True for a certificate by which nothing but itself and what it signed is trusted. */
function isOwnIssuer(pem: string): boolean {
  const { subject, issuer } = new X509Certificate(pem)
  return subject === issuer
}
