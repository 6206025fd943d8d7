import type { DeviceId } from '../id.ts'
import type { Timestamp } from '../timestamp.ts'
import type { CwmpCredential, CwmpLogin } from './ports.ts'

/** Accepted passwords besides the newest one: the oldest, which the CPE holds most likely, and the latest. */
const MAX_EARLIER = 2
/** Replaced passwords that are kept to recognise a login with one of them. */
const MAX_REPLACED = 4

/**
 * The credential with a new pending login, which is sent to the CPE once. Logins that were pending before stay accepted until
 * the CPE answers for the new one, or one of them is used: the CPE may have taken one although its answer was lost.
 */
export function issued(
  known: CwmpCredential | undefined,
  deviceId: DeviceId,
  pending: CwmpLogin,
  now: Timestamp,
): CwmpCredential {
  const { delivered: _delivered, ...rest } = known ?? {}
  const earlier = [...(known?.earlier ?? []), ...(known?.pending === undefined ? [] : [known.pending])]
  const [oldest] = earlier
  const kept = oldest === undefined ? [] : [oldest, ...earlier.slice(1).slice(-(MAX_EARLIER - 1))]
  const dropped = earlier.filter((login) => !kept.includes(login))
  return withLogins({ ...rest, deviceId, pending, updatedAt: now }, kept, [...(known?.replaced ?? []), ...dropped])
}

/** The credential after the CPE took this pending login; unchanged when a newer one was issued meanwhile. */
export function answered(known: CwmpCredential, login: CwmpLogin, now: Timestamp): CwmpCredential {
  if (known.pending?.password !== login.password) return known
  const { earlier = [], replaced = [], unused = 0, ...rest } = known
  return withLogins({ ...rest, delivered: true, unused: unused + 1, updatedAt: now }, [], [...replaced, ...earlier])
}

/** The credential after one of its accepted logins was used: that one is current, the others are replaced. */
export function confirmed(known: CwmpCredential, login: CwmpLogin, now: Timestamp): CwmpCredential {
  const { pending, delivered: _delivered, earlier = [], replaced = [], unused: _unused, ...rest } = known
  const others = [...earlier, ...(pending === undefined ? [] : [pending])].filter(
    ({ password }) => password !== login.password,
  )
  const { username, password } = login
  return withLogins({ ...rest, current: { username, password }, updatedAt: now }, [], [...replaced, ...others])
}

/**
 * Returns the credential of a CPE that is, or may have been, reset to factory settings: its own login is accepted until
 * one is used, and the enrolment secret beside it. So both a CPE that kept its credential and one that lost it can log
 * in. Unchanged when it has no login of its own.
 */
export function released(known: CwmpCredential, now: Timestamp): CwmpCredential {
  const { current, delivered: _delivered, unused: _unused, earlier = [], ...rest } = known
  if (current === undefined) return known
  return withLogins({ ...rest, updatedAt: now }, [current, ...earlier], known.replaced ?? [])
}

function withLogins(credential: CwmpCredential, earlier: CwmpLogin[], replaced: CwmpLogin[]): CwmpCredential {
  const { earlier: _earlier, replaced: _replaced, ...rest } = credential
  const kept = replaced.slice(-MAX_REPLACED)
  return {
    ...rest,
    ...(earlier.length === 0 ? {} : { earlier }),
    ...(kept.length === 0 ? {} : { replaced: kept }),
  }
}
