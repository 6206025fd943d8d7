import { TransportError } from '../../base/index.ts'
import type { AgentTransport, ControllerLink, LinkEvents, LinkTarget } from '../../usp/index.ts'

/**
 * The links of one Agent while its router is reached. When the gate is shut, links are cut and dialling waits: a
 * Controller sees a device that is away, and asks it nothing. When it opens again, the Agent connects at once, as a
 * device does whose uplink was gone; it does not boot.
 */
export class GatedTransport implements AgentTransport {
  readonly #inside: AgentTransport
  readonly #links = new Set<ControllerLink>()
  readonly #waiting = new Set<{ go(): void; fail(error: Error): void }>()
  #isOpen = false
  #isStopped = false

  constructor(inside: AgentTransport) {
    this.#inside = inside
  }

  /** Links that are open. */
  get linkCount(): number {
    return this.#links.size
  }

  open(): void {
    this.#isOpen = true
    for (const { go } of this.#waiting) go()
    this.#waiting.clear()
  }

  shut(): void {
    this.#isOpen = false
    for (const link of this.#links) link.cut()
  }

  /** Ends all that waits; further dialling fails. */
  stop(): void {
    this.#isStopped = true
    for (const { fail } of this.#waiting) fail(stopped())
    this.#waiting.clear()
  }

  async dial(target: LinkTarget, events: LinkEvents): Promise<ControllerLink> {
    if (this.#isStopped) throw stopped()
    if (!this.#isOpen) await new Promise<void>((go, fail) => this.#waiting.add({ go, fail }))
    let link: ControllerLink | undefined
    const onClose = () => {
      if (link !== undefined) this.#links.delete(link)
      events.onClose()
    }
    link = await this.#inside.dial(target, { onRecord: (record) => events.onRecord(record), onClose })
    this.#links.add(link)
    // The router was lost while the link was opened.
    if (!this.#isOpen) link.cut()
    return link
  }
}

function stopped(): TransportError {
  return new TransportError('dial', 'the Agent stops', { sent: false })
}
