import { appendFileSync } from 'node:fs'
import type { ChaosWorld } from './world.ts'

/** Settings under which a migration takes seconds. */
const SETTINGS = {
  maxInFlight: 12,
  awaitUspTimeoutMs: 3000,
  verifyTimeoutMs: 60_000,
  offlineTimeoutMs: 20_000,
  maxAttempts: 2,
  retryBackoffMs: 300,
  gateMinSample: 8,
  failureGatePercent: 60,
}
/** Devices behind this one are in both groups. */
const SHARED_FROM = 3
const PLAN_ACTIONS = ['pause', 'resume', 'abort', 'retry', 'rollback'] as const
export const PROVISIONING_CODE = 'Device.DeviceInfo.ProvisioningCode'

/**
 * Acts of people and programs on plans and devices, at random. Each request goes to a server that is chosen at random,
 * and may fail.
 */
export class ChaosActs {
  /** Every request with its answer, for the message of a failure. */
  readonly log: string[] = []
  /** Devices that were deleted, or whose devices were reset to factory settings. */
  readonly lost = new Set<string>()
  /** Devices that were deleted: the snapshot of one that a plan held stays. */
  readonly deleted = new Set<string>()
  readonly #world: ChaosWorld
  readonly #devices: string[]
  /** The latest plan of each of the two groups. */
  readonly #plans: (string | undefined)[] = [undefined, undefined]
  readonly #groups: string[] = []
  #count = 0

  constructor(world: ChaosWorld, devices: string[]) {
    this.#world = world
    this.#devices = devices
  }

