import { BoundedMap, type Clock, createKeyedQueue, errorText, type Log } from '../base/index.ts'
import { type Model, splitLeaf } from '../datamodel/index.ts'
import {
  collected,
  type Device,
  type DeviceId,
  type DeviceStore,
  PARAMETERS_PER_COMMIT,
  type ParameterStore,
  type ParameterWrite,
} from '../domain/index.ts'
import type { TelemetryReading } from './reading.ts'
import { isNewer, isNumberedBy, RowFinder } from './row-finder.ts'

/** The outcomes of values; they are the labels of a metric. */
type ValueOutcome = 'stored' | 'same' | 'older' | 'noRow' | 'dropped'

export interface RecordWriterDeps {
  devices: Pick<DeviceStore, 'get' | 'commit'>
  parameters: Pick<ParameterStore, 'objects' | 'getMany'>
  model: Model
  clock: Clock
  log: Log
  /** Counts values, for metrics. */
  onValues(outcome: ValueOutcome, count: number): void
}

/** The values of one device that wait for their commit, the newest of each parameter. */
interface Waiting {
  readonly endpointId: string
  readonly readings: Map<string, TelemetryReading>
}

/** Messages of one reading of a router come together: they become one commit. */
const FLUSH_MS = 1000
const MAX_DEVICES = 5000
const MAX_READINGS = 1500
/** Devices that are written at the same time. */
const MAX_TOGETHER = 16
/** A value that is the same is stored again, with its time, when the stored one is so old. */
const SAME_FOR_MS = 600_000

/** Brings values of telemetry into records. Values that wait are lost with the process: the next reading has newer ones. */
export class RecordWriter {
  readonly #deps: RecordWriterDeps
  readonly #rows: RowFinder
  readonly #waiting: BoundedMap<DeviceId, Waiting>
  /** Writes of one device go one after the other. */
  readonly #queue = createKeyedQueue()
  #cancel: (() => void) | undefined
  #flushing: Promise<void> | undefined

  constructor(deps: RecordWriterDeps) {
    this.#deps = deps
    this.#rows = new RowFinder(deps.parameters, deps.clock)
    this.#waiting = new BoundedMap(MAX_DEVICES, (_, { readings }) => deps.onValues('dropped', readings.size))
  }

  /** Takes values of a device that are stored with the next flush. */
  put(deviceId: DeviceId, endpointId: string, readings: readonly TelemetryReading[]): void {
    if (readings.length === 0) return
    const known = this.#waiting.get(deviceId)
    const waiting = known?.endpointId === endpointId ? known : { endpointId, readings: new Map() }
    if (waiting !== known) this.#waiting.set(deviceId, waiting)
    for (const reading of readings) {
      const key = keyOf(reading)
      const before = waiting.readings.get(key)
      if (before !== undefined && before.time >= reading.time) continue
      if (before === undefined && waiting.readings.size >= MAX_READINGS) this.#deps.onValues('dropped', 1)
      else waiting.readings.set(key, reading)
    }
    this.#schedule()
  }

  /** Stores values; durable when it resolves. */
  async store(deviceId: DeviceId, endpointId: string, readings: readonly TelemetryReading[]): Promise<void> {
    await this.#queue.run(deviceId, () => this.#write(deviceId, endpointId, readings))
  }

