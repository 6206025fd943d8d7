import { type Clock, type Random, randomToken } from '../../base/index.ts'
import { type CredentialStore, type CwmpCredential, released } from '../../device/index.ts'
import type { Authenticator, AuthResult } from './authenticate.ts'
import type { Session } from './session.ts'
import { faultError, type ParameterTypes } from './values.ts'

export interface EnrolOptions {
  credentials: CredentialStore
  authenticator: Authenticator
  types: ParameterTypes
  /** PeriodicInformInterval for new boxes, seconds. */
  informIntervalS: number
  clock: Clock
  random: Random
}

/**
 * A box gets a credential of its own as long as it does not use one; by its certificate it never will, so once is enough there. After a
 * bootstrap, and where it has no login of ours for connection requests, there is something to give to any box.
 */
export function needsEnrolment({ proof, credential }: Extract<AuthResult, { ok: true }>, bootstrap: boolean): boolean {
  if (proof === 'enrolment' || proof === 'none' || proof === 'reset') return true
  if (bootstrap || credential?.connectionRequest === undefined) return true
  return proof === 'certificate' && credential.current === undefined && credential.delivered !== true
}

/**
 * Gives a box its own credential in its first session (TR-069 3.4.4). The new one is stored as pending before it is sent, and the old one
 * stays good until the new one has been used once: whatever is lost on the way, the box can come back.
 * Answers why the box refused, or undefined.
 */
export async function enrol(
  session: Session,
  known: CwmpCredential | undefined,
  options: EnrolOptions,
): Promise<string | undefined> {
  const { credentials, authenticator, clock, random } = options
  const credential: CwmpCredential = {
    ...known,
    deviceId: session.deviceId,
    pending: known?.pending ?? { username: session.deviceId, password: randomToken(random) },
    connectionRequest: known?.connectionRequest ?? { username: session.deviceId, password: randomToken(random) },
    updatedAt: clock.now(),
  }
  if (known?.pending === undefined) await credentials.put(credential)
  authenticator.remember(credential)
  const refused = await send(session, credential, options)
  if (refused !== undefined) return refused
  const delivered: CwmpCredential = { ...credential, delivered: true, updatedAt: clock.now() }
  await credentials.put(delivered)
  authenticator.remember(delivered)
  return undefined
}

/**
 * For a box that has its own credential: how it can be asked to come, and when it comes by itself. It may have lost both in a reset that left
 * it its credential, or never had a login of ours for connection requests. Known once the box has taken it; a lost answer means once more.
 */
export async function giveAccess(session: Session, known: CwmpCredential, options: EnrolOptions): Promise<void> {
  const { credentials, authenticator, clock, random } = options
  const connectionRequest = known.connectionRequest ?? { username: session.deviceId, password: randomToken(random) }
  const set = setter(session, options)
  const [login, interval] = others({ ...known, connectionRequest }, options)
  const refused = await set([...login, ...interval])
  if (refused !== undefined) await set(interval)
  if (refused !== undefined && (await set(login)) !== undefined) return
  if (known.connectionRequest !== undefined) return
  const given: CwmpCredential = { ...known, connectionRequest, updatedAt: clock.now() }
  await credentials.put(given)
  authenticator.remember(given)
}

type Values = [string, string][]

/** Writes values below ManagementServer.; answers why they were refused. */
function setter(session: Session, { types }: EnrolOptions): (values: Values) => Promise<string | undefined> {
  const server = `${session.device.root ?? 'Device.'}ManagementServer.`
  return async (values) => {
    const list = values.map(([name, value]) => types.toWire(server + name, value, undefined))
    const answer = await session.call('SetParameterValues', { ParameterList: list, ParameterKey: '' })
    return answer.ok ? undefined : faultError(answer.fault).text
  }
}

/** What is good to have beside an own credential: a login for connection requests, an inform interval. */
function others({ connectionRequest }: CwmpCredential, { informIntervalS }: EnrolOptions): [Values, Values] {
  return [
    [
      ['ConnectionRequestUsername', connectionRequest?.username ?? ''],
      ['ConnectionRequestPassword', connectionRequest?.password ?? ''],
    ],
    [
      ['PeriodicInformEnable', '1'],
      ['PeriodicInformInterval', String(informIntervalS)],
    ],
  ]
}

/**
 * One SetParameterValues as a rule. A box that refuses any of it gets its own credential alone, and then, each for itself, what is good to
 * have: a box that fixes its inform interval must not stay on the shared secret for that.
 */
async function send(session: Session, credential: CwmpCredential, options: EnrolOptions): Promise<string | undefined> {
  const set = setter(session, options)
  const own: Values = [
    ['Username', credential.pending?.username ?? ''],
    ['Password', credential.pending?.password ?? ''],
  ]
  const more = others(credential, options)
  if ((await set([...own, ...more.flat()])) === undefined) return undefined
  const refused = await set(own)
  for (const values of more) await set(values)
  return refused
}

/** Makes room for a box that was reset: `released`, stored and known here at once. */
export async function release(
  credential: CwmpCredential,
  { credentials, authenticator, clock }: Pick<EnrolOptions, 'credentials' | 'authenticator' | 'clock'>,
): Promise<void> {
  const open = released(credential, clock.now())
  if (open === credential) return
  await credentials.put(open)
  authenticator.remember(open)
}

/** The pending credential was used: it is the one from now on. */
export async function confirm(
  credential: CwmpCredential,
  { credentials, authenticator, clock }: EnrolOptions,
): Promise<CwmpCredential> {
  const { pending, delivered: _delivered, ...rest } = credential
  const confirmed: CwmpCredential = { ...rest, updatedAt: clock.now() }
  if (pending !== undefined) confirmed.current = pending
  await credentials.put(confirmed)
  authenticator.remember(confirmed)
  return confirmed
}
