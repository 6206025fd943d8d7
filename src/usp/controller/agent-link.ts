import type { Clock, ProtocolError } from '../../base/index.ts'
import { applyPatch, type Device, type DeviceId, type DevicePatch, type LinkEnd } from '../../domain/index.ts'
import type { Link } from '../mtp/index.ts'
import { type Codec, type ConnectKind, type Msg, type RequestName, type Requests, uspErrorRow } from '../wire/index.ts'
import { AgentRequests, type Reply, type RequestOptions } from './agent-requests.ts'

/** The proof that a link belongs to its Endpoint ID: a client certificate, the secret of a device, or nothing. */
export type LinkProof = 'certificate' | 'secret' | 'none'

export interface AgentLinkOptions {
  link: Link
  /** The Record with which an Agent opens the MTP of this link. */
  connectRecord: ConnectKind
  /** Different for every link of every server process. */
  id: string
  codec: Codec
  /** Endpoint ID of the Controller. */
  ownId: string
  clock: Clock
  /** Called when a request has no answer in time. */
  onTimeout?(agent: AgentLink): void
  /** Called for every Message; given only where Messages are logged. */
  onMessage?(agent: AgentLink, direction: 'Message sent' | 'Message received', msg: Msg): void
}

/**
 * One link and its Agent: the device that it is joined to, and the Messages to it. Other state is kept by the class
 * that needs it.
 */
export class AgentLink {
  readonly link: Link
  readonly connectRecord: ConnectKind
  /** Different for every link of every server process. */
  readonly id: string
  /** Endpoint ID of the Controller. */
  readonly ownId: string
  readonly #codec: Codec
  readonly #requests: AgentRequests
  readonly #onMessage: AgentLinkOptions['onMessage']
  #device: Device | undefined
  #connectedAt = 0
  #secretOf: DeviceId | undefined
  #isRefused = false
  #ownRow = ''
  #firmware: string | undefined
  #isHeldBack = false
  #end: LinkEnd | undefined
  #onGone: (() => void) | undefined
  #gone: Promise<void> | undefined

  constructor({ link, connectRecord, id, codec, ownId, clock, onTimeout, onMessage }: AgentLinkOptions) {
    this.link = link
    this.connectRecord = connectRecord
    this.id = id
    this.ownId = ownId
    this.#codec = codec
    this.#onMessage = onMessage
    this.#requests = new AgentRequests({
      id,
      clock,
      send: (msg) => this.send(msg),
      onOutstanding: () => this.#regulate(),
      onTimeout: () => onTimeout?.(this),
    })
  }

  get endpointId(): string {
    return this.link.endpointId
  }

  get proof(): LinkProof {
    if (this.link.proof === 'certificate') return 'certificate'
    return this.#secretOf === undefined ? 'none' : 'secret'
  }

  /** The device whose secret the link shows. */
  get secretOf(): DeviceId | undefined {
    return this.#secretOf
  }

  showsSecretOf(deviceId: DeviceId | undefined): void {
    this.#secretOf = deviceId
  }

  /** The device, once the Agent is joined to one. */
  get device(): Device | undefined {
    return this.#device
  }

  /** usp.connectedAt of the device; 0 until the Agent is joined. */
  get connectedAt(): number {
    return this.#connectedAt
  }

  /** Joins the Agent to a device whose record names this link by `connectedAt`. */
  join(device: Device, connectedAt: number): void {
    this.#device = device
    this.#connectedAt = connectedAt
  }

  /** Brings the device up to date with a change that was stored. */
  update(patch: DevicePatch, now: number): void {
    if (this.#device !== undefined) this.#device = applyPatch(this.#device, patch, now)
  }

  /** True when the Agent is not admitted: nothing that it sends is read. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  refuse(): void {
    this.#isRefused = true
  }

  /** The row of this Controller in the Controller table of the Agent, with the last dot; '' while unknown. */
  get ownRow(): string {
    return this.#ownRow
  }

  foundOwnRow(path: string): void {
    this.#ownRow = path
  }

  /** Returns true once for each version: a Notify and an onboarding may find the same change at the same time. */
  isNewFirmware(version: string | undefined): boolean {
    if (version === undefined || version === this.#firmware) return false
    this.#firmware = version
    return true
  }

  /** The change of firmware could not be stored: it is new once more. */
  forgetFirmware(): void {
    this.#firmware = undefined
  }

  get closed(): boolean {
    return this.#end !== undefined
  }

  /** Resolves when the link has ended. */
  get gone(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.#gone ??= new Promise((resolve) => {
      this.#onGone = resolve
    })
    return this.#gone
  }

  /** The reason for which the link ended; `connectionLost` while it is open. */
  get end(): LinkEnd {
    return this.#end ?? 'connectionLost'
  }

  /** Sends a request when those before it are answered; see AgentRequests. */
  request<N extends RequestName>(name: N, body: Requests[N], options?: RequestOptions): Promise<Reply<N>> {
    return this.#requests.request(name, body, options)
  }

  /**
   * Reads one parameter that every Agent has (TR-181 Device.LocalAgent.EndpointID), beside the requests that wait.
   * Rejects with TransportError when there is no answer; an Error is an answer.
   */
  async probe(timeoutMs: number): Promise<void> {
    const body = { param_paths: ['Device.LocalAgent.EndpointID'], max_depth: 0 }
    await this.#requests.exchange('get', body, { timeoutMs })
  }

  /** Reads no more from the Agent while `isFull`, except the answers to requests that are out. */
  holdBack(isFull: boolean): void {
    this.#isHeldBack = isFull
    this.#regulate()
  }

  #regulate(): void {
    // Answers come over the same connection, and the work that fills it may wait for one.
    if (this.#isHeldBack && !this.#requests.hasOutstanding) this.link.pause()
    else this.link.resume()
  }

  /** Sends any Message; false when the link does not take it. */
  send(msg: Msg): boolean {
    this.#onMessage?.(this, 'Message sent', msg)
    return this.link.send(this.#codec.encode(this.endpointId, this.ownId, msg))
  }

  /** Logs a Message that was received. */
  received(msg: Msg): void {
    this.#onMessage?.(this, 'Message received', msg)
  }

  /** Gives a Response or Error to the request that it answers; false when no request waits for its msg_id. */
  answered(msg: Exclude<Msg, { kind: 'request' }>): boolean {
    return this.#requests.answered(msg)
  }

  /** Ends the request whose answer cannot be read; false when no request waits for its msg_id. */
  unreadable(msgId: string, error: ProtocolError): boolean {
    return this.#requests.unreadable(msgId, error)
  }

  /** The link has ended: requests without an answer reject. */
  close(end: LinkEnd): void {
    this.#end = end
    this.#onGone?.()
    this.#requests.end()
  }
}

/** Returns a USP error as operations report it. */
export function uspError({ err_code, err_msg }: { err_code: number; err_msg: string }): {
  code: string
  text: string
  retryable: boolean
} {
  const row = uspErrorRow(err_code)
  return { code: String(err_code), text: err_msg === '' ? row.text : err_msg.slice(0, 1024), retryable: row.retryable }
}
