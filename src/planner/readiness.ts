import type { Device, Parameter, Readiness } from '../device/index.ts'

/** What is read to judge a device. */
export const READINESS_PATHS = ['Device.USPAgent.EndpointID', 'Device.USPAgent.SupportedProtocols']

/** Whether a box can be moved, with the evidence: pure rules over what is stored. */
export function assess(device: Device, parameters: Pick<Parameter, 'path' | 'value'>[], now: number): Readiness {
  const value = (path: string) => parameters.find((parameter) => parameter.path === path)?.value
  const as = (kind: Readiness['class'], ...reasons: string[]): Readiness => ({ class: kind, reasons, at: now })
  if (/^mikrotik$/i.test(device.manufacturer ?? ''))
    return as('BRIDGE_ONLY', 'RouterOS has no USP Agent; the bridge speaks USP for it')
  if (device.root === 'InternetGatewayDevice.') return as('NEEDS_DATA_MODEL', 'the box has the TR-098 data model')
  if (device.root === undefined) return as('UNKNOWN', 'the box has not shown its data model yet')
  const endpointId = value('Device.USPAgent.EndpointID')
  if (endpointId === undefined) {
    if ((device.cwmp?.discoveredFor ?? '') === '') return as('UNKNOWN', 'the tree of the box was not read yet')
    return as('NEEDS_DATA_MODEL', `Device:${device.dataModelVersion ?? '2'} without Device.USPAgent.`)
  }
  const protocols = value('Device.USPAgent.SupportedProtocols') ?? ''
  if (protocols !== '' && !protocols.split(',').some((name) => name.trim() === 'WebSocket'))
    return as('NEEDS_DATA_MODEL', `its Agent speaks ${protocols}, not WebSocket`)
  return as('READY_STANDARD', `Device.USPAgent.EndpointID is ${endpointId}`)
}
