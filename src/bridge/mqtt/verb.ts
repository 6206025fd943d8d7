import { AgentError, type CommandCall } from '../../usp/index.ts'
import { CONFIRM } from '../commands/confirmations.ts'
import { BadPayload, type Kind, readFields, type Values } from './fields.ts'
import type { MqttModel } from './served-router.ts'

/** The name that stands for MQTT where a model asks who writes. */
const WRITER = 'mqtt'

/** The result of a command as JSON; `afterwards` is called when the response is on its way. */
export interface VerbResult {
  readonly result: object
  readonly afterwards?: (() => void) | undefined
}

/** A router, and the command of MQTT that is done on it. */
export class VerbContext {
  readonly model: MqttModel
  readonly signal: AbortSignal
  readonly #confirm: string
  readonly #commandKey: string
  readonly #onAccepted: () => void

  constructor(model: MqttModel, call: { id: string; confirm: string; signal: AbortSignal; onAccepted(): void }) {
    this.model = model
    this.signal = call.signal
    this.#confirm = call.confirm
    this.#commandKey = `mqtt ${call.id}`
    this.#onAccepted = () => call.onAccepted()
  }

  /** Does a command of TR-181, and resolves with its output arguments; AgentError. */
  async operate(object: string, name: string, args: CommandCall['args']): Promise<VerbResult> {
    const { done } = await this.model.operate({
      object,
      name,
      isAsync: true,
      args: this.#confirm === '' ? args : { ...args, [CONFIRM]: this.#confirm },
      commandKey: this.#commandKey,
      by: { way: WRITER },
      signal: this.signal,
    })
    this.#onAccepted()
    const { output, afterwards } = await done
    return { result: output, afterwards }
  }

  /** Sets all values or none, by path; AgentError. */
  async set(values: Readonly<Record<string, string>>): Promise<VerbResult> {
    this.#onAccepted()
    await this.model.set(
      Object.entries(values).map(([path, value]) => ({ path, value })),
      WRITER,
    )
    return { result: {} }
  }

  /** Adds rows, all or none, and resolves with their paths; AgentError. */
  async add(rows: Parameters<MqttModel['add']>[0]): Promise<readonly string[]> {
    this.#onAccepted()
    return this.model.add(rows, WRITER)
  }

  /** Deletes rows, all or none; AgentError. */
  async delete(rows: readonly string[]): Promise<void> {
    this.#onAccepted()
    await this.model.delete(rows, WRITER)
  }
}

/** The commands of one verb that a router does: so many at once, and then one more each `everyMs`. */
export interface VerbLimit {
  readonly burst: number
  readonly everyMs: number
}

export interface Verb {
  readonly limit: VerbLimit
  /** Reads arguments; returns the work, which rejects with AgentError. AgentError 7027 for arguments that are wrong. */
  prepare(args: object): (context: VerbContext) => Promise<VerbResult>
}

type Shape = Readonly<Record<string, Kind<unknown>>>

/** Returns a verb whose arguments are these and no others. */
export function verb<R extends Shape, O extends Shape>(
  limit: VerbLimit,
  fields: { required: R; optional: O },
  work: (args: Values<R, O>, context: VerbContext) => Promise<VerbResult>,
): Verb {
  return {
    limit,
    prepare(given) {
      const args = readArgs(given, fields)
      return (context) => work(args, context)
    },
  }
}

function readArgs<R extends Shape, O extends Shape>(
  given: object,
  { required, optional }: { required: R; optional: O },
) {
  try {
    return readFields(given, required, optional)
  } catch (error) {
    if (error instanceof BadPayload) throw new AgentError(7027, `args ${error.message}`)
    throw error
  }
}
