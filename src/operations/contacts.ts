import type { Clock } from '../base/index.ts'
import type { Contact, DeviceId, Protocol } from '../domain/index.ts'

/** A contact and how it fares here. */
export interface ContactEntry {
  readonly contact: Contact
  /** When it came. */
  readonly since: number
  /** Operations whose end was already looked for over it, in vain, and when. */
  readonly asked: Map<string, number>
  /** Not used before this time: its last execution failed on the way. Infinity: not used any more. */
  restUntil: number
  /** When it was used last, or came. */
  usedAt: number
  /** An execution is under way over it. */
  inUse: boolean
}

/** The devices that can be talked to from this process, by device and protocol. The newest contact of a protocol is the one that counts. */
export interface Contacts {
  add(contact: Contact): ContactEntry
  remove(entry: ContactEntry): void
  /** Contacts of a device that can be used now. */
  usable(deviceId: DeviceId): Map<Protocol, ContactEntry>
  /** Whether there is a contact over this protocol (undefined: any), usable or resting for a moment. */
  has(deviceId: DeviceId, protocol?: Protocol): boolean
  /** The next devices with a lasting contact of a walk around all of them; at most `limit` are looked at. */
  nextLasting(limit: number): DeviceId[]
  readonly size: number
}

export function createContacts(clock: Clock): Contacts {
  const byDevice = new Map<DeviceId, ContactEntry[]>()
  let walk = byDevice.keys()

  return {
    add(contact) {
      const since = clock.now()
      const entry: ContactEntry = { contact, since, asked: new Map(), restUntil: 0, usedAt: since, inUse: false }
      const others = byDevice.get(contact.deviceId)
      if (others === undefined) byDevice.set(contact.deviceId, [entry])
      else others.push(entry)
      return entry
    },
    remove(entry) {
      const rest = byDevice.get(entry.contact.deviceId)?.filter((other) => other !== entry) ?? []
      if (rest.length === 0) byDevice.delete(entry.contact.deviceId)
      else byDevice.set(entry.contact.deviceId, rest)
    },
    usable(deviceId) {
      const found = new Map<Protocol, ContactEntry>()
      const now = clock.now()
      for (const entry of byDevice.get(deviceId) ?? []) {
        if (!entry.contact.signal.aborted && entry.restUntil <= now) found.set(entry.contact.protocol, entry)
      }
      return found
    },
    has(deviceId, protocol) {
      const entries = byDevice.get(deviceId) ?? []
      return entries.some(
        ({ contact, restUntil }) =>
          !contact.signal.aborted &&
          restUntil !== Number.POSITIVE_INFINITY &&
          (protocol === undefined || contact.protocol === protocol),
      )
    },
    nextLasting(limit) {
      const found: DeviceId[] = []
      // A Map's iterator stays valid while entries come and go, so the walk goes on where it stopped.
      for (let i = 0; i < limit; i++) {
        const next = walk.next()
        if (next.done === true) {
          walk = byDevice.keys()
          break
        }
        if (byDevice.get(next.value)?.some(({ contact }) => contact.lasting) === true) found.push(next.value)
      }
      return found
    },
    get size() {
      return byDevice.size
    },
  }
}
