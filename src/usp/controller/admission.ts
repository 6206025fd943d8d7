import { errorText, type Log } from '../../base/index.ts'
import type { DeviceId, DeviceStore, EndpointId, LinkSecrets, Refusal } from '../../domain/index.ts'
import type { LinkRefusal, Newcomer } from '../mtp/index.ts'
import type { AgentLink, LinkProof } from './agent-link.ts'
import type { Claims } from './claims.ts'
import type { Refusals } from './refusals.ts'
import type { TurnedAway } from './turned-away.ts'

interface AdmissionDeps {
  /** Endpoint ID of the Controller. */
  endpointId: string
  devices: Pick<DeviceStore, 'findByEndpoint'>
  linkSecrets: Pick<LinkSecrets, 'prove' | 'ownerOf'>
  refusals: Refusals
  claims: Claims
  turnedAway: Pick<TurnedAway, 'hold'>
  log: Log
  onRefused?(reason: string): void
}

/** A link that may be opened: the device whose secret it shows, and the link that it replaces. */
interface Admitted {
  secretOf: DeviceId | undefined
  instead: AgentLink | undefined
}

export const NO_SECRET: Refusal = {
  code: 'noSecret',
  text: 'the device of this Endpoint ID has a secret in the path of its link, which this link does not show',
}
const NOT_ADMITTED: LinkRefusal = { kind: 'notAdmitted', text: 'the Agent is not admitted' }
const STANDS: LinkRefusal = { kind: 'tryAgain', text: 'this Endpoint ID has an open link whose Agent answers' }
const OWN: LinkRefusal = { kind: 'notAdmitted', text: 'the Endpoint ID is that of this Controller' }
const LATER: LinkRefusal = { kind: 'tryAgain', text: 'the Agent cannot be admitted now' }
const UNNAMED: Admitted = { secretOf: undefined, instead: undefined }

/**
 * Decides whether a link may be opened under its Endpoint ID, before anything is read from its Agent and before the
 * present link of that Endpoint ID is closed. Three checks decide: refusals of the Endpoint ID itself, the secret of
 * its device, and the present link.
 */
export class Admission {
  readonly #deps: AdmissionDeps
  /** Admitted clients whose link is about to be opened. */
  readonly #admitted = new WeakMap<Newcomer, Admitted>()

  constructor(deps: AdmissionDeps) {
    this.#deps = deps
  }

  /**
   * Judges a client before its link is opened; resolves with a refusal, or with undefined when the link may be opened.
   * Never rejects.
   */
  async admit(newcomer: Newcomer): Promise<LinkRefusal | undefined> {
    const judged = await this.#safely(newcomer)
    if ('kind' in judged) return judged
    this.#admitted.set(newcomer, judged)
    return undefined
  }

  /** Gives the link of an admitted client its Endpoint ID. The link is closed when another one took that ID since. */
  open(agent: AgentLink, newcomer: Newcomer): void {
    const admitted = this.#admitted.get(newcomer)
    if (admitted !== undefined && agent.endpointId !== '') this.#claim(agent, admitted)
  }

  /**
   * Judges an open link whose first Record names its Endpoint ID. Resolves with true when the link holds that ID now;
   * otherwise the link is closed, or held until it is. Never rejects.
   */
  async name(agent: AgentLink, endpointId: string): Promise<boolean> {
    const { link } = agent
    const { secret, remoteAddress: address } = link
    const judged = await this.#safely({ endpointId, certificate: false, secret, address })
    if (!link.isOpen) return false
    if (!('kind' in judged)) {
      link.endpointId = endpointId
      return this.#claim(agent, judged)
    }
    if (judged.kind === 'tryAgain') link.close('tryAgain', judged.text)
    else this.#deps.turnedAway.hold(agent, endpointId, judged.text)
    return false
  }

  #claim(agent: AgentLink, { secretOf, instead }: Admitted): boolean {
    agent.showsSecretOf(secretOf)
    const isTaken = this.#deps.claims.take(agent, instead)
    if (!isTaken) agent.link.close('tryAgain', 'another link of this Endpoint ID was opened')
    return isTaken
  }

  async #safely(newcomer: Newcomer): Promise<Admitted | LinkRefusal> {
    const { log, onRefused } = this.#deps
    try {
      return await this.#judge(newcomer)
    } catch (error) {
      onRefused?.('unavailable')
      log.info({ endpointId: newcomer.endpointId, reason: errorText(error) }, 'Agent could not be judged')
      return LATER
    }
  }

  async #judge(newcomer: Newcomer): Promise<Admitted | LinkRefusal> {
    const { refusals, claims, onRefused, log } = this.#deps
    const { endpointId, certificate, address } = newcomer
    if (endpointId === this.#deps.endpointId) return this.#refused('invalid', OWN)
    const refusal = refusals.atHandshake(endpointId, certificate, address)
    if (refusal?.code === 'noCertificate') return { kind: 'noCertificate', text: refusal.text }
    if (refusal !== undefined) return NOT_ADMITTED
    if (endpointId === '') return UNNAMED
    const secretOf = certificate ? undefined : await this.#secretOf(newcomer)
    if (secretOf === 'refused') {
      refusals.note({ endpointId, address, proven: false }, NO_SECRET)
      return NOT_ADMITTED
    }
    const proof: LinkProof = certificate ? 'certificate' : secretOf === undefined ? 'none' : 'secret'
    const contest = await claims.contest(endpointId, proof)
    if (contest.kind === 'free') return { secretOf, instead: contest.instead }
    log.debug({ endpointId, address, contest: contest.kind }, 'a link of this Endpoint ID stands')
    onRefused?.('linkStands')
    return contest.kind === 'weaker' ? NOT_ADMITTED : STANDS
  }

  /** Resolves with the device whose secret the link shows; 'refused' when the link must show another secret. */
  async #secretOf({ endpointId, secret }: Newcomer): Promise<DeviceId | 'refused' | undefined> {
    const { devices, linkSecrets } = this.#deps
    const device = await devices.findByEndpoint(endpointId as EndpointId)
    if (device !== undefined) {
      const proof = await linkSecrets.prove(device.id, secret)
      if (proof === 'required') return 'refused'
      if (proof !== 'notRequired') return device.id
    }
    // A secret that is not valid now proves nothing.
    const owner = secret === undefined ? undefined : await linkSecrets.ownerOf(secret)
    // The secret of another device must not be used for this one.
    return owner === undefined || device === undefined ? owner : 'refused'
  }

  #refused(reason: string, refusal: LinkRefusal): LinkRefusal {
    this.#deps.onRefused?.(reason)
    return refusal
  }
}
