import { isDeepStrictEqual } from 'node:util'
import { versionKey } from '../../datamodel/index.ts'
import type { Device, DeviceChange, Parameter, Readiness } from '../../domain/index.ts'
import { MTPS, speaks } from '../../usp/index.ts'

/** The parameters by which a device is judged. */
export const READINESS_PATHS = ['Device.USPAgent.EndpointID', 'Device.USPAgent.SupportedProtocols']
/** The fields of the record by which it is judged. */
const INPUTS: readonly (keyof NonNullable<DeviceChange['set']>)[] = [
  'manufacturer',
  'root',
  'dataModelVersion',
  'softwareVersion',
  'cwmp.discoveredFor',
]

/** The version of Device:2 from which the CWMP data model has USPAgent. */
const FIRST_VERSION = '2.15'

/** Address blocks of MikroTik; CPE with another manufacturer name still have one. */
const MIKROTIK = new Set(
  '000C42 085531 18FD74 2CC81B 488F5A 48A98A 4C5E0C 64D154 6C3B6B 744D28 789A18 B869F4 C4AD34 CC2DE0 D401C3 D4CA6D DC2C6E E48D8C F41E57'.split(
    ' ',
  ),
)

/**
 * The known parameters of a device. `asked`: the CPE was asked for READINESS_PATHS, so that it has no further ones of
 * them.
 */
interface Evidence {
  parameters: Pick<Parameter, 'path' | 'value'>[]
  asked: boolean
}

/** Returns the readiness of a device by its record; `parameters` are its stored ones of READINESS_PATHS. */
export function judge(device: Device, parameters: Evidence['parameters'], now: number): Readiness {
  return assess(device, { parameters, asked: wasAsked(device) }, now)
}

/** Returns true when class, reasons and evidence are equal. */
export function sameReadiness(a: Readiness | undefined, b: Readiness): boolean {
  return a !== undefined && isDeepStrictEqual({ ...a, at: 0 }, { ...b, at: 0 })
}

/** Returns true when a change of a device may change its readiness. A periodic Inform does not. */
export function bearsOnReadiness({ create, set, parameters, dropParameters, dropSubtrees }: DeviceChange): boolean {
  return (
    create !== undefined ||
    INPUTS.some((name) => set?.[name] !== undefined) ||
    (parameters ?? []).some(({ path }) => READINESS_PATHS.includes(path)) ||
    (dropParameters ?? []).some((path) => READINESS_PATHS.includes(path)) ||
    (dropSubtrees ?? []).some((prefix) => READINESS_PATHS.some((path) => path.startsWith(prefix)))
  )
}

/** Returns true when a discovery under this firmware, or a plan, has asked for READINESS_PATHS. */
function wasAsked({ cwmp, softwareVersion, readiness, root }: Device): boolean {
  const discovered = cwmp?.discoveredFor ?? ''
  if (cwmp?.discovery?.unread.includes('Device.USPAgent.') === true) return false
  if (discovered !== '' && (softwareVersion === undefined || discovered === softwareVersion || discovered === '?'))
    return true
  const { evidence } = readiness ?? {}
  return evidence?.asked === 'true' && evidence.softwareVersion === softwareVersion && evidence.root === root
}

/** Returns the class of a device with its reasons. Pure: the same facts give the same class. */
export function assess(device: Device, evidence: Evidence, now: number): Readiness {
  const value = (path: string) => evidence.parameters.find((parameter) => parameter.path === path)?.value
  const facts = evidenceOf(device, evidence)
  const as = (kind: Readiness['class'], ...reasons: string[]): Readiness => ({
    class: kind,
    reasons,
    evidence: facts,
    at: now,
  })
  if (/mikrotik/i.test(device.manufacturer ?? '') || MIKROTIK.has(device.oui))
    return as('BRIDGE_ONLY', 'RouterOS has no USP Agent; the bridge speaks USP for it')
  if (device.root === 'InternetGatewayDevice.')
    return as('NEEDS_DATA_MODEL', 'the root is InternetGatewayDevice. (TR-098), which has no USPAgent')
  const endpointId = value('Device.USPAgent.EndpointID')
  const version = device.dataModelVersion
  if (endpointId === undefined) {
    if (evidence.asked) return as('NEEDS_DATA_MODEL', 'the device has no Device.USPAgent.')
    if (version !== undefined && versionKey(version) < versionKey(FIRST_VERSION))
      return as('NEEDS_DATA_MODEL', `Device:${version} is older than ${FIRST_VERSION}, which brought Device.USPAgent.`)
    return as('UNKNOWN', 'Device.USPAgent. was not read yet')
  }
  if (endpointId === '')
    return as('NEEDS_DATA_MODEL', 'Device.USPAgent.EndpointID is empty: nothing to know the Agent by')
  const protocols = value('Device.USPAgent.SupportedProtocols') ?? ''
  // A device that does not show its protocols may still have a fitting one: writing the MTP row shows it.
  if (protocols !== '' && !MTPS.some((mtp) => speaks(mtp, protocols)))
    return as(
      'NEEDS_DATA_MODEL',
      `its Agent speaks ${protocols}, not ${MTPS.map(({ protocol }) => protocol).join(' or ')}`,
    )
  return as('READY_STANDARD', 'it shows the Endpoint ID of an Agent')
}

function evidenceOf(device: Device, { parameters, asked }: Evidence): Record<string, string> {
  const facts: Record<string, string | undefined> = {
    manufacturer: device.manufacturer,
    oui: device.oui,
    root: device.root,
    dataModelVersion: device.dataModelVersion,
    softwareVersion: device.softwareVersion,
    asked: String(asked),
    ...Object.fromEntries(parameters.map(({ path, value }) => [path, value])),
  }
  return Object.fromEntries(Object.entries(facts).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
