import { createHash } from 'node:crypto'
import type { NewEvent } from '../feed/event.ts'
import type { DeviceId } from '../id.ts'
import type { Page } from '../page.ts'
import type { Timestamp } from '../timestamp.ts'
import type { Device } from './device.ts'

/** An object of a supported data model (GetSupportedDM). */
export interface SupportedModelObject {
  path: string
  access: 'readOnly' | 'addDelete' | 'addOnly' | 'deleteOnly'
  multi: boolean
  params: { name: string; writable: boolean; readable: boolean; type: string }[]
  commands: { name: string; async: boolean; input: string[]; output: string[] }[]
  events: { name: string; args: string[] }[]
  uniqueKeys: string[][]
}

/**
 * A supported data model as Agents described it. Devices of one model and firmware may describe it differently: each
 * way is one of these.
 */
export interface SupportedModel {
  id: string
  /** `manufacturer|model|softwareVersion`; the last part is empty when a device reports no firmware. */
  key: string
  /** Digest of `objects`, independent of their order. */
  digest: string
  /** The devices that described it so, at most MAX_DESCRIBED_BY. */
  describedBy: DeviceId[]
  objects: SupportedModelObject[]
  at: Timestamp
}

/** A description without its objects, which may have megabytes. */
export type SupportedModelSummary = Omit<SupportedModel, 'objects'> & { objectCount: number }

/** Devices that are noted with a description. */
export const MAX_DESCRIBED_BY = 10
/** Devices that must describe a model the same way before it is used for others. */
export const CONFIRMED_BY = 2

/** Supported data models, per model and firmware. */
export interface SupportedModelStore {
  /** All descriptions of a model and firmware. */
  of(key: string): Promise<SupportedModelSummary[]>
  get(id: string): Promise<SupportedModel | undefined>
  put(model: SupportedModel): Promise<void>
  /** Notes that one more device describes its model so. Repeating it does no harm. */
  confirm(id: string, deviceId: DeviceId): Promise<void>
  /** In the order of their ids. */
  list(query: { limit: number; cursor?: string }): Promise<Page<SupportedModelSummary>>
  /** False when there is none. */
  delete(id: string, event: NewEvent): Promise<boolean>
}

/** Returns true when so many devices described a model this way that it holds for others, too. */
export function isConfirmed({ describedBy }: Pick<SupportedModel, 'describedBy'>): boolean {
  return describedBy.length >= CONFIRMED_BY
}

/**
 * The key of a device's supported models: devices of the same make, model and firmware should describe themselves the
 * same.
 */
export function supportedModelKey(device: Device): string {
  const { manufacturer, oui, model, productClass, softwareVersion } = device
  return [manufacturer ?? oui, model ?? productClass, softwareVersion ?? ''].join('|')
}

/** The id of a description. */
export function supportedModelId(key: string, digest: string): string {
  return createHash('sha256').update(`${key}\n${digest}`).digest('base64url').slice(0, 22)
}

/** Returns the SHA-256 of a supported model, independent of the order in which an Agent lists its parts. */
export function supportedModelDigest(objects: readonly SupportedModelObject[]): string {
  const hash = createHash('sha256')
  for (const { params, commands, events, uniqueKeys, ...object } of [...objects].sort(by(({ path }) => path)))
    hash.update(
      JSON.stringify([
        object.path,
        object.access,
        object.multi,
        [...params]
          .sort(by(({ name }) => name))
          .map(({ name, writable, readable, type }) => [name, writable, readable, type]),
        [...commands]
          .sort(by(({ name }) => name))
          .map(({ name, async, input, output }) => [name, async, [...input].sort(), [...output].sort()]),
        [...events].sort(by(({ name }) => name)).map(({ name, args }) => [name, [...args].sort()]),
        uniqueKeys.map((names) => [...names].sort().join(',')).sort(),
      ]),
    )
  return hash.digest('hex')
}

function by<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const [one, other] = [key(a), key(b)]
    return one < other ? -1 : one > other ? 1 : 0
  }
}
