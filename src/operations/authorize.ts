import { AppError } from '../base/index.ts'
import {
  type Actor,
  type Device,
  IN_FLIGHT,
  isRouterOs,
  needsConfirmation,
  type OperationRequest,
  type Protocol,
} from '../domain/index.ts'
import { isExclusive, isRead, isTrusted } from './verbs.ts'

/** Paths that control the management of a device, under either root and over either protocol. */
const MANAGEMENT = /\.USPAgent\.|\.LocalAgent\.Controller\.|\.ManagementServer\.URL$|\.CWMPManagementServer\./

/** The facts of a device that decide what may be done on it. */
type AuthorizedDevice = Pick<Device, 'id' | 'owner' | 'migration' | 'routerPolicy'> &
  Partial<Pick<Device, 'manufacturer' | 'oui'>>

/**
 * Throws when the actor may not make this request on the device now: AppError `forbidden` for a write over the protocol
 * that is not the owner, and for a request of level L3 that is not enabled on its router; `conflict` for a write that
 * would disturb the device's migration. The planner and the system may write over either protocol, and during a
 * migration.
 */
export function authorize(
  actor: Actor,
  device: AuthorizedDevice,
  request: OperationRequest,
  via: Protocol | undefined,
): void {
  if (isOfLevel3(request, device) && device.routerPolicy?.level !== 'L3')
    throw new AppError(
      'forbidden',
      `${request.verb} may lose the configuration of a router: it needs the policy L3 of this one (PUT /devices/{id}/router-policy)`,
      { context: { deviceId: device.id } },
    )
  if (isRead(request) || isTrusted(actor)) return
  if (via !== undefined && via !== device.owner) {
    throw new AppError('forbidden', `writes to this device go over ${device.owner}, its owner: leave \`via\` out`, {
      context: { deviceId: device.id, via },
    })
  }
  const reason = migrationRefusal(device, request)
  if (reason !== undefined) throw new AppError('conflict', reason, { context: { deviceId: device.id } })
}

/**
 * Returns true for a request that may lose the configuration of a MikroTik router or its TR-069 client: each file that it
 * is given over CWMP replaces its configuration, its default configuration or its packages.
 */
function isOfLevel3(request: OperationRequest, device: AuthorizedDevice): boolean {
  return needsConfirmation(request) || (request.verb === 'download' && device.owner === 'cwmp' && isRouterOs(device))
}

/** Returns true while a migration changes the device. */
export function isMoving({ migration }: Pick<Device, 'migration'>): boolean {
  return migration !== undefined && IN_FLIGHT.includes(migration.state)
}

/**
 * Returns the reason for which a write has to wait for the end of the device's migration; undefined when it need not.
 * Not for writes of the planner.
 */
export function migrationRefusal(device: Pick<Device, 'migration'>, request: OperationRequest): string | undefined {
  if (!isMoving(device)) return undefined
  const state = device.migration?.state
  if (isExclusive(request)) return `the device is being migrated (${state}): ${request.verb} has to wait`
  const path = writtenPaths(request).find((written) => MANAGEMENT.test(written))
  return path === undefined
    ? undefined
    : `the device is being migrated (${state}): ${path} is written by the planner; wait for the end of the migration or abort it`
}

/** Returns the paths that a request writes to or acts on. */
function writtenPaths(request: OperationRequest): string[] {
  switch (request.verb) {
    case 'set':
      return request.values.map(({ path }) => path)
    case 'add':
      return [request.object, ...Object.keys(request.values).map((name) => request.object + name)]
    case 'delete':
      return request.paths
    case 'operate':
      return [request.command]
    default:
      return []
  }
}
