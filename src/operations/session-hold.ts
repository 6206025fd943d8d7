import { BoundedMap, BoundedSet, type Clock } from '../base/index.ts'
import type { DeviceId, Operation } from '../domain/index.ts'
import type { ContactEntry } from './contacts.ts'
import type { Passes } from './passes.ts'

/** Longest time between the end of a step and the request of the next one, also on a busy server. */
const FOLLOW_UP_MS = 3000
const MAX = 20_000

/** Devices for which another operation is expected as soon as their present one has ended. */
export class FollowUps {
  readonly #clock: Clock
  readonly #expected = new BoundedSet<string>(MAX)
  readonly #until = new BoundedMap<DeviceId, number>(MAX)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Another operation follows the end of this one. */
  expectAfter(operationId: string): void {
    this.#expected.add(operationId)
  }

  ended({ id, deviceId }: Operation): void {
    if (this.#expected.delete(id)) this.#until.set(deviceId, this.#clock.now() + FOLLOW_UP_MS)
  }

  /** An operation of the device was stored. */
  arrived(deviceId: DeviceId): void {
    this.#until.delete(deviceId)
  }

  /** Returns the milliseconds for which a session waits for the next operation; 0 or less when none is expected. */
  leftMs(deviceId: DeviceId): number {
    return Math.min(FOLLOW_UP_MS, (this.#until.get(deviceId) ?? 0) - this.#clock.now())
  }
}

interface HoldDeps {
  passes: Passes
  followUps: FollowUps
  clock: Clock
  /** Longest time without use. */
  quietMs: number
}

/**
 * Holds a CWMP session open. Resolves when no pass over its device is under way and no further operation is expected,
 * when the session has ended, or when the device is busy over the other protocol for `quietMs`: a CPE that waits for an
 * answer gives up after a time of its own.
 */
export async function holdSession(entry: ContactEntry, deps: HoldDeps): Promise<void> {
  const quiet = untilQuiet(entry, deps)
  await Promise.race([untilIdle(entry, deps), quiet.reached, aborted(entry.contact.signal)])
  quiet.cancel()
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

async function untilIdle({ contact }: ContactEntry, deps: HoldDeps): Promise<void> {
  do await deps.passes.ended(contact.deviceId)
  while (await isFollowed(contact.deviceId, contact.signal, deps))
}

/**
 * Resolves with true when a pass is requested in time. A new session for each step of a migration costs more than the
 * steps.
 */
function isFollowed(deviceId: DeviceId, signal: AbortSignal, deps: HoldDeps): Promise<boolean> {
  const leftMs = deps.followUps.leftMs(deviceId)
  if (leftMs <= 0) return Promise.resolve(false)
  return new Promise((resolve) => {
    const end = (isRequested: boolean) => {
      leave()
      cancel()
      resolve(isRequested)
    }
    const leave = deps.passes.onRequest(deviceId, () => end(true))
    const cancel = deps.clock.after(leftMs, () => end(false))
    signal.addEventListener('abort', () => end(false), { once: true })
  })
}

function untilQuiet(entry: ContactEntry, { clock, quietMs }: HoldDeps): { reached: Promise<void>; cancel: () => void } {
  let cancel: () => void = () => undefined
  const reached = new Promise<void>((resolve) => {
    const look = () => {
      const leftMs = entry.inUse ? quietMs : entry.usedAt + quietMs - clock.now()
      if (leftMs <= 0) resolve()
      else cancel = clock.after(leftMs, look)
    }
    look()
  })
  return { reached, cancel: () => cancel() }
}
