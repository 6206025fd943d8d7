import { type Clock, ProtocolError } from '../../../base/index.ts'
import type { DeviceStore, Upward } from '../../../domain/index.ts'
import {
  type CwmpEnvelope,
  type CwmpFault,
  faultRow,
  type RequestOf,
  type RpcName,
  type SendableMessage,
} from '../../wire/index.ts'
import type { Session } from './session.ts'

interface CpeRequestsOptions {
  devices: DeviceStore
  upward: Upward
  clock: Clock
}

/** Requests of one CPE in one session; a CPE with more is at fault. */
const MAX_REQUESTS = 256

/** The RPCs that the ACS answers: GetRPCMethods lists exactly these (TR-069 A.3.1.1). */
const METHODS: RpcName[] = [
  'Inform',
  'GetRPCMethods',
  'TransferComplete',
  'AutonomousTransferComplete',
  'RequestDownload',
  'DUStateChangeComplete',
  'AutonomousDUStateChangeComplete',
  'Kicked',
]

/** Serves what a CPE asks within its session. Everything that it reports is durable before it is acknowledged. */
export class CpeRequests {
  readonly #options: CpeRequestsOptions

  constructor(options: CpeRequestsOptions) {
    this.#options = options
  }

  /** The response, or the fault where the method or its arguments are not to be had. */
  async answer(session: Session, { message }: CwmpEnvelope): Promise<SendableMessage> {
    session.move('cpeRequest')
    if (++session.cpeRequests > MAX_REQUESTS)
      throw new ProtocolError('tooMany', `more than ${MAX_REQUESTS} requests of the CPE in one session`)
    if (message.kind === 'unknown') return faultOf(message.error)
    if (message.kind !== 'request') return faultOf()
    switch (message.name) {
      case 'GetRPCMethods':
        return { kind: 'response', name: 'GetRPCMethods', body: { MethodList: METHODS } }
      case 'TransferComplete':
        await this.#transferComplete(session, message.body)
        await this.#note(session, message.name, message.body)
        return { kind: 'response', name: 'TransferComplete', body: {} }
      case 'AutonomousTransferComplete': {
        const { AnnounceURL: _a, TransferURL: _t, ...facts } = message.body
        await this.#note(session, message.name, facts)
        return { kind: 'response', name: message.name, body: {} }
      }
      case 'RequestDownload':
      case 'DUStateChangeComplete':
      case 'AutonomousDUStateChangeComplete':
        await this.#note(session, message.name, message.body)
        return { kind: 'response', name: message.name, body: {} }
      case 'Kicked':
        await this.#note(session, 'Kicked', { Command: message.body.Command })
        return { kind: 'response', name: 'Kicked', body: { NextURL: message.body.Next } }
      default:
        return faultOf()
    }
  }

  /**
   * Handles a TransferComplete. It can arrive twice, and before or after the boot it belongs to: completing a completed
   * operation does nothing. One without a CommandKey belongs to the transfer of the Inform's `M Download`.
   */
  async #transferComplete(session: Session, body: RequestOf<'TransferComplete'>): Promise<void> {
    const { FaultCode, FaultString } = body.FaultStruct
    const { softwareVersion } = session.device
    const [informed = '', ...others] = session.transferKeys
    const commandKey = body.CommandKey.trim() || informed
    session.transferKeys = commandKey === informed ? others : session.transferKeys.filter((key) => key !== commandKey)
    await this.#options.upward.completed({
      deviceId: session.deviceId,
      protocol: 'cwmp',
      kind: 'transfer',
      commandKey,
      at: this.#options.clock.now(),
      ...(softwareVersion === undefined ? {} : { softwareVersion }),
      ...(FaultCode === 0
        ? {}
        : {
            fault: {
              code: String(FaultCode),
              text: FaultString || faultRow(FaultCode).text,
              retryable: faultRow(FaultCode).retryable,
            },
          }),
    })
  }

  /** Appends a request to the feed, for programs outside; nothing in the server waits for it. */
  async #note(session: Session, event: RpcName, facts: object): Promise<void> {
    const params: Record<string, string> = {}
    flatten('', facts, params)
    await this.#options.devices.commit({
      deviceId: session.deviceId,
      events: [
        {
          type: 'device.notified',
          at: this.#options.clock.now(),
          deviceId: session.deviceId,
          protocol: 'cwmp',
          data: { event, params },
        },
      ],
    })
  }
}

/** 8003 where arguments made no sense, else 8000 (A.5.2). */
export function faultOf(error?: ProtocolError): SendableMessage {
  const code = error === undefined ? 8000 : 8003
  const { text } = faultRow(code)
  const fault: CwmpFault = { code, text: error === undefined ? text : `${text}: ${error.message}`, parameters: [] }
  return { kind: 'fault', fault }
}

const MAX_MEMBERS = 64

/** Members of structs and lists by dotted name. */
function flatten(at: string, value: unknown, into: Record<string, string>): void {
  if (Object.keys(into).length >= MAX_MEMBERS) return
  if (typeof value === 'object' && value !== null) {
    const entries = Array.isArray(value)
      ? value.map((item, i) => [String(i + 1), item] as const)
      : Object.entries(value)
    for (const [name, member] of entries) flatten(at === '' ? name : `${at}.${name}`, member, into)
  } else if (value !== undefined) into[at] = String(value).slice(0, 256)
}
