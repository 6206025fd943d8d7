import { BoundedMap, Buckets, type Clock, shareOf } from '../../../base/index.ts'
import type { DeviceId } from '../../../domain/index.ts'

/**
 * Wrong logins of one address: many devices behind one address with a wrong secret may fail, a search for secrets may
 * not run.
 */
const OF_ADDRESS = { capacity: 1000, perSecond: 2, maxKeys: 100_000 }
/**
 * Wrong logins for one device from one address. No budget counts a device over all addresses: whoever uses it up locks
 * the device out wherever it comes from.
 */
const OF_DEVICE = { capacity: 30, perSecond: 0.1, maxKeys: 100_000 }
const MAX_HOMES = 100_000

/**
 * Limits wrong logins per address, and per device and address; the addresses of one IPv6 network (/64) are one. Wrong
 * logins from one address never stop a right one from another. A device at the address at which it was let in last is
 * not stopped by others behind that address whose logins are wrong.
 */
export class Guesses {
  readonly #ofAddress: Buckets
  readonly #ofDevice: Buckets
  readonly #homes = new BoundedMap<DeviceId, string>(MAX_HOMES)

  constructor(clock: Clock) {
    this.#ofAddress = new Buckets(OF_ADDRESS, clock)
    this.#ofDevice = new Buckets(OF_DEVICE, clock)
  }

  /** Returns true when another login of this device from this address may be compared. */
  mayTry(id: DeviceId, address: string): boolean {
    const share = shareOf(address)
    if (this.#ofDevice.left(`${id}|${share}`) < 1) return false
    return this.#homes.get(id) === share || this.#ofAddress.left(share) >= 1
  }

  /** Counts a wrong login. */
  failed(id: DeviceId, address: string): void {
    const share = shareOf(address)
    this.#ofDevice.take(`${id}|${share}`, 1)
    this.#ofAddress.take(share, 1)
  }

  /** Notes the address of a right login. */
  fitted(id: DeviceId, address: string): void {
    this.#homes.set(id, shareOf(address))
  }
}
