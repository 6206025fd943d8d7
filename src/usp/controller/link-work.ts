import { AppError, errorText, type Log, ProtocolError, TransportError } from '../../base/index.ts'
import type { AgentLink } from './agent-link.ts'

/** Work of links that goes on beside the Records. An error ends the work and is logged. */
export class LinkWork {
  readonly #log: Log
  readonly #underWay = new Set<Promise<void>>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Runs work of one link; `failure` is the log line for an error. */
  run(agent: AgentLink, failure: string, work: Promise<void>): void {
    this.add(
      work.catch((err: unknown) => {
        // Agents that do not answer or that leave are ordinary; any other error is a defect.
        const isExpected =
          agent.closed || err instanceof ProtocolError || err instanceof TransportError || err instanceof AppError
        const fields = { endpointId: agent.endpointId, deviceId: agent.device?.id }
        if (isExpected) this.#log.info({ ...fields, reason: errorText(err) }, failure)
        else this.#log.error({ ...fields, err }, failure)
      }),
    )
  }

  /** Waits for work that does not reject before a stop. */
  add(work: Promise<void>): void {
    const run: Promise<void> = work.finally(() => this.#underWay.delete(run))
    this.#underWay.add(run)
  }

  /** Resolves when the work that is under way has ended. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#underWay])
  }
}
