import type { ServerResponse } from 'node:http'
import type { Log, ProtocolError } from '../../../base/index.ts'
import type { DeviceId, DeviceIdentity, DeviceStore } from '../../../domain/index.ts'
import { type CwmpEnvelope, type DeviceIdStruct, encodeEnvelope } from '../../wire/index.ts'
import { send } from '../http/respond.ts'
import type { AuthResult, Shown } from '../login/authenticate.ts'
import type { Refusals } from '../login/refusals.ts'
import { faultOf } from '../session/cpe-requests.ts'
import { identityOf, idOf, replyHeader } from './inform.ts'

interface BadInformsOptions {
  devices: Pick<DeviceStore, 'get'>
  refusals: Pick<Refusals, 'tell'>
  /** Limited: anybody can send a bad Inform. */
  lines: Log
  /** Returns the identity of the CPE; undefined when it was refused and answered. */
  authenticate(
    id: DeviceId,
    identity: DeviceIdentity,
    shown: Shown,
    response: ServerResponse,
  ): Promise<AuthResult | undefined>
  onRefused?(reason: string): void
}

/** Informs that say nothing sensible: 8003, which ends the session before it began (TR-069 A.5.2). */
export class BadInforms {
  readonly #options: BadInformsOptions

  constructor(options: BadInformsOptions) {
    this.#options = options
  }

  /**
   * Refuses an Inform whose arguments break their declaration. A sender that proves to be a device on record gets
   * an event there.
   */
  async refuse(
    response: ServerResponse,
    envelope: CwmpEnvelope,
    { error, sender }: { error?: ProtocolError; sender?: DeviceIdStruct },
    shown: Shown,
  ): Promise<void> {
    const { devices, refusals, authenticate } = this.#options
    const identity = sender === undefined ? undefined : identityOf(sender)
    const id = identity === undefined ? undefined : idOf(identity)
    if (identity !== undefined && typeof id === 'string') {
      if ((await authenticate(id, identity, shown, response)) === undefined) return
      const text = `its Inform cannot be read: ${error?.message ?? 'it has no arguments'}`
      if ((await devices.get(id)) !== undefined)
        await refusals.tell(id, { reason: 'inform', address: shown.address, text })
    }
    this.answer(response, envelope, shown, identity, error)
  }

  /** Answers 8003 and logs the sender and the reason. */
  answer(
    response: ServerResponse,
    envelope: CwmpEnvelope,
    { address }: Shown,
    identity: DeviceIdentity | undefined,
    error?: ProtocolError,
  ): void {
    this.#options.onRefused?.(error?.code ?? 'inform')
    this.#options.lines.warn({ address, identity, reason: error?.message, context: error?.context }, 'Inform refused')
    send(response, encodeEnvelope(envelope.urn, replyHeader(envelope), faultOf(error)))
  }
}
