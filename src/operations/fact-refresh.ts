import { BoundedMap, type Clock, errorText, type Log } from '../base/index.ts'
import {
  type Actor,
  bootstrapOf,
  type Contact,
  type Device,
  type DeviceId,
  type DevicePatch,
  type DeviceStore,
  type DueSubscription,
  dueFacts,
  dueSubscriptions,
  type Operation,
  type OperationRequest,
  type Protocol,
  type RefreshRules,
  refreshPaths,
} from '../domain/index.ts'
import type { Recorder } from './record.ts'
import type { Slots } from './slots.ts'
import { mayUseUsp } from './verbs.ts'

interface FactRefreshDeps {
  devices: DeviceStore
  recorder: Recorder
  slots: Slots
  clock: Clock
  log: Log
  /** Absent: nothing is read by age, and no CPE is asked to report sources. */
  factRules?: RefreshRules
}

const ACTOR: Actor = { kind: 'system', id: 'facts' }
/** Time of one reading, in milliseconds. */
const LIMIT_MS = 60_000
/** A device that did not answer is left alone for so long. */
const REST_MS = 3_600_000
/** A subscription that a CPE refused is asked for again after so long, or after a reset. */
const REFUSED_MS = 86_400_000
const MAX_RESTING = 50_000
/** Subscriptions that are asked for in one contact: the two of facts, and some that a reset has undone. */
const MAX_SUBSCRIPTIONS = 8

/**
 * Keeps live facts up over contacts that are there anyhow: reads the groups that are too old, and asks a CPE once to
 * report the sources that change. Nothing of it is an operation of the queue; a reading that failed is not repeated
 * for an hour.
 */
export class FactRefresh {
  readonly #deps: FactRefreshDeps
  /** By device and protocol: a link that does not answer says nothing of the sessions. */
  readonly #restUntil = new BoundedMap<string, number>(MAX_RESTING)
  /** By device, its last reset and the subscription. */
  readonly #refusedUntil = new BoundedMap<string, number>(MAX_RESTING)

  constructor(deps: FactRefreshDeps) {
    this.#deps = deps
  }

  /** False: there is no policy. */
  get isOn(): boolean {
    return this.#deps.factRules !== undefined
  }

  /** True when there is something to do for the device over this protocol, by its record. */
  isDue(device: Device, protocol: Protocol): boolean {
    const { factRules, clock } = this.#deps
    const now = clock.now()
    if (factRules === undefined || now < (this.#restUntil.get(restKey(device.id, protocol)) ?? 0)) return false
    // As for any read: over the link of a device that was rolled back there is none.
    if (protocol === 'usp' && !mayUseUsp({ actor: ACTOR, request: { verb: 'get', paths: [] } }, device)) return false
    return dueFacts(device, factRules, now).length > 0 || this.#subscriptions(device, factRules, now).length > 0
  }

  /** Does it over a contact. Never rejects. */
  async over(contact: Contact): Promise<void> {
    const { devices, slots, factRules } = this.#deps
    const { deviceId, protocol, signal } = contact
    let free: (() => void) | undefined
    try {
      const device = await devices.get(deviceId)
      if (device === undefined || factRules === undefined || !this.isDue(device, protocol)) return
      free = await slots.take(signal)
      if (free === undefined) return
      await this.#read(device, contact, factRules)
      if (protocol === 'cwmp') await this.#subscribeAll(contact, factRules)
    } catch (error) {
      this.#rest(contact, errorText(error))
    } finally {
      free?.()
    }
  }

  #rest({ deviceId, protocol }: Contact, reason: string | undefined): void {
    const { clock, log } = this.#deps
    this.#restUntil.set(restKey(deviceId, protocol), clock.now() + REST_MS)
    log.info({ deviceId, protocol, reason }, 'the facts of a device were not read')
  }

  /** By the record as it is after each step: the reading may have found other sources. */
  async #subscribeAll(contact: Contact, rules: RefreshRules): Promise<void> {
    const { devices, clock } = this.#deps
    for (let left = MAX_SUBSCRIPTIONS; left > 0; left--) {
      const device = await devices.get(contact.deviceId)
      const [next] = device === undefined ? [] : this.#subscriptions(device, rules, clock.now())
      if (device === undefined || next === undefined) return
      await this.#subscribe(device, contact, next)
    }
  }

  async #read(device: Device, contact: Contact, rules: RefreshRules): Promise<void> {
    const { devices, recorder, clock } = this.#deps
    const groups = dueFacts(device, rules, clock.now())
    if (groups.length === 0) return
    const operation = this.#operation(device.id, { verb: 'get', paths: refreshPaths(device, groups) })
    const result = await this.#execute(operation, contact)
    if (result.outcome !== 'done') return this.#rest(contact, result.error?.text)
    const last = await recorder.recordAhead(operation, result, device, contact.protocol)
    const at = clock.now()
    const set: DevicePatch = { ...last?.set }
    for (const group of groups) set[`factsReadAt.${group}`] = at
    await devices.commit({ ...last, deviceId: device.id, set })
  }

  async #subscribe(device: Device, contact: Contact, { id, paths, passive, enable }: DueSubscription): Promise<void> {
    const { recorder, clock, log } = this.#deps
    const request = { verb: 'subscribe', id, notifType: 'ValueChange', paths, enable } as const
    const operation = this.#operation(device.id, { ...request, ...(passive ? { passive } : {}) })
    const result = await this.#execute(operation, contact)
    if (result.outcome === 'done') return recorder.record(operation, result, device, contact.protocol)
    this.#refusedUntil.set(refusedKey(device, id), clock.now() + REFUSED_MS)
    log.debug({ deviceId: device.id, reason: result.error?.text }, 'a CPE does not report what it is asked for')
  }

  #subscriptions(device: Device, rules: RefreshRules, now: number): DueSubscription[] {
    if (device.cwmp === undefined || device.owner !== 'cwmp') return []
    return dueSubscriptions(device, rules).filter(
      ({ id }) => now >= (this.#refusedUntil.get(refusedKey(device, id)) ?? 0),
    )
  }

  #operation(deviceId: DeviceId, request: OperationRequest): Operation {
    const now = this.#deps.clock.now()
    const id = `facts-${now.toString(36)}`
    return {
      id,
      deviceId,
      request,
      state: 'sent',
      actor: ACTOR,
      createdAt: now,
      expiresAt: now + LIMIT_MS,
      attempts: 1,
    }
  }

  async #execute(operation: Operation, contact: Contact) {
    const over = new AbortController()
    const cancel = this.#deps.clock.after(LIMIT_MS, () => over.abort())
    const signal = AbortSignal.any([over.signal, contact.signal])
    try {
      return await contact.execute(operation, { beforeSend: async () => undefined, signal, timeoutMs: LIMIT_MS })
    } finally {
      cancel()
    }
  }
}

function refusedKey(device: Device, subscription: string): string {
  return `${device.id} ${bootstrapOf(device)} ${subscription}`
}

function restKey(deviceId: DeviceId, protocol: Protocol): string {
  return `${protocol} ${deviceId}`
}
