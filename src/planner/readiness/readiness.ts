import { isDeepStrictEqual } from 'node:util'
import { versionKey } from '../../datamodel/index.ts'
import {
  type BridgeRouter,
  type Device,
  type DeviceChange,
  isRouterOf,
  isRouterOs,
  type Parameter,
  type Readiness,
} from '../../domain/index.ts'
import { MTPS, speaks } from '../../usp/index.ts'
import { shownEndpointId } from './shown-endpoint-id.ts'

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

/**
 * The known parameters of a device. `asked`: the CPE was asked for READINESS_PATHS, so that it has no further ones of
 * them.
 */
interface Evidence {
  parameters: Pick<Parameter, 'path' | 'value'>[]
  asked: boolean
  /** Routers of bridges that state its serial number; absent: none. */
  routers?: readonly BridgeRouter[]
}

/**
 * Returns the readiness of a device by its record; `parameters` are its stored ones of READINESS_PATHS, `routers` those
 * of bridges that state its serial number.
 */
export function judge(
  device: Device,
  parameters: Evidence['parameters'],
  now: number,
  routers: readonly BridgeRouter[] = [],
): Readiness {
  return assess(device, { parameters, asked: wasAsked(device), routers }, now)
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
  if (isRouterOs(device)) return assessRouter(device, evidence.routers ?? [], facts, now)
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
  const shown = shownEndpointId(endpointId)
  if ('problem' in shown) return as('NEEDS_DATA_MODEL', `nothing to know the Agent by: ${shown.problem}`)
  const protocols = value('Device.USPAgent.SupportedProtocols') ?? ''
  // A device that does not show its protocols may still have a fitting one: writing the MTP row shows it.
  if (protocols !== '' && !MTPS.some((mtp) => speaks(mtp, protocols)))
    return as(
      'NEEDS_DATA_MODEL',
      `its Agent speaks ${protocols}, not ${MTPS.map(({ protocol }) => protocol).join(' or ')}`,
    )
  return as('READY_STANDARD', 'it shows the Endpoint ID of an Agent')
}

/** The sentences are the same for all routers, so that they can be counted; the evidence names bridge and router. */
function assessRouter(
  device: Device,
  routers: readonly BridgeRouter[],
  facts: Record<string, string>,
  at: number,
): Readiness {
  const own = routers.filter((router) => isRouterOf(device, router))
  const reached = own.filter(({ state }) => state?.reachable === true)
  const best = reached.find(({ state }) => state?.unfit !== true) ?? reached[0] ?? own[0]
  const as = (kind: Readiness['class'], ...reasons: string[]): Readiness => ({
    class: kind,
    reasons: ['RouterOS has no USP Agent', ...reasons],
    evidence: best === undefined ? facts : { ...facts, bridgeId: best.bridgeId, routerId: best.id },
    at,
  })
  if (best === undefined) return as('BRIDGE_ONLY', 'no bridge has reached it yet')
  if (best.state?.reachable !== true) return as('BRIDGE_ONLY', 'its bridge does not reach it now')
  if (best.state.unfit === true) return as('BRIDGE_ONLY', 'the account of its bridge lacks rights on it')
  return as('READY_BRIDGE', 'a bridge reaches it and speaks USP for it')
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
