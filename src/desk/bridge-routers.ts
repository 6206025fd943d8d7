import { AppError } from '../base/index.ts'
import {
  type Bridge,
  type BridgeRouter,
  loginContext,
  MAX_ROUTERS,
  notFound,
  type Principal,
  placeOf,
  type RouterLogin,
  type RouterSettings,
  type SealedLogin,
} from '../domain/index.ts'
import { sealTo } from '../security/index.ts'
import { auditedBy } from './audited-by.ts'
import { type BridgeDeps, readBridge } from './bridges.ts'

type RouterDeps = Pick<BridgeDeps, 'bridges' | 'audit' | 'clock' | 'newId'>

/** A login in plain, which is sealed before it is stored, or sealed by the client to the key of the bridge. */
type GivenLogin = RouterLogin | { sealed: string }

/** A router as a person describes it. */
export interface RouterInput extends RouterSettings {
  login: GivenLogin
  agent?: boolean
}

/** A change of a router: what it names. `null` takes an optional part away. */
export type RouterChange = Partial<Omit<RouterInput, 'port' | 'fingerprint' | 'snmpPort'>> & {
  port?: number | null
  snmpPort?: number | null
  fingerprint?: string | null
}

/** The router. AppError `notFound` when the bridge has none with this id. */
export async function readRouter(
  { bridges }: Pick<BridgeDeps, 'bridges'>,
  bridgeId: string,
  id: string,
): Promise<BridgeRouter> {
  const router = await bridges.router(bridgeId, id)
  if (router === undefined) throw notFound('router', id)
  return router
}

/**
 * Adds a router to a bridge. AppError `conflict` when the bridge has one at this address, has too many, or has not
 * registered yet: there is no key to seal a login to.
 */
export async function addRouter(
  deps: RouterDeps,
  bridgeId: string,
  input: RouterInput,
  by: Principal,
): Promise<BridgeRouter> {
  const bridge = await readBridge(deps, bridgeId)
  const router = newRouter(deps, bridge, input)
  await refuseTooMany(deps, bridgeId, 1)
  const deed = { action: 'router.add', target: router.id, after: { bridgeId, ...shownInAudit(router) } }
  return auditedBy(deps, by, deed, async () => {
    await deps.bridges.changeRouters(bridgeId, { add: [router], replace: [], remove: [] })
    return router
  })
}

/**
 * Changes a router. AppError `conflict` when `revision` is not the present one, `invalid` when the address changes and no
 * login comes along: the login is sealed for its address.
 */
export async function changeRouter(
  deps: RouterDeps,
  { bridgeId, id, revision }: { bridgeId: string; id: string; revision: number },
  change: RouterChange,
  by: Principal,
): Promise<BridgeRouter> {
  const bridge = await readBridge(deps, bridgeId)
  const present = await readRouter(deps, bridgeId, id)
  if (present.revision !== revision)
    throw new AppError('conflict', 'the router has changed since it was read; read it again')
  const router = changedRouter(deps, bridge, present, change)
  const deed = {
    action: 'router.change',
    target: id,
    before: shownInAudit(present),
    after: { ...shownInAudit(router), ...(change.login === undefined ? {} : { login: true }) },
  }
  return auditedBy(deps, by, deed, async () => {
    await deps.bridges.changeRouters(bridgeId, { add: [], replace: [router], remove: [] })
    return router
  })
}

/** Deletes a router from its bridge, whose Agent for it ends. The record of the device stays. */
export async function deleteRouter(deps: RouterDeps, bridgeId: string, id: string, by: Principal): Promise<void> {
  const router = await readRouter(deps, bridgeId, id)
  const deed = { action: 'router.delete', target: id, before: { bridgeId, ...shownInAudit(router) } }
  await auditedBy(deps, by, deed, () => deps.bridges.changeRouters(bridgeId, { add: [], replace: [], remove: [id] }))
}

/** The row of a new router, with its login sealed. */
export function newRouter({ newId, clock }: RouterDeps, bridge: Bridge, input: RouterInput): BridgeRouter {
  const at = clock.now()
  const { login, ...settings } = input
  return {
    id: newId(),
    bridgeId: bridge.id,
    ...settings,
    place: placeOf(settings),
    login: sealedFor(bridge, settings.address, login),
    revision: 1,
    createdAt: at,
    updatedAt: at,
  }
}

/** The row of a router after a change. AppError `invalid` when the address changes without a login. */
export function changedRouter(
  { clock }: Pick<RouterDeps, 'clock'>,
  bridge: Bridge,
  present: BridgeRouter,
  { login, port, fingerprint, snmpPort, ...change }: RouterChange,
): BridgeRouter {
  const { port: _port, fingerprint: _fingerprint, snmpPort: _snmpPort, ...rest } = present
  const address = change.address ?? present.address
  if (login === undefined && address.toLowerCase() !== present.address.toLowerCase())
    throw new AppError(
      'invalid',
      'the login is sealed for the address of the router: send the login with a new address',
    )
  const next = {
    ...rest,
    ...change,
    ...optional('port', port === undefined ? present.port : port),
    ...optional('fingerprint', fingerprint === undefined ? present.fingerprint : fingerprint),
    ...optional('snmpPort', snmpPort === undefined ? present.snmpPort : snmpPort),
    ...(login === undefined ? {} : { login: sealedFor(bridge, address, login) }),
    revision: present.revision + 1,
    updatedAt: clock.now(),
  }
  return { ...next, place: placeOf(next) }
}

/** AppError `conflict` when a bridge cannot take so many routers more. */
export async function refuseTooMany(
  { bridges }: Pick<BridgeDeps, 'bridges'>,
  bridgeId: string,
  more: number,
): Promise<void> {
  if ((await bridges.countRouters(bridgeId, MAX_ROUTERS + 1)) + more > MAX_ROUTERS)
    throw new AppError('conflict', `a bridge has ${MAX_ROUTERS} routers at most: make another bridge for the others`)
}

function sealedFor(bridge: Bridge, address: string, login: GivenLogin): SealedLogin {
  const sealingKey = bridge.keys?.sealingKey
  if (sealingKey === undefined)
    throw new AppError(
      'conflict',
      `bridge ${bridge.name} has not registered yet, so that no login can be sealed to its key: start it with its token first`,
    )
  if ('sealed' in login) return { sealed: login.sealed, sealingKey }
  const { username, password, snmp } = login
  const plain = JSON.stringify({ username, password, ...(snmp === undefined ? {} : { snmp }) })
  return { sealed: sealTo(sealingKey, plain, loginContext(bridge.id, address)), sealingKey }
}

/** The audit log has what was decided, and nothing of the login. */
function shownInAudit(settings: RouterSettings) {
  const { address, port, transport, fingerprint, policy, tags, mqtt, snmp, snmpPort } = settings
  return { address, port, transport, fingerprint, policy, tags, mqtt, snmp, snmpPort }
}

function optional<K extends string, V>(name: K, value: V | null | undefined): Partial<Record<K, V>> {
  return value === null || value === undefined ? {} : ({ [name]: value } as Record<K, V>)
}
