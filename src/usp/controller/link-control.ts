import { TransportError } from '../../base/index.ts'
import { CLOSE_REASONS, type CloseReason, type EventType, type FeedEvent, type UspLinks } from '../../domain/index.ts'
import type { Links } from './links.ts'
import type { Refusals } from './refusals.ts'
import type { SupportedModels } from './supported-models.ts'
import type { TurnedAway } from './turned-away.ts'

interface LinkControlDeps {
  links: Links
  refusals: Pick<Refusals, 'heed'>
  turnedAway: Pick<TurnedAway, 'release'>
  models: Pick<SupportedModels, 'forget'>
}

/** Events of any instance that the Controller of each instance heeds. */
export const HEEDED_EVENTS: readonly EventType[] = [
  'device.deleted',
  'device.bound',
  'device.unbound',
  'device.conflict',
  'device.linkReleased',
  'agent.blocked',
  'agent.unblocked',
  'supportedModel.deleted',
]

/** Time for an Agent to answer a question of the planner. */
const ASK_TIMEOUT_MS = 10_000

/** Sentences for the log of the Agent. */
const CLOSE_TEXTS: Readonly<Record<CloseReason, string>> = {
  policy: 'the Agent is not admitted',
  tryAgain: 'the Agent cannot be served now',
  goingAway: 'the Controller stops',
  unsupported: 'this is not supported',
  replaced: 'a newer link took over',
  notAnswering: 'requests were not answered',
  rolledBack: 'the device is managed over CWMP again',
}

/** Closes and probes links for other rooms: by the events of the feed, and by device for the planner. */
export class LinkControl implements UspLinks {
  readonly #deps: LinkControlDeps

  constructor(deps: LinkControlDeps) {
    this.#deps = deps
  }

  close(deviceId: string, reason: CloseReason): Promise<void> {
    const agent = this.#deps.links.ofDevice(deviceId)
    if (agent === undefined) return Promise.resolve()
    agent.link.close(reason, CLOSE_TEXTS[reason])
    return agent.gone
  }

  async ask(deviceId: string): Promise<'answered' | 'silent' | 'elsewhere'> {
    const agent = this.#deps.links.ofDevice(deviceId)
    if (agent === undefined || agent.closed) return 'elsewhere'
    try {
      await agent.probe(ASK_TIMEOUT_MS)
      return 'answered'
    } catch (error) {
      return error instanceof TransportError ? 'silent' : 'answered'
    }
  }

  /**
   * Takes an event of the feed that changes which Agents are admitted, or which models are known. Links that are not
   * admitted now are closed.
   */
  heed(event: FeedEvent): void {
    const { links, models, refusals, turnedAway } = this.#deps
    const { type, deviceId, data } = event
    refusals.heed(event)
    if (type === 'device.linkReleased' && deviceId !== undefined) this.#release(deviceId, data)
    // Its Agent comes again, and is judged anew.
    if (type === 'device.deleted' && deviceId !== undefined)
      links.ofDevice(deviceId)?.link.close('tryAgain', 'the record of this device is gone')
    if (type === 'supportedModel.deleted') models.forget(String(data.model))
    if (type === 'device.bound' || type === 'device.unbound') {
      const agent = deviceId === undefined ? undefined : links.ofDevice(deviceId)
      const stays = (agent?.endpointId === data.endpointId) === (type === 'device.bound')
      if (!stays) agent?.link.close('policy', 'the Endpoint ID does not belong to this device any more')
    }
    if (type === 'device.bound' || type === 'agent.unblocked') turnedAway.release(String(data.endpointId))
    if (type !== 'device.conflict' && type !== 'agent.blocked') return
    for (const { endpointId, link, isRefused } of links.all())
      if (endpointId === data.endpointId && !isRefused && (type === 'agent.blocked' || link.proof !== 'certificate'))
        link.close('policy', 'the Agent is not admitted any more')
  }

  /** Ends a link that is named by its device and the time at which it was joined; a later link of the device stays. */
  #release(deviceId: string, { connectedAt, reason }: FeedEvent['data']): void {
    const agent = this.#deps.links.ofDevice(deviceId)
    const known = CLOSE_REASONS.find((name) => name === reason)
    if (agent?.connectedAt === connectedAt && known !== undefined) agent?.link.close(known, CLOSE_TEXTS[known])
  }
}
