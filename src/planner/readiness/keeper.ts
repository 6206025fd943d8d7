import { type Clock, isConflict, type Lifecycle, type Log } from '../../base/index.ts'
import {
  type BridgeStore,
  type Device,
  type DeviceId,
  type DeviceStore,
  devicesOfSerial,
  type FleetStore,
  isRouterOs,
  type ParameterStore,
  type Readiness,
} from '../../domain/index.ts'
import { bearsOnReadiness, judge, READINESS_PATHS, sameReadiness } from './readiness.ts'

interface ReadinessKeeperDeps {
  devices: DeviceStore
  parameters: ParameterStore
  fleet: FleetStore
  bridges: Pick<BridgeStore, 'routersOfSerial' | 'onRouters'>
  clock: Clock
  log: Log
}

/** Devices that are judged together: three reads and writes for all of them. */
const BATCH = 500
/** A discovery changes a device several times: it is judged once, when so long after the first change has passed. */
const LINGER_MS = 500
const AGAIN_MS = 5000
/** Devices that are noted; the sweep finds the others. */
const MAX_NOTED = 100_000
/** All devices are looked at once in this time, and once after a start: rules change with the version. */
const SWEEP_MS = 86_400_000
/** After a batch in which nothing had changed, the sweep pauses for so many times as long as the batch took. */
const PAUSE_FACTOR = 10
const MIN_PAUSE_MS = 100

/**
 * Keeps the readiness of every device as its record has it, without a plan. A change of an input in this process has
 * the device judged soon after; what a crash or another version left out is found by a sweep. Only a readiness that
 * differs is written.
 */
export class ReadinessKeeper implements Lifecycle {
  readonly name = 'readiness'
  readonly #deps: ReadinessKeeperDeps
  readonly #noted = new Set<DeviceId>()
  #unsubscribe: (() => void)[] = []
  #wake = () => {}
  #cancel: (() => void) | undefined
  #running: Promise<void> | undefined
  #sweptAt: number | undefined
  #stopping = false

  constructor(deps: ReadinessKeeperDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    const { fleet, bridges } = this.#deps
    this.#unsubscribe = [
      fleet.onChanged((change) => {
        if (bearsOnReadiness(change)) this.#note(change.deviceId)
      }),
      bridges.onRouters((serials) => void this.#noteSerials(serials)),
    ]
  }

  async stop(): Promise<void> {
    this.endSweep()
    for (const off of this.#unsubscribe) off()
    this.#cancel?.()
    await this.#running
  }

  /** Ends a sweep at its next batch, and everything that would begin after it: for a server that is about to stop. */
  endSweep(): void {
    this.#stopping = true
    this.#wake()
  }

  /**
   * Judges devices that were never judged, at once, and from time to time every device, slowly. The job queue calls it
   * every few minutes, on one instance. It can be cut off anywhere: what was judged is stored, and a device that is
   * judged again costs no write.
   */
  async sweep(): Promise<void> {
    const { fleet, devices, clock, log } = this.#deps
    for await (const ids of fleet.withoutReadiness(BATCH)) {
      if (this.#stopping) return
      await this.#judge(ids)
    }
    if (this.#sweptAt !== undefined && clock.now() - this.#sweptAt < SWEEP_MS) return
    let changed = 0
    for await (const ids of devices.ids(undefined, BATCH)) {
      if (this.#stopping) return
      const begun = performance.now()
      const written = await this.#judge(ids)
      changed += written
      if (written === 0) await this.#pause(Math.max(MIN_PAUSE_MS, (performance.now() - begun) * PAUSE_FACTOR))
    }
    this.#sweptAt = clock.now()
    if (changed > 0) log.info({ changed }, 'readiness of devices was brought up to date')
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  #note(deviceId: DeviceId): void {
    if (this.#stopping || this.#noted.size >= MAX_NOTED) return
    this.#noted.add(deviceId)
    this.#schedule(LINGER_MS)
  }

  /** Notes the devices with the serial numbers of routers that bridges report. Never rejects: the sweep finds the others. */
  async #noteSerials(serials: readonly string[]): Promise<void> {
    try {
      for (const serial of serials) for (const id of await devicesOfSerial(serial, this.#deps.devices)) this.#note(id)
    } catch (err) {
      this.#deps.log.warn({ err, routers: serials.length }, 'readiness of routers was not brought up to date')
    }
  }

  #schedule(afterMs: number): void {
    if (this.#stopping || this.#cancel !== undefined || this.#running !== undefined || this.#noted.size === 0) return
    this.#cancel = this.#deps.clock.after(afterMs, () => {
      this.#cancel = undefined
      this.#running = this.#flush().then((pauseMs) => {
        this.#running = undefined
        this.#schedule(pauseMs)
      })
    })
  }

  /** Judges what was noted; resolves with the pause before the next time. */
  async #flush(): Promise<number> {
    const ids = [...this.#noted].slice(0, BATCH)
    for (const id of ids) this.#noted.delete(id)
    try {
      await this.#judge(ids)
      return LINGER_MS
    } catch (err) {
      for (const id of ids) this.#noted.add(id)
      this.#deps.log.warn({ err, devices: ids.length }, 'readiness was not brought up to date; it is tried again')
      return AGAIN_MS
    }
  }

  /** Resolves with how many records changed. */
  async #judge(ids: DeviceId[]): Promise<number> {
    const written = await Promise.all(ids.map((id) => this.#judgeOne(id)))
    return written.filter(Boolean).length
  }

  async #judgeOne(deviceId: DeviceId): Promise<boolean> {
    const { devices } = this.#deps
    const device = await devices.get(deviceId)
    const readiness = device === undefined ? undefined : await readinessToStore(device, this.#deps)
    if (readiness === undefined) return false
    try {
      await devices.commit({ deviceId, set: { readiness } })
      return true
    } catch (error) {
      // It was deleted meanwhile.
      if (!isConflict(error)) throw error
      return false
    }
  }
}

/** The parts by which the readiness of a device is judged. */
export interface JudgeDeps {
  parameters: Pick<ParameterStore, 'getMany'>
  bridges: Pick<BridgeStore, 'routersOfSerial'>
  clock: Clock
}

/** Resolves with the readiness of a device as its record and the routers of bridges have it. */
export async function readinessOf(device: Device, { parameters, bridges, clock }: JudgeDeps): Promise<Readiness> {
  const known = await parameters.getMany(device.id, READINESS_PATHS)
  const routers = isRouterOs(device) ? await bridges.routersOfSerial(device.serial) : []
  return judge(device, known, clock.now(), routers)
}

/** The readiness of a device when it differs from the one in its record; undefined when that one stands. */
export async function readinessToStore(device: Device, deps: JudgeDeps): Promise<Readiness | undefined> {
  const found = await readinessOf(device, deps)
  return sameReadiness(device.readiness, found) ? undefined : found
}
