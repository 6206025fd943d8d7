import { BoundedMap, type Clock } from '../base/index.ts'
import type { Device, DeviceId, Parameter, ParameterStore } from '../domain/index.ts'
import { isRowOf, type NamedRow, stemOf } from './reading.ts'

/** Rows by the value of their key, e.g. `ether1`; a key may be there twice. */
type RowsByKey = ReadonlyMap<string, readonly string[]>

const MAX_DEVICES = 5000
/** Objects below a table that are looked at. */
const MAX_OBJECTS = 5000
/** Rows that were read are known for this time; a row whose key has changed is noticed at once. */
const KNOWN_MS = 300_000

/**
 * Finds the row of the record that a message speaks of. The record of a router may have the rows of its TR-069 client,
 * which counts them in another way than its bridge: rows are found by name there.
 */
export class RowFinder {
  readonly #parameters: Pick<ParameterStore, 'objects' | 'getMany'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #known = new BoundedMap<string, { until: number; rows: Promise<RowsByKey> }>(MAX_DEVICES)

  constructor(parameters: Pick<ParameterStore, 'objects' | 'getMany'>, clock: Pick<Clock, 'now'>) {
    this.#parameters = parameters
    this.#clock = clock
  }

  /**
   * Resolves with the path of the row; undefined when the record has none that is surely this one. `isNumberedByBridge`:
   * the rows of the record are those of the Agent of the bridge.
   */
  async find(deviceId: DeviceId, row: NamedRow, isNumberedByBridge: boolean): Promise<string | undefined> {
    const { key, path, tables } = row
    if (key === undefined) return isNumberedByBridge ? path : undefined
    if (path !== undefined) {
      const [stored] = await this.#parameters.getMany(deviceId, [path + key.parameter])
      if (stored !== undefined && stored.value === key.value) return path
      if (isNumberedByBridge && row.mayBeNew && stored?.source !== 'cwmp') return path
    }
    for (const table of tables) {
      const found = (await this.#findIn(deviceId, table, key)) ?? (await this.#findIn(deviceId, table, key))
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Undefined also when the rows that are known are not those of the record any more: then they are read anew next. */
  async #findIn(
    deviceId: DeviceId,
    table: string,
    { parameter, value }: { parameter: string; value: string },
  ): Promise<string | undefined> {
    for (const found of (await this.#rows(deviceId, table, parameter)).get(value) ?? []) {
      const [stored] = await this.#parameters.getMany(deviceId, [found + parameter])
      if (stored?.value === value) return found
      this.#known.delete(nameOf(deviceId, table))
    }
    return undefined
  }

  #rows(deviceId: DeviceId, table: string, key: string): Promise<RowsByKey> {
    const name = nameOf(deviceId, table)
    const now = this.#clock.now()
    const known = this.#known.get(name)
    if (known !== undefined && now < known.until) return known.rows
    const rows = this.#read(deviceId, table, key)
    this.#known.set(name, { until: now + KNOWN_MS, rows })
    rows.catch(() => this.#known.delete(name))
    return rows
  }

  async #read(deviceId: DeviceId, table: string, key: string): Promise<RowsByKey> {
    const objects = await this.#parameters.objects(deviceId, stemOf(table), MAX_OBJECTS)
    const paths = objects.filter((object) => isRowOf([table], object))
    const keys = await this.#parameters.getMany(
      deviceId,
      paths.map((path) => path + key),
    )
    const rows = new Map<string, string[]>()
    for (const { path, value } of keys) rows.set(value, [...(rows.get(value) ?? []), path.slice(0, -key.length)])
    return rows
  }
}

function nameOf(deviceId: DeviceId, table: string): string {
  return `${deviceId} ${table}`
}

/** Returns true when the rows of a record are those of the Agent with this Endpoint ID, not of a TR-069 client. */
export function isNumberedBy(endpointId: string, { owner, binding }: Pick<Device, 'owner' | 'binding'>): boolean {
  return owner === 'usp' && binding?.endpointId === endpointId
}

/** Returns true when a value that was measured at a time may replace the stored one. */
export function isNewer(
  time: number,
  stored: Pick<Parameter, 'collectedAt' | 'source'> | undefined,
  { cwmp }: Pick<Device, 'cwmp'>,
): boolean {
  if (stored === undefined) return true
  // An Inform whose values are the same as before stores none of them: they hold as of the last Inform.
  const since = stored.source === 'cwmp' ? Math.max(stored.collectedAt, cwmp?.lastInformAt ?? 0) : stored.collectedAt
  return time > since
}
