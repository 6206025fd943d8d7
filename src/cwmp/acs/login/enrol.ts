import { type Clock, type Log, type Random, randomToken } from '../../../base/index.ts'
import {
  answered,
  type CwmpCredential,
  type CwmpLogin,
  confirmed,
  type DeviceStore,
  issued,
  released,
} from '../../../domain/index.ts'
import type { Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'
import type { AuthResult } from './authenticate.ts'
import type { CredentialChanges } from './credential-changes.ts'

export interface EnrolOptions {
  changes: CredentialChanges
  devices: DeviceStore
  types: ParameterTypes
  /** PeriodicInformInterval for new devices, seconds. */
  informIntervalS: number
  clock: Clock
  random: Random
  log: Log
}

/**
 * A CPE that took this many logins in a row without using one is given the next one a day later: each is a write to its
 * flash.
 */
const MAX_UNUSED = 3
const UNUSED_REST_MS = 86_400_000

/**
 * Returns true for a CPE that must be given a login: until it uses its own one. A CPE with a certificate never does, so
 * once is enough there. After a bootstrap, and when it has no login for connection requests, every CPE is given one.
 */
export function needsEnrolment(
  { proof, credential }: Extract<AuthResult, { ok: true }>,
  bootstrap: boolean,
  now: number,
): boolean {
  if (bootstrap) return true
  if (proof === 'enrolment' || proof === 'none' || proof === 'reset')
    return (credential?.unused ?? 0) < MAX_UNUSED || now - (credential?.updatedAt ?? 0) > UNUSED_REST_MS
  if (credential?.connectionRequest === undefined) return true
  return proof === 'certificate' && credential.current === undefined && credential.delivered !== true
}

/**
 * Gives a CPE its own login in its first session (TR-069 3.4.4). Each login is sent in one session only: a second
 * enrolment makes a new one and an event. It is stored as pending before it is sent, so that the CPE can log in
 * whichever answer is lost. Returns the reason of a refusal by the CPE, or undefined.
 */
export async function enrol(session: Session, options: EnrolOptions): Promise<string | undefined> {
  const { changes, clock, random } = options
  const { deviceId, remoteAddress } = session
  const login: CwmpLogin = { username: deviceId, password: randomToken(random) }
  if (remoteAddress !== '') login.sentTo = remoteAddress
  const credential = await changes.change(deviceId, async (known) => {
    if (known?.pending !== undefined) await tellReissued(session, known.pending, options)
    const connectionRequest = known?.connectionRequest ?? { username: deviceId, password: randomToken(random) }
    return { ...issued(known, deviceId, login, clock.now()), connectionRequest }
  })
  if (credential === undefined) return undefined
  const refused = await send(session, credential, options)
  if (refused !== undefined) return refused
  await changes.change(deviceId, (known) => (known === undefined ? undefined : answered(known, login, clock.now())))
  return undefined
}

/**
 * Stores the event of a second enrolment, with the addresses of both. A CPE whose answer was lost enrols twice from one
 * address.
 */
async function tellReissued(
  { deviceId, remoteAddress }: Session,
  { sentTo }: CwmpLogin,
  { devices, clock, log }: EnrolOptions,
): Promise<void> {
  const at = clock.now()
  const text =
    sentTo === remoteAddress
      ? 'enrolled again before it used the credential it was sent; that one is replaced'
      : 'enrolled from another address before the credential was used that was sent to the first one; one of the two may be another device'
  const data = { first: sentTo ?? '', second: remoteAddress, text }
  log.warn({ deviceId, first: sentTo, second: remoteAddress }, 'the credential of a CPE was issued again')
  await devices.commit({
    deviceId,
    events: [{ type: 'device.credentialReissued', at, deviceId, protocol: 'cwmp', data }],
  })
}

/**
 * Writes the login for connection requests and the inform interval to a CPE that has its own credential. It may have
 * lost both in a reset that left it its credential, or never had such a login. Stored once the CPE has accepted it;
 * after a lost answer it is sent again.
 */
export async function giveAccess(session: Session, known: CwmpCredential, options: EnrolOptions): Promise<void> {
  const { changes, clock, random } = options
  const connectionRequest = known.connectionRequest ?? { username: session.deviceId, password: randomToken(random) }
  const set = setter(session, options)
  const [login, interval] = others({ ...known, connectionRequest }, options)
  const refused = await set([...login, ...interval])
  if (refused !== undefined) await set(interval)
  if (refused !== undefined && (await set(login)) !== undefined) return
  if (known.connectionRequest !== undefined) return
  await changes.change(session.deviceId, (now) =>
    now === undefined || now.connectionRequest !== undefined
      ? undefined
      : { ...now, connectionRequest, updatedAt: clock.now() },
  )
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

/** Returns the values beside an own credential: a login for connection requests, an inform interval. */
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
 * Sends all values in one SetParameterValues. A CPE that refuses any of them gets its own credential alone, and then
 * the other values one by one: a CPE with a fixed inform interval must not keep the shared secret for that.
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

/**
 * Permits a CPE that is reset to log in with the enrolment secret, or with its present login: `released`, durable and
 * in force at once.
 */
export async function release(
  deviceId: CwmpCredential['deviceId'],
  { changes, clock }: Pick<EnrolOptions, 'changes' | 'clock'>,
): Promise<void> {
  await changes.change(deviceId, (known) => (known === undefined ? undefined : released(known, clock.now())))
}

/** Makes the login that was used the current one. Returns false when it was replaced meanwhile. */
export async function confirm(
  deviceId: CwmpCredential['deviceId'],
  login: CwmpLogin,
  { changes, clock }: Pick<EnrolOptions, 'changes' | 'clock'>,
): Promise<boolean> {
  let isAccepted = false
  await changes.change(deviceId, (known) => {
    if (known === undefined) return undefined
    const is = (other: CwmpLogin | undefined) => other?.password === login.password
    isAccepted = is(known.current) || is(known.pending) || known.earlier?.some(is) === true
    return isAccepted && !is(known.current) ? confirmed(known, login, clock.now()) : undefined
  })
  return isAccepted
}
