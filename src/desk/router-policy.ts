import { AppError } from '../base/index.ts'
import {
  type Device,
  type DeviceId,
  type DeviceRouterPolicy,
  type DeviceStore,
  isRouterOs,
  type Principal,
} from '../domain/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'
import { readDevice } from './devices.ts'

/** Returns what is allowed on a router over CWMP; without a policy that is L2. AppError `notFound`. */
export async function readRouterPolicy(devices: Pick<DeviceStore, 'get'>, id: DeviceId): Promise<DeviceRouterPolicy> {
  return (await readRouter(devices, id)).routerPolicy ?? { level: 'L2' }
}

/**
 * Sets what is allowed on a router over CWMP, and which packages it has. The change is audited. AppError `notFound`
 * without such a device and for one that is no MikroTik router, `conflict` when it was changed meanwhile.
 */
export async function setRouterPolicy(
  deps: AuditDeps & { devices: Pick<DeviceStore, 'get' | 'commit'> },
  id: DeviceId,
  policy: DeviceRouterPolicy,
  by: Principal,
): Promise<DeviceRouterPolicy> {
  const { routerPolicy: before, revision } = await readRouter(deps.devices, id)
  const deed = {
    action: 'device.routerPolicy',
    target: id,
    before: before === undefined ? {} : { ...before },
    after: { ...policy },
  }
  await auditedBy(deps, by, deed, () =>
    deps.devices.commit({ deviceId: id, set: { routerPolicy: policy }, newRevision: true, guard: { revision } }),
  )
  return policy
}

async function readRouter(devices: Pick<DeviceStore, 'get'>, id: DeviceId): Promise<Device> {
  const device = await readDevice(devices, id)
  if (!isRouterOs(device)) throw new AppError('notFound', `${id} is no MikroTik router: it has no router policy`)
  return device
}
