import type { ServerResponse } from 'node:http'
import type { Clock, Log } from '../../base/index.ts'
import type { DeviceId, DeviceStore } from '../../device/index.ts'
import type { RefusedFor } from './authenticate.ts'
import { remember } from './box-notes.ts'
import { challenged, tooBusy } from './respond.ts'

export interface RefusalsOptions {
  devices: DeviceStore
  clock: Clock
  /** Limited: anybody can be refused as often as they like. */
  lines: Log
  onRefused?(reason: string): void
}

/** The event of a refused device is stored once in this time. */
const TELL_MS = 3_600_000
const MAX_TOLD = 10_000
/** Refusals that are events: nothing but a person can help. */
const TEXTS: Partial<Record<RefusedFor, string>> = {
  reset: 'came with the enrolment secret although it has a credential of its own',
  replaced:
    'came with a credential that was sent to it once and that a later enrolment replaced: another device may have enrolled in its name',
}

/** Refuses logins: 401, and an event where a person should know of it. */
export class Refusals {
  readonly #options: RefusalsOptions
  readonly #toldAt = new Map<string, number>()

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  /** Answers 401 with the challenges; a login that was wrong is counted and logged. One that was not compared is answered 503. */
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
    challenged(response, challenges)
  }

  /** Stores the event `device.refused`, once an hour for each device and reason. */
  async tell(
    deviceId: DeviceId,
    data: { reason: RefusedFor | 'inform'; address: string; text: string },
  ): Promise<void> {
    const { clock, devices } = this.#options
    const at = clock.now()
    const key = `${deviceId}|${data.reason}`
    if (at - (this.#toldAt.get(key) ?? Number.NEGATIVE_INFINITY) < TELL_MS) return
    remember(this.#toldAt, key, at, MAX_TOLD)
    await devices.commit({
      deviceId,
      events: [{ type: 'device.refused', at, deviceId, protocol: 'cwmp', data }],
    })
  }
}