  /** Two groups that have most of their devices in common. */
  async prepare(): Promise<void> {
    const some = await this.#call('POST', '/groups', { name: 'some' })
    const all = await this.#call('POST', '/groups', {
      name: 'all',
      selector: 'manufacturer==Northbridge,manufacturer==Oldham',
    })
    this.#groups.push(String(some.body.id), String(all.body.id))
  }

  /** Makes sure that both groups have a plan that has something to do. */
  async begin(): Promise<void> {
    // A device that was deleted comes back as a new one, which is no member of a group without a selector.
    await this.#call('POST', `/groups/${this.#groups[0]}/members`, { add: this.#devices.slice(SHARED_FROM) })
    for (const slot of this.#world.dice.shuffled([0, 1])) await this.#begin(slot)
  }

  /** Lets plans that are paused, or whose rollback is, come to their end. */
  async resume(): Promise<void> {
    for (const id of this.#plans) {
      if (id === undefined) continue
      const { body } = await this.#call('GET', `/plans/${id}`)
      const works = (body.underWay ?? []) as { paused?: true }[]
      if (body.state === 'paused' || works.some(({ paused }) => paused === true))
        await this.#call('POST', `/plans/${id}/actions/resume`, {})
    }
  }

  /** Takes back what either plan has moved or is moving. */
  async rollBack(): Promise<void> {
    for (const id of this.#plans) if (id !== undefined) await this.#call('POST', `/plans/${id}/actions/rollback`, {})
  }

  /** One thing at random. */
  async act(): Promise<void> {
    const { dice } = this.#world
    const acts: [number, () => Promise<unknown>][] = [
      [8, () => this.#onPlan()],
      [2, () => this.#onSomeDevices()],
      [1, () => this.#rollBackDevice()],
      [4, () => this.#set()],
      [1, () => this.#reboot()],
      [1, () => this.#factoryReset()],
      [1, () => this.#change()],
      [1, () => this.#begin(dice.between(0, 1))],
    ]
    let at = dice.fraction() * acts.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, act] of acts) {
      at -= weight
      if (at >= 0) continue
      await act()
      return
    }
  }

  /** Deletes the records of devices; their devices are set back by hand then. */
  async deleteDevices(deviceIds: string[]): Promise<void> {
    for (const id of deviceIds) {
      await this.#call('DELETE', `/devices/${encodeURIComponent(id)}`)
      this.deleted.add(id)
    }
  }

  async #begin(slot: number): Promise<void> {
    const { dice } = this.#world
    const id = this.#plans[slot]
    if (id !== undefined) {
      const { status, body } = await this.#call('GET', `/plans/${id}`)
      if (status !== 404 && !['finished', 'aborted'].includes(String(body.state))) return
      if (status !== 404 && dice.chance(0.6)) {
        const action = dice.one(['retry', 'rollback'])
        await this.#call('POST', `/plans/${id}/actions/${action}`, {})
        return
      }
      if (dice.chance(0.5)) {
        this.#world.api.plans.delete(id)
        await this.#call('DELETE', `/plans/${id}`)
      }
    }
    const settings = {
      ...SETTINGS,
      soakMs: dice.between(0, 1500),
      ...(dice.chance(0.3) ? { startsPerMinute: 240 } : {}),
    }
    const wanted = { name: `plan ${this.#count++}`, groupId: this.#groups[slot], settings }
    const plan = await this.#world.api.plan(this.#server(), wanted)
    this.#note('POST', `/plans ${wanted.name} ${plan.body.id} of group ${slot}`, plan.status, plan.body)
    if (plan.status !== 201) return
    this.#plans[slot] = String(plan.body.id)
    await this.#call('POST', `/plans/${plan.body.id}/actions/start`, {})
  }

  async #onPlan(): Promise<void> {
    const { dice } = this.#world
    const id = dice.one(this.#plans)
    if (id === undefined) return
    const action = dice.one(PLAN_ACTIONS)
    const scope =
      action === 'rollback'
        ? dice.one([
            {},
            { paced: true },
            { selector: 'softwareVersion==1.9.4' },
            { selector: 'softwareVersion==1.10.1', paced: true },
          ])
        : {}
    await this.#call('POST', `/plans/${id}/actions/${action}`, scope)
  }

  async #onSomeDevices(): Promise<void> {
    const { dice } = this.#world
    const id = dice.one(this.#plans)
    if (id === undefined) return
    const action = dice.one(['abort', 'retry', 'rollback'])
    await this.#call('POST', `/plans/${id}/actions/${action}`, { devices: dice.some(this.#devices, 4) })
  }

  #rollBackDevice(): Promise<unknown> {
    return this.#call('POST', `/devices/${encodeURIComponent(this.#device())}/rollback`, {})
  }

  #set(): Promise<unknown> {
    const value = `chaos-${this.#count++}`
    return this.#operate({ verb: 'set', values: [{ path: PROVISIONING_CODE, value }] })
  }

  #reboot(): Promise<unknown> {
    return this.#operate({ verb: 'reboot' })
  }

  async #factoryReset(): Promise<void> {
    const id = this.#device()
    this.lost.add(id)
    await this.#operate({ verb: 'factoryReset' }, id)
  }

  async #change(): Promise<void> {
    const { dice } = this.#world
    const id = dice.one(this.#plans)
    if (id === undefined) return
    await this.#call('PATCH', `/plans/${id}`, {
      settings: { maxInFlight: dice.between(1, 12), soakMs: dice.between(0, 2000) },
    })
  }

  async #operate(request: Record<string, unknown>, id = this.#device()): Promise<void> {
    const { status, body } = await this.#world.api.operate(this.#server(), id, request)
    this.#note('operate', `${id} ${JSON.stringify(request)}`, status, body)
  }

  async #call(method: string, path: string, body?: unknown) {
    const answer = await this.#world.api.call(this.#server(), method, path, body)
    if (method !== 'GET') this.#note(method, `${path} ${JSON.stringify(body) ?? ''}`, answer.status, answer.body)
    return answer
  }

  /** Adds a line to the log; with CHAOS_LOG, a file, it can be read while the rounds go on. */
  note(text: string): void {
    const line = `${new Date().toISOString().slice(11, 23)} ${text}`
    this.log.push(line)
    if (process.env.CHAOS_LOG !== undefined) appendFileSync(process.env.CHAOS_LOG, `${line}\n`)
  }

  #note(method: string, what: string, status: number, body: Record<string, unknown>): void {
    const why = status >= 400 ? String(body.detail ?? '') : ''
    this.note(`${method} ${what}: ${status} ${why}`)
  }

  #device(): string {
    return this.#world.dice.one(this.#devices)
  }

  #server(): number {
    return this.#world.dice.between(0, this.#world.servers.length - 1)
  }
}
