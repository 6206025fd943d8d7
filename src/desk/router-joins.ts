import { errorText, type Lifecycle, type Log } from '../base/index.ts'
import { type BridgeStore, type DeviceId, type FeedEvent, isRouterOs } from '../domain/index.ts'
import { type JoinDeps, joinRouter } from './join-router.ts'

interface JoinsDeps extends JoinDeps {
  bridges: Pick<BridgeStore, 'routersOfSerial'>
  log: Log
}

/** Devices that wait to be looked at; what is beyond is looked at when its bridge reports it again. */
const MAX_WAITING = 20_000

/**
 * Looks at routers whose CWMP record is new and at those whose Agent connects, one at a time: record and Agent of a
 * router become one record, whichever came first, and what a kill has left half done is finished.
 */
export class RouterJoins implements Lifecycle {
  readonly name = 'joins of routers'
  readonly #deps: JoinsDeps
  readonly #waiting = new Set<DeviceId>()
  #working: Promise<void> | undefined
  #isStopped = false

  constructor(deps: JoinsDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    // Events come from the bus.
  }

  heed({ type, protocol, deviceId }: FeedEvent): void {
    const isNew = type === 'device.registered' && protocol === 'cwmp'
    if ((!isNew && type !== 'device.connected') || deviceId === undefined || this.#isStopped) return
    // Of other makers nothing is read. A router with a new OUI is looked at when its bridge reports it again.
    if (!isRouterOs({ oui: ouiOf(deviceId) }) || this.#waiting.size >= MAX_WAITING) return
    this.#waiting.add(deviceId)
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  /** Resolves when the device that is looked at is done. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#waiting.clear()
    await this.#working
  }

  async #work(): Promise<void> {
    for (const deviceId of this.#waiting) {
      this.#waiting.delete(deviceId)
      try {
        await this.#look(deviceId)
      } catch (error) {
        this.#deps.log.warn({ deviceId, reason: errorText(error) }, 'a router was not joined with its Agent yet')
      }
    }
  }

  async #look(deviceId: DeviceId): Promise<void> {
    const { devices, bridges } = this.#deps
    const device = await devices.get(deviceId)
    if (device === undefined) return
    for (const { state } of await bridges.routersOfSerial(device.serial))
      if (state?.reachable === true && state.identity !== undefined) await joinRouter(this.#deps, state.identity)
  }
}

/** The OUI that a device id begins with. */
function ouiOf(deviceId: DeviceId): string {
  return deviceId.split('-', 1)[0] ?? ''
}
