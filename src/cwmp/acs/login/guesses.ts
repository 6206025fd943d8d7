import { BoundedMap, Buckets, type Clock } from '../../../base/index.ts'
import type { DeviceId } from '../../../domain/index.ts'

/**
 * Wrong logins of one address: many devices behind one address with a wrong secret may fail, a search for secrets may
 * not run.
 */
const OF_ADDRESS = { capacity: 1000, perSecond: 2, maxKeys: 100_000 }
/** Wrong logins for one device, from addresses at which it was not yet; and from the one at which it was last. */
const OF_DEVICE = { capacity: 30, perSecond: 0.1, maxKeys: 100_000 }
const MAX_HOMES = 100_000

/**
 * Limits wrong logins per address and per device. A device at the address at which it was let in last has a budget of
 * its own: strangers who guess its password, or others behind its address, do not lock it out.
 */
export class Guesses {
  readonly #ofAddress: Buckets
  readonly #ofDevice: Buckets
  readonly #homes = new BoundedMap<DeviceId, string>(MAX_HOMES)

  constructor(clock: Clock) {
    this.#ofAddress = new Buckets(OF_ADDRESS, clock)
    this.#ofDevice = new Buckets(OF_DEVICE, clock)
  }

  /** True when another login of this device from this address may be compared. */
  mayTry(id: DeviceId, address: string): boolean {
    if (this.#ofDevice.left(this.#keyOf(id, address)) < 1) return false
    return this.#isHome(id, address) || this.#ofAddress.left(address) >= 1
  }

  /** The login was wrong. */
  failed(id: DeviceId, address: string): void {
    this.#ofDevice.take(this.#keyOf(id, address), 1)
    this.#ofAddress.take(address, 1)
  }

  /** The login was right. */
  fitted(id: DeviceId, address: string): void {
    this.#homes.set(id, address)
  }

  #isHome(id: DeviceId, address: string): boolean {
    return this.#homes.get(id) === address
  }

  #keyOf(id: DeviceId, address: string): string {
    return this.#isHome(id, address) ? `${id}|${address}` : id
  }
}
