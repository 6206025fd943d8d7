import type { Clock } from '../base/index.ts'
import type { Contact, DeviceId, Protocol } from '../domain/index.ts'

/** A contact and its use by the engine. Times are in milliseconds of the clock. */
export interface ContactEntry {
  readonly contact: Contact
  /** Time at which it began. */
  readonly since: number
  /** Operations whose outcome a read over this contact did not show, with the time of the last such read. */
  readonly asked: Map<string, number>
  /** Not used before this time, because its last execution failed in the transport. Infinity: not used any more. */
  restUntil: number
  /** Time of the last use, or of its begin. */
  usedAt: number
  /** True while an execution is under way over it. */
  inUse: boolean
}

/**
 * The contacts of this process, by device and protocol. Of several contacts over one protocol the newest is used.
 */
export class Contacts {
  readonly #clock: Clock
  readonly #byDevice = new Map<DeviceId, ContactEntry[]>()
  #round = this.#byDevice.keys()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(contact: Contact): ContactEntry {
    const since = this.#clock.now()
    const entry: ContactEntry = { contact, since, asked: new Map(), restUntil: 0, usedAt: since, inUse: false }
    const others = this.#byDevice.get(contact.deviceId)
    if (others === undefined) this.#byDevice.set(contact.deviceId, [entry])
    else others.push(entry)
    return entry
  }

  remove(entry: ContactEntry): void {
    const { deviceId } = entry.contact
    const others = this.#byDevice.get(deviceId)?.filter((other) => other !== entry) ?? []
    if (others.length === 0) this.#byDevice.delete(deviceId)
    else this.#byDevice.set(deviceId, others)
  }

  /** Returns the contacts of a device that can be used now. */
  usable(deviceId: DeviceId): Map<Protocol, ContactEntry> {
    const found = new Map<Protocol, ContactEntry>()
    const now = this.#clock.now()
    for (const entry of this.#byDevice.get(deviceId) ?? []) {
      if (!entry.contact.signal.aborted && entry.restUntil <= now) found.set(entry.contact.protocol, entry)
    }
    return found
  }

  /**
   * Returns true when the device has a contact over this protocol (undefined: over any) that is usable now or after a
   * short rest.
   */
  has(deviceId: DeviceId, protocol?: Protocol): boolean {
    const entries = this.#byDevice.get(deviceId) ?? []
    return entries.some(
      ({ contact, restUntil }) =>
        !contact.signal.aborted &&
        restUntil !== Number.POSITIVE_INFINITY &&
        (protocol === undefined || contact.protocol === protocol),
    )
  }

  /** Returns the next devices with a lasting contact, in rounds over all of them. It looks at `limit` devices. */
  nextLasting(limit: number): DeviceId[] {
    const found: DeviceId[] = []
    // The iterator of a Map stays valid while entries are added and removed, so the round continues where it stopped.
    for (let i = 0; i < limit; i++) {
      const next = this.#round.next()
      if (next.done === true) {
        this.#round = this.#byDevice.keys()
        break
      }
      if (this.#byDevice.get(next.value)?.some(({ contact }) => contact.lasting) === true) found.push(next.value)
    }
    return found
  }
}
