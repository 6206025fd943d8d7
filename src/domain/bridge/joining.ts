import { isConflict } from '../../base/index.ts'
import type { Device } from '../device/device.ts'
import type { DeviceStore } from '../device/ports.ts'
import { isRouterOs } from '../device/router-os.ts'
import type { Selector } from '../device/selector.ts'
import type { DeviceId, EndpointId } from '../id.ts'
import { sameSerial } from '../identity/same-identity.ts'
import { bindChange } from '../identity/usp-arrival.ts'
import type { Timestamp } from '../timestamp.ts'
import type { BridgeRouter, RouterIdentity } from './router.ts'

/** Records with one serial number that are looked at. */
const MAX_SAME_SERIAL = 20

type Devices = Pick<DeviceStore, 'ids' | 'get' | 'findByEndpoint' | 'commit'>

/** Returns true when a router that a bridge reports is this device: RouterOS, with the same serial number. */
export function isRouterOf(device: Device, { state }: Pick<BridgeRouter, 'state'>): boolean {
  return isRouterOs(device) && state?.identity !== undefined && sameSerial(device, state.identity)
}

/** Resolves with the ids of devices with a serial number, some at most: a router states it, and may state any text. */
export async function devicesOfSerial(serial: string, devices: Pick<DeviceStore, 'ids'>): Promise<DeviceId[]> {
  const selector: Selector = { field: 'serial', operator: '==', values: [serial] }
  for await (const ids of devices.ids(selector, MAX_SAME_SERIAL)) return ids
  return []
}

/**
 * Resolves with the CWMP record of a router: the one RouterOS device with its serial number that has sent an Inform.
 * Product classes may differ: the TR-069 client and the API of a router spell its model in different ways; OUIs differ
 * between its ports. `several`: more than one record has the serial number, and none of them alone has the OUI as well.
 */
export async function cwmpRecordOf(
  identity: Pick<RouterIdentity, 'oui' | 'serial'>,
  devices: Pick<DeviceStore, 'ids' | 'get'>,
): Promise<Device | 'several' | undefined> {
  const ids = await devicesOfSerial(identity.serial, devices)
  const read = await Promise.all(ids.map((id) => devices.get(id)))
  const found = read.flatMap((device) =>
    device?.cwmp !== undefined && isRouterOs(device) && sameSerial(device, identity) ? [device] : [],
  )
  const [first, ...others] = found
  if (first === undefined || others.length === 0) return first
  const sameOui = found.filter(({ oui }) => oui === identity.oui.toUpperCase())
  return sameOui.length === 1 ? sameOui[0] : 'several'
}

/**
 * Binds the Agent of a bridged router to the CWMP record of the router, with the proof `bridge`: the serial number that
 * the bridge reads over the API is that of the CWMP identity. So its Agent does not make a record of its own. Nothing
 * changes without such a record, when another record has the Endpoint ID, or when the device has a stronger proof.
 * Repeating it does no harm.
 */
export async function bindToCwmpRecord(identity: RouterIdentity, devices: Devices, now: Timestamp): Promise<void> {
  const device = await cwmpRecordOf(identity, devices)
  if (device === undefined || device === 'several') return
  // It was checked to be an Endpoint ID when the bridge reported it.
  const endpointId = identity.endpointId as EndpointId
  const holder = await devices.findByEndpoint(endpointId)
  if (holder !== undefined && holder.id !== device.id) return
  const change = bindChange(device.id, device, device, endpointId, 'bridge', now)
  if (Object.keys(change).length === 1) return
  try {
    await devices.commit(change)
  } catch (error) {
    // The record has changed meanwhile; the next report, or a plan, binds it.
    if (!isConflict(error)) throw error
  }
}
