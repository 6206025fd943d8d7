import { AppError } from '../base/index.ts'
import {
  bindByOperator,
  type ConflictStore,
  type DeviceId,
  type DeviceStore,
  notFound,
  type Principal,
  type Resolution,
} from '../domain/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'

/**
 * Resolves a conflict. `bound` gives its Endpoint ID to the device of the conflict, or to `deviceId` when that is the
 * claimed one; `dismissed` changes no device. AppError `notFound` without such a conflict, `conflict` when it is
 * resolved already, `invalid` for a device that it is not about.
 */
export async function resolveConflict(
  deps: AuditDeps & { conflicts: ConflictStore; devices: DeviceStore },
  id: string,
  { resolution, deviceId }: { resolution: Resolution; deviceId?: DeviceId | undefined },
  by: Principal,
): Promise<void> {
  const conflict = await deps.conflicts.get(id)
  if (conflict === undefined) throw notFound('conflict', id)
  const resolved = () =>
    new AppError('conflict', `conflict ${id} is resolved already; see its resolution in GET /conflicts?open=false`)
  if (conflict.resolvedAt !== undefined) throw resolved()
  const chosen = deviceId ?? conflict.deviceId
  const deed = {
    action: 'conflict.resolve',
    target: conflict.deviceId,
    before: { ...conflict.details, endpointId: conflict.endpointId },
    after: { conflict: id, resolution, deviceId: chosen },
  }
  await auditedBy(deps, by, deed, async (at, actor) => {
    if (resolution === 'bound') await bindByOperator(conflict, chosen, deps.devices, at)
    if (!(await deps.conflicts.resolve(id, resolution, actor, at))) throw resolved()
  })
}
