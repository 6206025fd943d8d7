import type { Clock, Log } from '../base/index.ts'
import type { Contact, Device, DeviceId, Operation, Protocol } from '../domain/index.ts'
import type { ContactEntry, Contacts } from './contacts.ts'
import type { FactRefresh } from './fact-refresh.ts'
import type { OperationLimits } from './limits.ts'
import type { News, Passes } from './passes.ts'
import { aborted, type FollowUps, holdSession } from './session-hold.ts'
import { protocolOf } from './verbs.ts'
import type { Waker } from './waker.ts'

interface DispatchDeps {
  contacts: Contacts
  passes: Passes
  waker: Waker
  news: News
  followUps: FollowUps
  factRefresh: FactRefresh
  clock: Clock
  log: Log
  instance: string
  limits: Pick<OperationLimits, 'quietMs'>
}

/** Pause between two looks at the facts of a device whose contact lasts. */
const FACTS_MS = 3_600_000

/** Brings operations and devices together: a stored operation and a new contact both lead to a pass over the device. */
export class Dispatch {
  readonly #deps: DispatchDeps
  readonly #listeners = new Set<(deviceId: DeviceId, protocol: Protocol) => void>()

  constructor(deps: DispatchDeps) {
    this.#deps = deps
  }

  /** Requests a pass when the device of a stored operation is in contact, and otherwise asks the device to connect. */
  operation(operation: Operation, device: Device): void {
    const { contacts, passes, waker, instance } = this.#deps
    const needed = protocolOf(operation, device.owner)
    if (contacts.has(device.id, needed)) {
      passes.request(device.id)
      return
    }
    // The link is at another instance, whose check of its links finds the operation.
    if ((needed ?? 'usp') === 'usp' && device.usp?.linked === true && device.usp.instance !== instance) return
    // A read goes over either protocol, and only a CPE can be asked to connect.
    waker.wake(device, needed ?? (device.owner === 'usp' && device.cwmp !== undefined ? 'cwmp' : device.owner))
  }

  /**
   * Runs the operations of the device over a new contact. Resolves when a session is not needed any more, or when a
   * lasting contact has ended. Never rejects.
   */
  async contact(contact: Contact): Promise<void> {
    const { contacts, passes, waker, news, log } = this.#deps
    const { deviceId, protocol, lasting, signal } = contact
    const entry = contacts.add(contact)
    waker.arrived(deviceId, protocol)
    for (const listener of this.#listeners) listener(deviceId, protocol)
    try {
      const isDue = contact.workKnown || news.has(deviceId)
      if (lasting) {
        if (isDue) passes.request(deviceId)
        this.#keepFacts(contact)
        await aborted(signal)
      } else if (isDue || passes.isActive(deviceId)) {
        passes.request(deviceId)
        await this.#hold(entry)
      }
      if (!lasting && contact.factsDue === true) {
        // A session takes one request at a time, and operations that arrive meanwhile run over it, too.
        await passes.between(deviceId, () => this.#readFacts(entry))
        if (passes.isActive(deviceId)) await this.#hold(entry)
      }
    } catch (err) {
      log.error({ err, deviceId }, 'work over a contact failed')
    } finally {
      contacts.remove(entry)
    }
  }

  #hold(entry: ContactEntry): Promise<void> {
    return holdSession(entry, { ...this.#deps, quietMs: this.#deps.limits.quietMs })
  }

  /** The session is in use meanwhile: what waits behind this reading has not waited in vain. */
  async #readFacts(entry: ContactEntry): Promise<void> {
    const { factRefresh, clock } = this.#deps
    entry.inUse = true
    await factRefresh.over(entry.contact)
    entry.inUse = false
    entry.usedAt = clock.now()
  }

  /** Looks at the facts of a device whose contact lasts, now and once an hour. */
  #keepFacts(contact: Contact): void {
    const { factRefresh, clock } = this.#deps
    if (!factRefresh.isOn || contact.signal.aborted) return
    let cancel: () => void = () => undefined
    const look = () => {
      cancel = clock.after(FACTS_MS, look)
      void factRefresh.over(contact)
    }
    contact.signal.addEventListener('abort', () => cancel(), { once: true })
    look()
  }

  /** Calls back with the device and protocol of each new contact; the returned function ends that. */
  onContact(listener: (deviceId: DeviceId, protocol: Protocol) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
