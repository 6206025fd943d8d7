import type { Link } from '../mtp/index.ts'
import type { AgentLink } from './agent-link.ts'

/**
 * Registry of the links that are open, over all MTPs: one for each Link, at most one for each Endpoint ID and for each
 * device.
 */
export class Links {
  readonly #byLink = new Map<Link, AgentLink>()
  readonly #byEndpoint = new Map<string, AgentLink>()
  readonly #byDevice = new Map<string, AgentLink>()

  add(agent: AgentLink): void {
    this.#byLink.set(agent.link, agent)
  }

  /** Removes a link that has ended. Returns true when it was the link of its device. */
  remove(agent: AgentLink): boolean {
    this.#byLink.delete(agent.link)
    this.releaseEndpoint(agent)
    const { device } = agent
    return device !== undefined && this.#byDevice.get(device.id) === agent && this.#byDevice.delete(device.id)
  }

  /** Returns the Agent of a link that was added. */
  of(link: Link): AgentLink {
    const agent = this.#byLink.get(link)
    if (agent === undefined) throw new Error('a link that was not opened')
    return agent
  }

  /** Returns the link that holds an Endpoint ID. */
  ofEndpoint(endpointId: string): AgentLink | undefined {
    return this.#byEndpoint.get(endpointId)
  }

  /** Gives the Endpoint ID of a link to that link, and closes the link that held it before. */
  claimEndpoint(agent: AgentLink): void {
    const former = this.#byEndpoint.get(agent.endpointId)
    this.#byEndpoint.set(agent.endpointId, agent)
    if (former !== agent) former?.link.close('replaced', 'a newer link of this Endpoint ID was opened')
  }

  /** Frees the Endpoint ID of a link. */
  releaseEndpoint(agent: AgentLink): void {
    if (this.#byEndpoint.get(agent.endpointId) === agent) this.#byEndpoint.delete(agent.endpointId)
  }

  /** Returns the link over which a device is joined. */
  ofDevice(deviceId: string): AgentLink | undefined {
    return this.#byDevice.get(deviceId)
  }

  /** Makes a link that of its device; returns the other link that was it before. */
  claimDevice(agent: AgentLink, deviceId: string): AgentLink | undefined {
    const former = this.#byDevice.get(deviceId)
    this.#byDevice.set(deviceId, agent)
    return former === agent ? undefined : former
  }

  /** The links of joined devices. */
  get devices(): ReadonlyMap<string, AgentLink> {
    return this.#byDevice
  }

  all(): IterableIterator<AgentLink> {
    return this.#byLink.values()
  }
}
