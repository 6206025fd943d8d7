import type { Clock, Log } from '../../base/index.ts'
import type { Model } from '../../datamodel/index.ts'
import { collected, type Device, type DeviceStore, parameterChanges } from '../../domain/index.ts'
import type { AgentLink } from './agent-link.ts'
import { outcomesOf } from './execute-read.ts'

export interface NewRowsDeps {
  devices: DeviceStore
  model: Model
  clock: Clock
  log: Log
}

/** Rows that wait to be read, and rows in one Get; what is beyond is read by the next discovery. */
const MAX_WAITING = 64
const MAX_TOGETHER = 16
const MAX_VALUES = 5000

/** Brings rows into the record that an Agent told the creation of, several in one Get where they come together. */
export class NewRows {
  readonly #deps: NewRowsDeps

  constructor(deps: NewRowsDeps) {
    this.#deps = deps
  }

  /** Resolves when nothing waits any more; undefined when another call sees to it. */
  read(agent: AgentLink, path: string): Promise<void> | undefined {
    const reading = agent.newRows !== undefined
    agent.newRows ??= new Set()
    if (agent.newRows.size < MAX_WAITING) agent.newRows.add(path)
    return reading ? undefined : this.#readAll(agent)
  }

  async #readAll(agent: AgentLink): Promise<void> {
    try {
      while (agent.newRows !== undefined && agent.newRows.size > 0 && !agent.closed) {
        const paths = [...agent.newRows].slice(0, MAX_TOGETHER)
        for (const path of paths) agent.newRows.delete(path)
        const reply = await agent.request('get', { param_paths: paths, max_depth: 0 })
        const { device } = agent
        if (reply.ok && device !== undefined) await this.#keep(device, outcomesOf(reply.body, this.#deps.model))
      }
    } finally {
      agent.newRows = undefined
    }
  }

  async #keep(device: Device, outcomes: ReturnType<typeof outcomesOf>): Promise<void> {
    const { devices, model, clock, log } = this.#deps
    const parameters = collected(outcomes, { source: 'usp', collectedAt: clock.now(), modelOf: () => model })
    if (parameters.length > MAX_VALUES) log.info({ deviceId: device.id, values: parameters.length }, 'new rows are cut')
    for (const change of parameterChanges(device.id, parameters.slice(0, MAX_VALUES))) await devices.commit(change)
  }
}
