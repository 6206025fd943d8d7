import type { IncomingMessage } from 'node:http'
import { type Log, Pace } from '../../../base/index.ts'
import type { DeviceId } from '../../../domain/index.ts'
import { type CwmpEnvelope, readEnvelope } from '../../wire/index.ts'
import { LargeBodies } from './large-bodies.ts'

/** Reads the bodies of all requests under one pace, few large ones at once. */
export class EnvelopeReader {
  readonly #lines: Log
  readonly #pace = new Pace()
  readonly #large = new LargeBodies()

  constructor(lines: Log) {
    this.#lines = lines
  }

  /**
   * The envelope in a body; undefined when too many large bodies wait. Rejects with the ProtocolErrors of
   * `readEnvelope`.
   */
  async read(
    body: Buffer,
    request: IncomingMessage,
    from: { address: string; deviceId?: DeviceId },
  ): Promise<CwmpEnvelope | undefined> {
    const type = request.headers['content-type']
    const envelope = await this.#large.run(body.length, () => readEnvelope(body, type, this.#pace))
    if (envelope?.repaired === true) this.#lines.warn({ ...from }, 'XML that is not well-formed was read all the same')
    return envelope
  }
}
