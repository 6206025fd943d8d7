import { BoundedMap, type Clock, errorText, type Log } from '../../base/index.ts'
import {
  type Device,
  type DeviceStore,
  isConfirmed,
  MAX_DESCRIBED_BY,
  type SupportedModel,
  type SupportedModelStore,
  type SupportedModelSummary,
  supportedModelDigest,
  supportedModelId,
  supportedModelKey,
} from '../../domain/index.ts'
import type { AgentLink } from './agent-link.ts'
import { describeModel } from './describe-model.ts'

/**
 * The part of a supported model that onboarding uses. It is small; the model itself has megabytes and stays in the
 * store.
 */
export interface ModelFacts {
  /** Id of the stored model; undefined when it could not be stored. */
  id: string | undefined
  /** False when the model is that of other devices, and this one was not asked. */
  own: boolean
  /**
   * Returns true when a table, parameter or event (path without instance numbers) is supported, or when the model does
   * not decide it.
   */
  has(path: string): boolean
}

interface SupportedModelsOptions {
  store: SupportedModelStore
  /** Paths that will be asked for. */
  of: readonly string[]
  devices: Pick<DeviceStore, 'commit'>
  clock: Clock
  log: Log
}

/** Pause before a device of a model is asked again after one did not describe itself. */
const REFUSED_MS = 600_000
const MAX_KNOWN = 1000
/** Different descriptions of one model and firmware; with more of them each device is asked itself. */
const MAX_DESCRIPTIONS = 5
/** Devices of one model that are asked in an hour because the description of others does not fit them. */
const MAX_DOUBTS = 10
const HOUR_MS = 3_600_000

/**
 * Reads supported data models from two devices of each model and firmware. The description of one device holds for that
 * device; once a second device gives the same one, it holds for all devices of the model.
 */
export class SupportedModels {
  readonly #options: SupportedModelsOptions
  /** Confirmed descriptions, by key. */
  readonly #confirmed = new BoundedMap<string, ModelFacts & { devices: number }>(MAX_KNOWN)
  /** Descriptions of single devices, by device and key. */
  readonly #own = new BoundedMap<string, ModelFacts>(MAX_KNOWN)
  readonly #underWay = new Map<string, Promise<unknown>>()
  readonly #refusals = new BoundedMap<string, { until: number; devices: Set<string> }>(MAX_KNOWN)
  readonly #doubts = new BoundedMap<string, { since: number; devices: number }>(MAX_KNOWN)

  constructor(options: SupportedModelsOptions) {
    this.#options = options
  }

  /**
   * Resolves with the facts from memory, the store or the Agent; undefined when the Agent gives none, or when devices
   * of its model differ.
   */
  async of(agent: AgentLink, device: Device): Promise<ModelFacts | undefined> {
    const key = supportedModelKey(device)
    const one = isShared(device) ? key : ownKey(device)
    for (;;) {
      const known = this.#own.get(ownKey(device)) ?? (isShared(device) ? this.#confirmed.get(key) : undefined)
      if (known !== undefined) return known
      if (this.#isRefused(device)) return undefined
      const underWay = this.#underWay.get(one)
      if (underWay === undefined) break
      // Another Agent of the model is asked already; when its link ends, the next one is asked.
      await underWay.catch(() => undefined)
      if (agent.closed) return undefined
    }
    return this.#once(one, () => this.#learn(agent, device))
  }

  /**
   * Asks this Agent itself, because the description of other devices does not fit it. Undefined when it gives none, or
   * when too many Agents of its model were asked for that reason.
   */
  async askAnew(agent: AgentLink, device: Device): Promise<ModelFacts | undefined> {
    const key = supportedModelKey(device)
    const now = this.#options.clock.now()
    let doubts = this.#doubts.get(key)
    if (doubts === undefined || now - doubts.since >= HOUR_MS) doubts = { since: now, devices: 0 }
    this.#doubts.set(key, doubts)
    if (doubts.devices >= MAX_DOUBTS) return undefined
    doubts.devices++
    return this.#ask(agent, device, await this.#options.store.of(key))
  }

  /** Resolves with the whole model that holds for a device, when it is stored. */
  async full(device: Device): Promise<SupportedModel | undefined> {
    const key = supportedModelKey(device)
    const id = (this.#own.get(ownKey(device)) ?? (isShared(device) ? this.#confirmed.get(key) : undefined))?.id
    const { store } = this.#options
    const holds = id ?? held(device, await store.of(key))?.id
    return holds === undefined ? undefined : store.get(holds)
  }

  /** Forgets a description that was deleted: devices of its model are asked again. */
  forget(key: string): void {
    this.#confirmed.delete(key)
    this.#refusals.delete(key)
    for (const name of this.#own.keys()) if (name.endsWith(`|${key}`)) this.#own.delete(name)
  }

  /** Asks one Agent of a model at a time. */
  async #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const run = work()
    this.#underWay.set(key, run)
    try {
      return await run
    } finally {
      this.#underWay.delete(key)
    }
  }

  async #learn(agent: AgentLink, device: Device): Promise<ModelFacts | undefined> {
    const { store, log } = this.#options
    const key = supportedModelKey(device)
    const known = await store.of(key)
    const holds = held(device, known)
    const stored = holds === undefined ? undefined : await store.get(holds.id)
    if (holds !== undefined && stored !== undefined)
      return this.#keep(device, stored, holds.describedBy.includes(device.id), isConfirmed(holds))
    if (isShared(device) && known.length >= MAX_DESCRIPTIONS) {
      log.warn({ model: key }, 'devices of this model contradict each other; none is believed for the others')
      this.#refuse(device, true)
      return undefined
    }
    return this.#ask(agent, device, known)
  }

  async #ask(agent: AgentLink, device: Device, known: SupportedModelSummary[]): Promise<ModelFacts | undefined> {
    const { clock, log } = this.#options
    const key = supportedModelKey(device)
    let objects: SupportedModel['objects'] = []
    try {
      objects = await describeModel(agent)
    } catch (error) {
      if (agent.closed) throw error
      log.info({ endpointId: agent.endpointId, reason: errorText(error) }, 'GetSupportedDM failed')
    }
    if (objects.length === 0) {
      log.warn({ endpointId: agent.endpointId, model: key }, 'the Agent does not describe its data model')
      this.#refuse(device, false)
      return undefined
    }
    const digest = supportedModelDigest(objects)
    const same = known.find((one) => one.digest === digest)
    if (same === undefined && isShared(device) && known.length > 0) await this.#contradicted(device, digest, known)
    const describedBy = [...new Set([...(same?.describedBy ?? []), device.id])]
    const model = { id: supportedModelId(key, digest), key, digest, describedBy, objects, at: clock.now() }
    const stored = await this.#store(device, model, same, known.length)
    return this.#keep(device, model, true, isConfirmed(model) && stored)
  }

