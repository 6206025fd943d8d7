import type { Clock, Random } from '../base/index.ts'
import type { InstanceTree, TreeChange } from '../tree/index.ts'
import {
  type AgentTransport,
  type Codec,
  type ControllerLink,
  type LinkEvents,
  type LinkTarget,
  retryWaitMs,
} from '../usp/index.ts'

const CONTROLLER = /^Device\.LocalAgent\.Controller\.\d+\.$/
const CONTROLLER_ENABLE = /^(Device\.LocalAgent\.Controller\.\d+\.)(?:MTP\.\d+\.)?Enable$/
const CONTROLLER_MTP = /^(Device\.LocalAgent\.Controller\.\d+\.)MTP\.\d+\.$/

interface DeafLinksOptions {
  /** The tree with the Controller table. */
  tree: InstanceTree
  codec: Codec
  /** For the waits between two attempts to connect. */
  clock: Clock
  random: Random
}

/** A link without a Controller row: it is dialled again when it breaks, and nothing that comes over it is read. */
interface DeafLink {
  target: LinkTarget
  /** Undefined between two connections. */
  link: ControllerLink | undefined
  goodbye: Uint8Array
  attempt: number
  ended: boolean
  cancel?: () => void
}

/** The links of an Agent with the quirk `deaf`: the deletion of a Controller row does not end its link. */
export class DeafLinks implements AgentTransport {
  readonly #inner: AgentTransport
  readonly #options: DeafLinksOptions
  /** By Endpoint ID of the Controller. */
  readonly #deaf = new Map<string, DeafLink>()
  /** Rows that are not dialled before the next start. */
  readonly #undialled = new Set<string>()
  readonly #disabled = new Set<string>()
  readonly #deleted = new Set<string>()

  constructor(inner: AgentTransport, options: DeafLinksOptions) {
    this.#inner = inner
    this.#options = options
    options.tree.onChange((change) => this.#onChange(change))
  }

  /** Open links without a Controller row. */
  get count(): number {
    return [...this.#deaf.values()].filter(({ link }) => link !== undefined).length
  }

  /** Resolves when the link is open. Stays pending for a row that is not dialled before the next start. */
  async dial(target: LinkTarget, events: LinkEvents): Promise<ControllerLink> {
    if (this.#end(target.controllerId, true)) this.#undialled.add(target.row)
    if (this.#undialled.has(target.row)) return new Promise(() => undefined)
    let deaf: DeafLink | undefined
    const link = await this.#inner.dial(target, {
      onRecord: (record) => deaf === undefined && events.onRecord(record),
      onClose: () => (deaf === undefined ? events.onClose() : this.#again(deaf)),
    })
    return {
      ...link,
      leave: (goodbye) => {
        if (!this.#deleted.has(target.row) || this.#disabled.has(target.row)) return link.leave(goodbye)
        this.#end(target.controllerId, true)
        deaf = { target, link, goodbye, attempt: 0, ended: false }
        this.#deaf.set(target.controllerId, deaf)
      },
    }
  }

  /** Ends all links without a row: the device stops. Rows are dialled again afterwards. */
  stop(graceful: boolean): void {
    for (const controllerId of [...this.#deaf.keys()]) this.#end(controllerId, graceful)
    for (const rows of [this.#undialled, this.#disabled, this.#deleted]) rows.clear()
  }

  #onChange({ kind, path, value }: TreeChange): void {
    if (kind === 'deleted') {
      if (CONTROLLER.test(path)) this.#deleted.add(path)
      const row = CONTROLLER_MTP.exec(path)?.[1]
      if (row !== undefined) this.#disabled.add(row)
    }
    const row = kind === 'value' ? CONTROLLER_ENABLE.exec(path)?.[1] : undefined
    if (row === undefined) return
    if (value === 'true') this.#disabled.delete(row)
    else this.#disabled.add(row)
  }

  /** Ends the link without a row to a Controller; false when there is none. */
  #end(controllerId: string, graceful: boolean): boolean {
    const deaf = this.#deaf.get(controllerId)
    if (deaf === undefined) return false
    this.#deaf.delete(controllerId)
    deaf.ended = true
    deaf.cancel?.()
    if (graceful) deaf.link?.leave(deaf.goodbye)
    else deaf.link?.cut()
    return true
  }

  #again(deaf: DeafLink): void {
    deaf.link = undefined
    if (deaf.ended) return
    const { clock, random } = this.#options
    deaf.cancel = clock.after(retryWaitMs(++deaf.attempt, 5, 2000, random.fraction()), () => this.#redial(deaf))
  }

  #redial(deaf: DeafLink): void {
    const { target } = deaf
    this.#inner.dial(target, { onRecord: () => undefined, onClose: () => this.#again(deaf) }).then(
      (link) => {
        if (deaf.ended) return link.cut()
        deaf.link = link
        deaf.attempt = 0
        link.send(this.#connectRecord(target))
      },
      () => this.#again(deaf),
    )
  }

  #connectRecord({ controllerId, endpointId }: LinkTarget): Uint8Array {
    return this.#options.codec.encodeRecord({
      toId: controllerId,
      fromId: endpointId,
      body: { kind: 'websocketConnect' },
    })
  }
}
