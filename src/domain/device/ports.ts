import type { DeviceId, EndpointId } from '../id.ts'
import type { Page } from '../page.ts'
import type { Timestamp } from '../timestamp.ts'
import type { DeviceChange } from './change.ts'
import type { Device } from './device.ts'
import type { StoredInstanceMap } from './instance-map.ts'
import type { Parameter } from './parameter.ts'
import type { Selector } from './selector.ts'

/** Fields by which device lists can be sorted; each has an index with the id as tie-breaker. */
export const DEVICE_SORT_FIELDS = [
  'id',
  'createdAt',
  'manufacturer',
  'model',
  'softwareVersion',
  'cwmp.lastInformAt',
  'usp.lastSeenAt',
  'wan.state',
  'wan.ipAddress',
  'wan.pppUser',
  'wan.upSince',
  'optical.rxPowerDbm',
  'optical.txPowerDbm',
  'optical.temperatureC',
  'wifi.stations',
  'lan.activeHosts',
  'system.upSince',
  'system.cpuPercent',
  'system.memoryUsedPercent',
] as const

export type DeviceSortField = (typeof DEVICE_SORT_FIELDS)[number]

/** One page of devices. `cursor` is what the previous page gave as `next`. */
export interface DeviceQuery {
  selector?: Selector
  sort?: { field: DeviceSortField; descending: boolean }
  limit: number
  cursor?: string
}

/**
 * The device records. Reads of single devices that are asked for together go out as one query, commits that are made
 * together as one journaled write (group commit); each caller waits for its own result.
 */
export interface DeviceStore {
  /** `canWait`: it may wait some milliseconds for others, so that they share a query while many come. */
  get(id: DeviceId, options?: { canWait?: boolean }): Promise<Device | undefined>
  findByEndpoint(endpointId: EndpointId): Promise<Device | undefined>
  /**
   * Journaled when it resolves. AppError `conflict` when a guard or a unique field (binding.endpointId) refuses it,
   * `notFound` when there is no such device.
   */
  commit(change: DeviceChange): Promise<void>
  /**
   * Stores the time of an Inform and returns the record with it, by one command; journaled when it resolves. Undefined,
   * and nothing was stored: there is no such device, or so many come at once that to read and to commit them together
   * costs less.
   */
  contacted(id: DeviceId, at: Timestamp): Promise<Device | undefined>
  list(query: DeviceQuery): Promise<Page<Device>>
  /** All ids that a selector matches, behind `after` in id order, streamed in batches; for plans, not for requests. */
  ids(selector: Selector | undefined, batchSize: number, after?: string): AsyncIterable<DeviceId[]>
  /** Counts at most `limit` devices that a selector matches; without one the count may be off by the last changes. */
  count(selector: Selector | undefined, limit: number): Promise<number>
  delete(id: DeviceId): Promise<boolean>
  /**
   * Marks as unlinked every USP link that `instance` held, which stops, or, when undefined, any instance not in
   * `alive`; the reason noted is goingAway or serverDied.
   */
  unlinkAll(instance: string | undefined, alive: string[], at: Timestamp): Promise<number>
  /** The devices whose records say that `instance` holds their USP link, in no order, streamed in batches. */
  linkedTo(instance: string, batchSize: number): AsyncIterable<LinkedDevice[]>
  /** Returns those of these devices whose work flag is set. */
  withOpenWork(ids: DeviceId[]): Promise<DeviceId[]>
}

/** A device whose record says that it is linked, and since when. */
export interface LinkedDevice {
  id: DeviceId
  connectedAt: Timestamp
}

/** Instance maps of devices whose own tree is not TR-181. They go with the record of their device. */
export interface InstanceMapStore {
  get(deviceId: DeviceId): Promise<StoredInstanceMap | undefined>
  /**
   * Journaled when it resolves. False when the stored version is not the one before that of `stored`: another instance
   * has given numbers meanwhile, and nothing is written.
   */
  put(deviceId: DeviceId, stored: StoredInstanceMap): Promise<boolean>
}

export interface ParameterStore {
  /** Values at exact parameter paths. */
  getMany(deviceId: DeviceId, paths: string[]): Promise<Parameter[]>
  /** Values at and below an object path (ends in a dot) in path order; '' = all. */
  list(deviceId: DeviceId, prefix: string, limit: number, cursor?: string): Promise<Page<Parameter>>
  /** All values directly in these objects (each ends in a dot), in no order. */
  inObjects(deviceId: DeviceId, objects: string[]): Promise<Parameter[]>
  /** Paths of the objects that hold values (each ends in a dot), at and below an object path, in path order. */
  objects(deviceId: DeviceId, prefix: string, limit: number): Promise<string[]>
}