  /** Stores all that waits. Never rejects. */
  async flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    await this.#flushing
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined
      if (this.#waiting.size > 0) this.#schedule()
    })
    await this.#flushing
  }

  #schedule(): void {
    if (this.#flushing !== undefined) return
    this.#cancel ??= this.#deps.clock.after(FLUSH_MS, () => void this.flush())
  }

  async #flush(): Promise<void> {
    const all = [...this.#waiting]
    this.#waiting.clear()
    const next = all[Symbol.iterator]()
    const work = async () => {
      for (const [deviceId, { endpointId, readings }] of next) {
        try {
          await this.store(deviceId, endpointId, [...readings.values()])
        } catch (error) {
          this.#deps.onValues('dropped', readings.size)
          this.#deps.log.warn({ deviceId, reason: errorText(error) }, 'telemetry of a device was not stored')
        }
      }
    }
    await Promise.all(Array.from({ length: MAX_TOGETHER }, work))
  }

  async #write(deviceId: DeviceId, endpointId: string, readings: readonly TelemetryReading[]): Promise<void> {
    const { devices, parameters, onValues } = this.#deps
    const device = await devices.get(deviceId)
    // Deleted, or bound to another Agent, since the message was taken.
    if (device?.binding?.endpointId !== endpointId) return onValues('dropped', readings.length)
    const writes = await this.#writesOf(device, endpointId, readings)
    const stored = new Map(
      (
        await parameters.getMany(
          deviceId,
          writes.map(({ path }) => path),
        )
      ).map((one) => [one.path, one]),
    )
    const newer = writes.filter(({ path, collectedAt }) => isNewer(collectedAt, stored.get(path), device))
    onValues('older', writes.length - newer.length)
    const changed = newer.filter(({ path, value, collectedAt }) => {
      const before = stored.get(path)
      return before?.value !== value || collectedAt - before.collectedAt >= SAME_FOR_MS
    })
    onValues('same', newer.length - changed.length)
    for (let i = 0; i < changed.length; i += PARAMETERS_PER_COMMIT) {
      const part = changed.slice(i, i + PARAMETERS_PER_COMMIT)
      await devices.commit({ deviceId, parameters: part, onlyNewer: true })
      onValues('stored', part.length)
    }
  }

  /** Resolves with the values under the paths that they have in the record. */
  async #writesOf(
    device: Device,
    endpointId: string,
    readings: readonly TelemetryReading[],
  ): Promise<ParameterWrite[]> {
    const { model, onValues } = this.#deps
    const objects = await this.#objectsOf(device.id, readings, isNumberedBy(endpointId, device))
    const values = new Map<string, { value: string; time: number }>()
    for (const { at, parameter, value, time } of readings) {
      const object = objects.get(at)
      if (object === undefined) {
        onValues('noRow', 1)
        continue
      }
      values.set(object + parameter, { value, time })
      if (typeof at !== 'string' && at.key !== undefined)
        values.set(object + at.key.parameter, { value: at.key.value, time })
    }
    return [...values].flatMap(([path, { value, time }]) =>
      collected([{ path, value }], { source: 'mqtt', collectedAt: time, modelOf: () => model }),
    )
  }

  /** Resolves with the objects of the record by what readings name them: values of one item have one row, looked for once. */
  async #objectsOf(
    deviceId: DeviceId,
    readings: readonly TelemetryReading[],
    isOwn: boolean,
  ): Promise<ReadonlyMap<TelemetryReading['at'], string | undefined>> {
    const named = [...new Set(readings.map(({ at }) => at))]
    const found = await Promise.all(
      named.map((at) => (typeof at === 'string' ? exactly(at, isOwn) : this.#rows.find(deviceId, at, isOwn))),
    )
    return new Map(named.map((at, i) => [at, found[i]]))
  }
}

/** An object that a path names; undefined for a row of the numbering of the bridge where the record has another one. */
function exactly(object: string, isNumberedByBridge: boolean): string | undefined {
  return isNumberedByBridge || !/\.\d+\./.test(object) ? object : undefined
}

function keyOf({ at, parameter }: TelemetryReading): string {
  if (typeof at === 'string') return at + parameter
  return [at.tables[0], at.key?.value ?? '', at.path ?? '', parameter].join(' ')
}

/** Returns the value of an exact path as a reading; undefined for a path that is none. */
export function readingAt(path: string, value: string, time: number): TelemetryReading | undefined {
  const { object, leaf } = splitLeaf(path)
  return object === '' || leaf === '' ? undefined : { at: object, parameter: leaf, value, time }
}
