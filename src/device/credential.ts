import type { Timestamp } from './device.ts'
import type { CwmpCredential } from './ports.ts'

/**
 * The credential of a box that is, or may have been, reset to factory settings: its own one is good until it is used, and the enrolment
 * secret is good beside it. So a box that kept its credential and one that lost it both come back. Unchanged when it has no own one.
 */
export function released(credential: CwmpCredential, now: Timestamp): CwmpCredential {
  const { current, delivered: _delivered, ...rest } = credential
  return current === undefined ? credential : { ...rest, pending: current, updatedAt: now }
}
