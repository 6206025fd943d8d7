import { BoundedMap, type Clock, errorText, isOvertaken, type Log } from '../../../base/index.ts'
import type { ConnectionRequestOutcome, Device, DeviceId, DeviceStore, LastWake } from '../../../domain/index.ts'

/** The end of a connection request: its outcome, and the HTTP status or the reason where there was none. */
export interface RequestEnd {
  outcome: ConnectionRequestOutcome
  status?: number
  reason?: string
}

interface WakeNotesOptions {
  devices: DeviceStore
  clock: Clock
  log: Log
  /** Counts each connection request. */
  onConnectionRequest?(outcome: ConnectionRequestOutcome): void
}

/** The same outcome is stored anew after this time. */
const FRESH_MS = 300_000
/**
 * A CPE that accepted opens its session within 30 s (TR-069 3.2.2); its Inform then carries the note into the record.
 */
const INFORM_MS = 60_000
const MAX_KNOWN = 100_000
const MAX_WAITING = 10_000

/**
 * Keeps the last connection request in the record of its device. An outcome is stored when it changes or is five
 * minutes old; a success waits for the commit of the Inform that follows it, so that it costs no write of its own.
 */
export class RequestNotes {
  readonly #options: WakeNotesOptions
  readonly #stored = new BoundedMap<DeviceId, LastWake>(MAX_KNOWN)
  readonly #waiting = new Map<DeviceId, { wake: LastWake; cancel(): void }>()

  constructor(options: WakeNotesOptions) {
    this.#options = options
  }

  /**
   * Counts the request and takes its end to the record. Never rejects: a note that cannot be stored is logged, the next
   * one tries again.
   */
  async note(device: Device, { outcome, status }: RequestEnd): Promise<void> {
    this.#options.onConnectionRequest?.(outcome)
    // A device that never spoke CWMP has no such facts.
    if (device.cwmp === undefined) return
    const at = this.#options.clock.now()
    const last = this.#waiting.get(device.id)?.wake ?? this.#stored.get(device.id) ?? device.cwmp.lastWake
    const same = last?.outcome === outcome
    if (same && at - last.at < FRESH_MS) return
    const wake: LastWake = { at, firstAt: same ? last.firstAt : at, way: 'connectionRequest', outcome }
    if (status !== undefined) wake.status = status
    this.#drop(device.id)
    if (outcome === 'ok' && this.#waiting.size < MAX_WAITING) this.#wait(device.id, wake)
    else await this.#store(device.id, wake)
  }

  /** The note that the commit of an Inform is to carry; call `stored` when that is durable. */
  waiting(id: DeviceId): LastWake | undefined {
    return this.#waiting.get(id)?.wake
  }

  /** The note is in the record. */
  stored(id: DeviceId, wake: LastWake): void {
    if (this.#waiting.get(id)?.wake === wake) this.#drop(id)
    this.#stored.set(id, wake)
  }

  /** Stores what still waits for an Inform. */
  async stop(): Promise<void> {
    const waiting = [...this.#waiting].map(([id, { wake }]) => ({ id, wake }))
    for (const { id } of waiting) this.#drop(id)
    await Promise.all(waiting.map(({ id, wake }) => this.#store(id, wake)))
  }

  #wait(id: DeviceId, wake: LastWake): void {
    const cancel = this.#options.clock.after(INFORM_MS, () => {
      this.#drop(id)
      void this.#store(id, wake)
    })
    this.#waiting.set(id, { wake, cancel })
  }

  #drop(id: DeviceId): void {
    this.#waiting.get(id)?.cancel()
    this.#waiting.delete(id)
  }

  async #store(id: DeviceId, wake: LastWake): Promise<void> {
    try {
      await this.#options.devices.commit({ deviceId: id, set: { 'cwmp.lastWake': wake } })
      this.stored(id, wake)
    } catch (error) {
      // Deleted meanwhile: there is no record to keep it in.
      if (isOvertaken(error)) return
      this.#options.log.warn(
        { deviceId: id, outcome: wake.outcome, reason: errorText(error) },
        'the outcome of a connection request was not stored',
      )
    }
  }
}
