import { AppError } from '../base/index.ts'
import { type Actor, type Device, IN_FLIGHT, type OperationRequest, type Protocol } from '../domain/index.ts'
import { isExclusive, isRead, isTrusted } from './verbs.ts'

/** Paths by which a box is managed, in either root and over either protocol. */
const MANAGEMENT = /\.USPAgent\.|\.LocalAgent\.Controller\.|\.ManagementServer\.URL$|\.CWMPManagementServer\./

/**
 * Whether this actor may ask this of this device now. Throws AppError `forbidden` for a write over the protocol that is not the owner by
 * anyone but planner and system, and `conflict` for what would get in the way of the device's migration.
 */
export function authorize(
  actor: Actor,
  device: Pick<Device, 'id' | 'owner' | 'migration'>,
  request: OperationRequest,
  via: Protocol | undefined,
): void {
  if (isRead(request) || isTrusted(actor)) return
  if (via !== undefined && via !== device.owner) {
    throw new AppError('forbidden', `writes to this device go over ${device.owner}, its owner`, {
      context: { deviceId: device.id, via },
    })
  }
  const reason = migrationRefusal(device, request)
  if (reason !== undefined) throw new AppError('conflict', reason, { context: { deviceId: device.id } })
}

/** Whether the planner is changing the box right now. */
export function isMoving({ migration }: Pick<Device, 'migration'>): boolean {
  return migration !== undefined && IN_FLIGHT.includes(migration.state)
}

/** Why a write of anyone but the planner has to wait for the end of the device's migration; undefined when it need not. */
export function migrationRefusal(device: Pick<Device, 'migration'>, request: OperationRequest): string | undefined {
  if (!isMoving(device)) return undefined
  const state = device.migration?.state
  if (isExclusive(request)) return `the device is being migrated (${state}): ${request.verb} has to wait`
  const path = writtenPaths(request).find((written) => MANAGEMENT.test(written))
  return path === undefined ? undefined : `the device is being migrated (${state}): ${path} is the planner's to write`
}

/** Every path a request writes to or acts on. */
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
