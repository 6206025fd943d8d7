import { MAX_UPTIME_S, versionKey } from '../../datamodel/index.ts'
import { ipv4In } from '../facts/readings.ts'
import type { DevicePatch } from './change.ts'
import type { Device } from './device.ts'
import { bearsClass, type ClassEvidence, deviceClassOf, withEvidence } from './device-class.ts'
import { withoutLogin } from './shown-value.ts'

/** Facts of a device by leaf path below the root; both roots spell these alike. */
const FACT_PATHS: Record<string, Exclude<keyof DeviceFacts, 'evidence'>> = {
  'DeviceInfo.Manufacturer': 'manufacturer',
  'DeviceInfo.ModelName': 'model',
  'DeviceInfo.SoftwareVersion': 'softwareVersion',
  'DeviceInfo.HardwareVersion': 'hardwareVersion',
  'DeviceInfo.ProvisioningCode': 'provisioningCode',
  'DeviceInfo.UpTime': 'upTimeS',
  RootDataModelVersion: 'dataModelVersion',
  'ManagementServer.ConnectionRequestURL': 'connectionRequestUrl',
  'ManagementServer.ParameterKey': 'parameterKey',
  'ManagementServer.PeriodicInformInterval': 'informIntervalS',
}

/** Device facts, normalized from either root. */
export interface DeviceFacts {
  root?: 'Device.' | 'InternetGatewayDevice.'
  manufacturer?: string
  model?: string
  softwareVersion?: string
  hardwareVersion?: string
  provisioningCode?: string
  dataModelVersion?: string
  upTimeS?: string
  connectionRequestUrl?: string
  parameterKey?: string
  informIntervalS?: string
  ipAddress?: string
  /** Of the class of the device. */
  evidence?: ClassEvidence
}

/** Parameters of TR-098 that hold the external address, below their root. */
const ADDRESS_PATHS = [
  /^WANDevice\.\d+\.WANConnectionDevice\.\d+\.WAN(IP|PPP)Connection\.\d+\.ExternalIPAddress$/,
  /^Layer3Forwarding\.DefaultConnectionService$/,
]
const canHoldAddress = (rest: string) => ADDRESS_PATHS.some((pattern) => pattern.test(rest))

/** Returns true when a fact can be read from this parameter: of a large tree only these must be in memory together. */
export function bearsFacts(path: string): boolean {
  const rest = path.slice(path.indexOf('.') + 1)
  // A tree may have thousands of these.
  if (rest.startsWith('X_')) return bearsClass(rest)
  return Object.hasOwn(FACT_PATHS, rest) || rest === 'DeviceSummary' || canHoldAddress(rest) || bearsClass(rest)
}

/** Returns the facts found in raw parameters of one device. */
export function factsFrom(parameters: Iterable<{ name: string; value: string }>): DeviceFacts {
  const facts: DeviceFacts = {}
  let addresses: Map<string, string> | undefined
  for (const { name, value } of parameters) {
    const dot = name.indexOf('.') + 1
    const root = name.slice(0, dot)
    if (root !== 'Device.' && root !== 'InternetGatewayDevice.') continue
    facts.root ??= root
    const rest = name.slice(dot)
    const fact = FACT_PATHS[rest]
    const evidence = withEvidence(facts.evidence, rest, value)
    if (evidence !== undefined) facts.evidence = evidence
    if (fact === 'parameterKey') facts.parameterKey = value === '(null)' ? '' : value
    else if (fact === 'connectionRequestUrl') facts.connectionRequestUrl = withoutLogin(value)
    else if (fact !== undefined && fact !== 'root') facts[fact] = value
    else if (rest === 'DeviceSummary') facts.dataModelVersion ??= versionOfSummary(value) ?? ''
    else if (canHoldAddress(rest)) {
      addresses ??= new Map()
      addresses.set(rest, value)
    }
  }
  const ipAddress = addresses === undefined ? undefined : externalAddress(addresses)
  if (ipAddress !== undefined) facts.ipAddress = ipAddress
  return facts
}

/** `InternetGatewayDevice:1.4[](Baseline:1, ...)` (TR-098 DeviceSummary) -> `1.4`. */
function versionOfSummary(summary: string): string | undefined {
  return /^\s*(?:InternetGatewayDevice|Device):(\d{1,3}\.\d{1,3})/.exec(summary)?.[1]
}

/**
 * The address towards the network, before the own tree of a TR-098 device is known under TR-181: that of the default
 * connection, else of the first WAN connection that has one. Later it is that of its internet connection (facts/wan).
 */
function externalAddress(values: Map<string, string>): string | undefined {
  const wan = [...values].filter(([path, value]) => path.endsWith('.ExternalIPAddress') && ipv4In(value) === value)
  const named = pathBelowRoot(values.get('Layer3Forwarding.DefaultConnectionService') ?? '')
  return (wan.find(([path]) => path === `${named}ExternalIPAddress`) ?? wan[0])?.[1]
}

/** Returns a reference without root and last dot: devices write them with and without that dot. */
function pathBelowRoot(reference: string): string {
  const rest = reference.trim().replace(/\.$/, '')
  return rest === '' ? '' : `${rest.slice(rest.indexOf('.') + 1)}.`
}

/** The record fields that facts set; only what differs from the device as it is. */
export function factsPatch(device: Device | undefined, facts: DeviceFacts): DevicePatch {
  const patch: DevicePatch = {}
  if (facts.root !== undefined && facts.root !== device?.root) patch.root = facts.root
  for (const key of [
    'manufacturer',
    'model',
    'hardwareVersion',
    'provisioningCode',
    'dataModelVersion',
    'ipAddress',
  ] as const) {
    const value = facts[key]
    if (value !== undefined && value !== '' && value !== device?.[key]) patch[key] = limited(value)
  }
  if (
    facts.softwareVersion !== undefined &&
    facts.softwareVersion !== '' &&
    facts.softwareVersion !== device?.softwareVersion
  ) {
    patch.softwareVersion = limited(facts.softwareVersion)
    patch.softwareVersionKey = versionKey(facts.softwareVersion)
  }
  // A message without a name and without evidence says nothing of the class.
  if (facts.evidence !== undefined || facts.manufacturer !== undefined || facts.model !== undefined) {
    const { manufacturer = device?.manufacturer, model = device?.model } = patch
    const { productClass, deviceClass: before, optical } = device ?? {}
    const deviceClass = deviceClassOf(
      { manufacturer, productClass, model, deviceClass: before, optical },
      facts.evidence,
    )
    if (deviceClass !== device?.deviceClass) patch.deviceClass = deviceClass
  }
  const upTimeS = numberOf(facts.upTimeS)
  if (upTimeS !== undefined && upTimeS <= MAX_UPTIME_S) patch.upTimeS = upTimeS
  return patch
}

function limited(value: string): string {
  return value.length <= 256 ? value : value.slice(0, 256)
}

/** Returns the count that a parameter holds; undefined when it holds none. */
export function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text.trim())) return undefined
  return Number(text)
}
