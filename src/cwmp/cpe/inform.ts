import type { RequestOf } from '../wire/index.ts'
import type { InformFacts } from './cpe-methods.ts'
import type { CpeModel, RootObject } from './cpe-model.ts'
import { valueOnWire } from './values.ts'

export interface CpeIdentity {
  manufacturer: string
  oui: string
  productClass: string
  serial: string
}

/** Parameters of every Inform (`forcedInform` of TR-181 and TR-098); those that a device does not have are left out. */
const FORCED_INFORM: Record<RootObject, readonly string[]> = {
  'Device.': [
    'RootDataModelVersion',
    'DeviceInfo.HardwareVersion',
    'DeviceInfo.SoftwareVersion',
    'DeviceInfo.ProvisioningCode',
    'ManagementServer.ParameterKey',
    'ManagementServer.ConnectionRequestURL',
    'ManagementServer.AliasBasedAddressing',
  ],
  'InternetGatewayDevice.': [
    'DeviceSummary',
    'DeviceInfo.SpecVersion',
    'DeviceInfo.HardwareVersion',
    'DeviceInfo.SoftwareVersion',
    'DeviceInfo.ProvisioningCode',
    'ManagementServer.ParameterKey',
    'ManagementServer.ConnectionRequestURL',
    'ManagementServer.AliasBasedAddressing',
    'WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress',
    'WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.ExternalIPAddress',
  ],
}
const FORCED_ACTIVE: Record<RootObject, readonly string[]> = {
  'Device.': ['DeviceInfo.SoftwareVersion', 'DeviceInfo.ProvisioningCode', 'ManagementServer.ConnectionRequestURL'],
  'InternetGatewayDevice.': [
    'DeviceInfo.SoftwareVersion',
    'DeviceInfo.ProvisioningCode',
    'ManagementServer.ConnectionRequestURL',
    'WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress',
    'WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.ExternalIPAddress',
  ],
}

/** Full names of the parameters with forced active notification (`forceDefaultEnabled` of the models). */
export function forcedActive(root: RootObject): string[] {
  return FORCED_ACTIVE[root].map((name) => root + name)
}

/** Returns the arguments of an Inform (TR-069 A.3.3.1). */
export function informOf(model: CpeModel, identity: CpeIdentity, facts: InformFacts): RequestOf<'Inform'> {
  const paths = new Set([...FORCED_INFORM[model.root].map((name) => model.root + name), ...facts.changed])
  return {
    DeviceId: {
      Manufacturer: identity.manufacturer,
      OUI: identity.oui,
      ProductClass: identity.productClass,
      SerialNumber: identity.serial,
    },
    Event: facts.events.map(({ code, commandKey }) => ({ EventCode: code, CommandKey: commandKey })),
    MaxEnvelopes: 1,
    CurrentTime: new Date(facts.now).toISOString().replace(/\.\d+/, ''),
    RetryCount: facts.retryCount,
    ParameterList: [...paths].flatMap((path) => valueOnWire(model, path) ?? []),
  }
}
