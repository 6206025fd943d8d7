import type { Clock, Log } from '../../base/index.ts'
import type { Model } from '../../datamodel/index.ts'
import { collected, type Device, type DeviceStore, parameterChanges } from '../../domain/index.ts'
import type { AgentLink } from './agent-link.ts'
import { outcomesOf } from './execute-read.ts'

interface NewRowsDeps {
  devices: DeviceStore
  model: Model
  clock: Clock
  log: Log
}

/** Rows that wait to be read, and rows in one Get; the next discovery reads those beyond it. */
const MAX_WAITING = 64
const MAX_TOGETHER = 16
const MAX_VALUES = 5000

/** Reads rows whose creation an Agent has notified into the record, several in one Get. */
export class NewRows {
  readonly #deps: NewRowsDeps
  /** Rows that wait to be read, of links whose rows are read at the moment. */
  readonly #waiting = new WeakMap<AgentLink, Set<string>>()

  constructor(deps: NewRowsDeps) {
    this.#deps = deps
  }

  /** Reads a row; resolves when no row waits. Returns undefined when an earlier call reads this row too. */
  read(agent: AgentLink, path: string): Promise<void> | undefined {
    const present = this.#waiting.get(agent)
    const waiting = present ?? new Set()
    if (waiting.size < MAX_WAITING) waiting.add(path)
    if (present !== undefined) return undefined
    this.#waiting.set(agent, waiting)
    return this.#readAll(agent, waiting)
  }

  async #readAll(agent: AgentLink, waiting: Set<string>): Promise<void> {
    try {
      while (waiting.size > 0 && !agent.closed) {
        const paths = [...waiting].slice(0, MAX_TOGETHER)
        for (const path of paths) waiting.delete(path)
        const reply = await agent.request('get', { param_paths: paths, max_depth: 0 })
        const { device } = agent
        if (reply.ok && device !== undefined) await this.#keep(device, outcomesOf(paths, reply.body, this.#deps.model))
      }
    } finally {
      this.#waiting.delete(agent)
    }
  }

  async #keep(device: Device, outcomes: ReturnType<typeof outcomesOf>): Promise<void> {
    const { devices, model, clock, log } = this.#deps
    const parameters = collected(outcomes, { source: 'usp', collectedAt: clock.now(), modelOf: () => model })
    if (parameters.length > MAX_VALUES) log.info({ deviceId: device.id, values: parameters.length }, 'new rows are cut')
    for (const change of parameterChanges(device.id, parameters.slice(0, MAX_VALUES))) await devices.commit(change)
  }
}