  /** Returns false when the description could not be stored: the device is asked again after a restart. */
  async #store(
    device: Device,
    model: SupportedModel,
    same: SupportedModelSummary | undefined,
    descriptions: number,
  ): Promise<boolean> {
    const { store, log } = this.#options
    try {
      if (same === undefined) {
        if (descriptions >= MAX_DESCRIPTIONS) return false
        await store.put(model)
      } else if (same.describedBy.length < MAX_DESCRIBED_BY) await store.confirm(same.id, device.id)
      return true
    } catch (err) {
      log.warn({ err, model: model.key }, 'supported data model was not stored')
      return false
    }
  }

  async #contradicted(device: Device, digest: string, known: SupportedModelSummary[]): Promise<void> {
    const { devices, clock, log } = this.#options
    const model = supportedModelKey(device)
    const against = known.map(({ id, describedBy }) => ({ id, describedBy: describedBy.slice(0, MAX_DESCRIBED_BY) }))
    log.warn(
      { deviceId: device.id, model, digest, against },
      'the Agent contradicts the supported model of its firmware',
    )
    const data = { model, digest, against }
    const event = { type: 'supportedModel.contradicted', at: clock.now(), deviceId: device.id, data } as const
    await devices.commit({ deviceId: device.id, events: [event] })
  }

  #keep(
    device: Device,
    { id, key, objects, describedBy }: SupportedModel,
    own: boolean,
    confirmed: boolean,
  ): ModelFacts {
    const facts = { id, own, ...factsOf(objects, this.#options.of) }
    if (own) {
      this.#own.set(ownKey(device), facts)
    }
    // Of two confirmed descriptions the one of more devices holds.
    const devices = describedBy.length
    if (confirmed && isShared(device) && devices >= (this.#confirmed.get(key)?.devices ?? 0)) {
      this.#confirmed.set(key, { ...facts, own: false, devices })
    }
    return facts
  }

  /**
   * Notes an Agent that does not describe itself, so that it is not asked again soon; after two, no Agent of the model
   * is.
   */
  #refuse(device: Device, all: boolean): void {
    const key = isShared(device) ? supportedModelKey(device) : ownKey(device)
    const now = this.#options.clock.now()
    const present = this.#refusals.get(key)
    const devices = present !== undefined && now < present.until ? present.devices : new Set<string>()
    devices.add(device.id)
    if (all) devices.add('')
    this.#refusals.set(key, { until: now + REFUSED_MS, devices })
  }

  #isRefused(device: Device): boolean {
    const refused = this.#refusals.get(isShared(device) ? supportedModelKey(device) : ownKey(device))
    if (refused === undefined || this.#options.clock.now() >= refused.until) return false
    return refused.devices.has(device.id) || refused.devices.size >= 2
  }
}

/** Returns false for devices without a firmware version, which may differ: each is asked itself. */
function isShared(device: Device): boolean {
  return device.softwareVersion !== undefined && device.softwareVersion !== ''
}

function ownKey(device: Device): string {
  return `${device.id}|${supportedModelKey(device)}`
}

/** Returns the description that holds for a device: its own, or a confirmed one. */
function held(device: Device, known: SupportedModelSummary[]): SupportedModelSummary | undefined {
  const own = known.find(({ describedBy }) => describedBy.includes(device.id))
  if (own !== undefined || !isShared(device)) return own
  return known.filter(isConfirmed).sort((a, b) => b.describedBy.length - a.describedBy.length)[0]
}

function factsOf(objects: SupportedModel['objects'], asked: readonly string[]): Pick<ModelFacts, 'has'> {
  const byPath = new Map(objects.map((object) => [object.path, object]))
  // An Agent of USP 1.0 or 1.1 may leave out all events or all parameters.
  const events = objects.some((object) => object.events.length > 0)
  const params = objects.some((object) => object.params.length > 0)
  const lacking = new Set(
    asked.filter((path) => {
      if (path.endsWith('.')) return !byPath.has(`${path}{i}.`) && byPath.get(path)?.multi !== true
      const dot = path.lastIndexOf('.') + 1
      const object = byPath.get(path.slice(0, dot))
      const name = path.slice(dot)
      if (name.endsWith('!')) return events && object?.events.every((event) => event.name !== name) !== false
      return params && object?.params.every((param) => param.name !== name) !== false
    }),
  )
  return { has: (path) => !lacking.has(path) }
}
