import type { Model } from '../../datamodel/index.ts'
import type { Contact, Device, Upward } from '../../domain/index.ts'
import type { AgentLink } from './agent-link.ts'
import { execute } from './execute.ts'
import type { Liveness } from './liveness.ts'
import type { SupportedModels } from './supported-models.ts'

interface ContactsDeps {
  upward: Pick<Upward, 'contact'>
  liveness: Pick<Liveness, 'answers'>
  models: Pick<SupportedModels, 'full'>
  model: Model
}

/**
 * Offers joined devices to operations while their Agents answer: an operation that is sent to a silent Agent holds up
 * the others.
 */
export class Contacts {
  readonly #deps: ContactsDeps
  readonly #offered = new Map<AgentLink, AbortController>()

  constructor(deps: ContactsDeps) {
    this.#deps = deps
  }

  /** Offers the device of a link; does nothing when it is offered already or its Agent does not answer. */
  offer(agent: AgentLink): void {
    const { device } = agent
    const { liveness, upward } = this.#deps
    if (device === undefined || agent.closed || this.#offered.has(agent) || !liveness.answers(agent)) return
    const contact = new AbortController()
    this.#offered.set(agent, contact)
    // Resolves when the contact ends: a stop does not wait for it.
    void upward.contact(this.#contact(agent, device, contact.signal))
  }

  /** Ends the contact of a link. */
  end(agent: AgentLink): void {
    this.#offered.get(agent)?.abort()
    this.#offered.delete(agent)
  }

  #contact(agent: AgentLink, device: Device, signal: AbortSignal): Contact {
    const { model, models } = this.#deps
    const supported = () => models.full(agent.device ?? device)
    return {
      deviceId: device.id,
      protocol: 'usp',
      lasting: true,
      signal,
      // The record was read when the link was opened; work may have been added since.
      workKnown: true,
      execute: (operation, hooks) => execute(agent, operation, hooks, { model, supported }),
    }
  }
}
