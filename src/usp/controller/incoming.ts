import { type Log, ProtocolError } from '../../base/index.ts'
import { type Codec, type Msg, parseEndpointId, type UspRecord } from '../wire/index.ts'
import type { Admission } from './admission.ts'
import type { AgentLink } from './agent-link.ts'
import type { Arrivals } from './arrivals.ts'
import type { LinkWork } from './link-work.ts'
import type { Liveness } from './liveness.ts'
import type { Notifications } from './notifications.ts'

interface IncomingDeps {
  codec: Codec
  /** Endpoint ID of the Controller. */
  endpointId: string
  admission: Pick<Admission, 'name'>
  arrivals: Pick<Arrivals, 'arrive'>
  notifications: Pick<Notifications, 'refusal' | 'take'>
  liveness: Pick<Liveness, 'heard'>
  work: LinkWork
  log: Log
  /** Counts for metrics. */
  onRefused?(reason: string): void
}

/** Records of a link without an Endpoint ID that are kept while its Agent is judged. */
const MAX_UNNAMED = 16

/**
 * Takes the Records of all links: checks sender and receiver, and gives each body to the class that handles it
 * (R-MTP.5, R-MTP.8).
 */
export class Incoming {
  readonly #deps: IncomingDeps
  /** Records of links whose Agent named itself and is being judged. */
  readonly #unnamed = new WeakMap<AgentLink, Uint8Array[]>()
  /** Links of which a Record was ignored. */
  readonly #ignored = new WeakSet<AgentLink>()

  constructor(deps: IncomingDeps) {
    this.#deps = deps
  }

  receive(agent: AgentLink, bytes: Uint8Array): void {
    if (agent.isRefused) return
    const { link } = agent
    const unnamed = this.#unnamed.get(agent)
    if (unnamed !== undefined) {
      if (unnamed.push(bytes) > MAX_UNNAMED) link.close('policy', 'too many Records before the Agent is admitted')
      return
    }
    const { codec, endpointId: ownId, work } = this.#deps
    try {
      const record = codec.decodeRecord(bytes)
      // Records for another receiver or from another sender are ignored without an answer (R-E2E.1, R-SEC.0a).
      if (record.toId !== ownId)
        return this.#ignore(
          agent,
          `to_id is not that of this Controller but ${JSON.stringify(record.toId.slice(0, 80))}`,
        )
      if (link.endpointId === '') {
        const endpointId = parseEndpointId(record.fromId)
        this.#unnamed.set(agent, [bytes])
        return work.run(agent, 'Agent was not judged', this.#name(agent, endpointId))
      }
      if (record.fromId !== link.endpointId)
        return this.#ignore(agent, `from_id is not that of the link but ${JSON.stringify(record.fromId.slice(0, 80))}`)
      this.#onBody(agent, record)
    } catch (error) {
      this.#refuse(agent, error)
    }
  }

  /** Judges the Agent that the first Record of a link names, and takes the Records that were received meanwhile. */
  async #name(agent: AgentLink, endpointId: string): Promise<void> {
    const isAdmitted = await this.#deps.admission.name(agent, endpointId)
    const records = this.#unnamed.get(agent) ?? []
    this.#unnamed.delete(agent)
    if (isAdmitted) for (const bytes of records) this.receive(agent, bytes)
  }

  #onBody(agent: AgentLink, { body, secured }: UspRecord): void {
    const { arrivals, codec, log, work } = this.#deps
    if (body.kind === 'session')
      return secured
        ? this.#disconnect(agent, 7102, 'secure session context is not supported')
        : this.#disconnect(agent, 7106, 'session context is not supported')
    if (secured) return this.#ignore(agent, 'payload security without session context')
    switch (body.kind) {
      case 'noSession':
        return this.#onMsg(agent, codec.decodeMsg(body.payload))
      case 'disconnect':
        // The link may stay open, and the Agent may connect anew over it (R-MTP.8).
        return log.debug({ endpointId: agent.endpointId, reason: body.reason }, 'Agent disconnects')
      default:
        if (body.kind !== agent.connectRecord) return this.#ignore(agent, 'connect record of another MTP')
        return work.run(agent, 'arrival failed', arrivals.arrive(agent, undefined))
    }
  }

  #onMsg(agent: AgentLink, msg: Msg): void {
    const { liveness, log, notifications, work } = this.#deps
    agent.received(msg)
    liveness.heard(agent)
    if (msg.kind !== 'request') {
      if (!agent.answered(msg))
        log.debug({ endpointId: agent.endpointId, msgId: msg.msgId }, 'late or unasked answer ignored')
      return
    }
    if (msg.name !== 'notify') {
      // Register and Deregister are for brokers; Agents send no other request.
      const body = { err_code: 7001, err_msg: 'Message not supported', param_errs: [] }
      agent.send({ msgId: msg.msgId, kind: 'error', body })
      return
    }
    const refusal = notifications.refusal(agent, msg.msgId)
    if (refusal !== undefined) return this.#ignore(agent, refusal)
    work.run(agent, 'Notify failed', notifications.take(agent, msg.msgId, msg.body))
  }

  #disconnect(agent: AgentLink, reasonCode: number, reason: string): void {
    const { codec, endpointId: fromId } = this.#deps
    const body = { kind: 'disconnect', reason, reasonCode } as const
    agent.link.send(codec.encodeRecord({ toId: agent.endpointId, fromId, body }))
  }

  /** Logs an ignored Record, the first one of a link as a line that operators see: the Agent itself gets no answer. */
  #ignore(agent: AgentLink, reason: string): void {
    const { log, onRefused } = this.#deps
    onRefused?.('ignored')
    const fields = { endpointId: agent.endpointId, address: agent.link.remoteAddress, reason }
    log[this.#ignored.has(agent) ? 'debug' : 'info'](fields, 'Record ignored')
    this.#ignored.add(agent)
  }

  /**
   * Bytes that are no Record close the link (R-WS.16); a wrong request is answered; a wrong answer ends the request that
   * waits for it; any other error is ignored (R-MTP.5).
   */
  #refuse(agent: AgentLink, error: unknown): void {
    const { log, onRefused } = this.#deps
    if (!(error instanceof ProtocolError)) {
      log.error({ endpointId: agent.endpointId, err: error }, 'Record handling failed')
      return agent.link.close('policy', 'internal error')
    }
    onRefused?.(error.code)
    log.info({ endpointId: agent.endpointId, code: error.code, reason: error.message }, 'Record refused')
    const { msgId, answers } = error.context
    if (typeof msgId === 'string')
      agent.send({
        msgId,
        kind: 'error',
        body: { err_code: Number(error.code), err_msg: error.message, param_errs: [] },
      })
    else if (typeof answers === 'string' && agent.unreadable(answers, error)) this.#deps.liveness.heard(agent)
    else if (error.code === '7100') agent.link.close('unsupported', error.message)
  }
}
