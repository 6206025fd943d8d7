import type { ServerResponse } from 'node:http'
import { BoundedMap, type Clock, type Log } from '../../../base/index.ts'
import type { DeviceId, DeviceStore } from '../../../domain/index.ts'
import { challenged, tooBusy } from '../http/respond.ts'
import type { RefusedFor } from './authenticate.ts'

interface RefusalsOptions {
  devices: DeviceStore
  clock: Clock
  /** Limited: anybody can be refused as often as they like. */
  lines: Log
  onRefused?(reason: string): void
}

/** The event of a refused device is stored once in this time. */
const REPORT_AGAIN_MS = 3_600_000
const MAX_REPORTED = 10_000
/** Refusals that are events: nothing but a person can help. */
const TEXTS: Partial<Record<RefusedFor, string>> = {
  reset: 'came with the enrolment secret although it has a credential of its own',
  replaced:
    'came with a credential that was sent to it once and that a later enrolment replaced: another device may have enrolled in its name',
}

/** A CPE that shows nothing so often in a row does not answer challenges. */
const MAX_MISSING = 3
const SHOWS_NOTHING =
  'shows no login although it took a credential of its own; release its credential (POST /devices/{id}/release-credential) to let it in again'

/** Refuses logins: 401, and an event where a person should know of it. */
export class Refusals {
  readonly #options: RefusalsOptions
  readonly #reportedAt = new BoundedMap<string, number>(MAX_REPORTED)
  readonly #missing = new BoundedMap<DeviceId, number>(MAX_REPORTED)

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  /**
   * Answers 401 with the challenges; a login that was wrong is counted and logged. One that was not compared is
   * answered 503.
   */
  async refuse(
    deviceId: DeviceId,
    { reason, challenges, text = TEXTS[reason] }: { reason: RefusedFor; challenges: string[]; text?: string },
    address: string | undefined,
    response: ServerResponse,
  ): Promise<void> {
    if (reason === 'limited') {
      this.#options.onRefused?.('guesses')
      this.#options.lines.warn({ deviceId, address }, 'CPE refused: too many wrong logins')
      return tooBusy(response, 'too many wrong logins')
    }
    if (reason !== 'missing' && reason !== 'stale') {
      this.#options.onRefused?.('credentials')
      this.#options.lines.warn({ deviceId, address, reason, text }, 'CPE refused: credentials')
      if (text !== undefined) await this.tell(deviceId, { reason, address: address ?? '', text })
    }
    if (reason === 'missing') await this.#missed(deviceId, address ?? '')
    challenged(response, challenges)
  }

  /** The CPE was let in. */
  passed(deviceId: DeviceId): void {
    this.#missing.delete(deviceId)
  }

  /** A challenge begins with a login that is missing; a CPE that answers none is locked out. */
  async #missed(deviceId: DeviceId, address: string): Promise<void> {
    const count = (this.#missing.get(deviceId) ?? 0) + 1
    this.#missing.set(deviceId, count)
    if (count < MAX_MISSING) return
    if (count === MAX_MISSING) this.#options.lines.warn({ deviceId, address }, `CPE refused: it ${SHOWS_NOTHING}`)
    await this.tell(deviceId, { reason: 'missing', address, text: SHOWS_NOTHING })
  }

  /** Stores the event `device.refused`, once an hour for each device and reason. */
  async tell(
    deviceId: DeviceId,
    data: { reason: RefusedFor | 'inform'; address: string; text: string },
  ): Promise<void> {
    const { clock, devices } = this.#options
    const at = clock.now()
    const key = `${deviceId}|${data.reason}`
    if (at - (this.#reportedAt.get(key) ?? Number.NEGATIVE_INFINITY) < REPORT_AGAIN_MS) return
    this.#reportedAt.set(key, at)
    await devices.commit({
      deviceId,
      events: [{ type: 'device.refused', at, deviceId, protocol: 'cwmp', data }],
    })
  }
}
