import { versionKey } from '../datamodel/index.ts'
import type { Device, Parameter, Readiness } from '../device/index.ts'

/** What is read to judge a device. */
export const READINESS_PATHS = ['Device.USPAgent.EndpointID', 'Device.USPAgent.SupportedProtocols']

/** USPAgent came into the CWMP data model with this version of Device:2. */
const FIRST_VERSION = '2.15'

/** Address blocks of MikroTik; boxes whose manufacturer name was changed still have one. */
const MIKROTIK = new Set(
  '000C42 085531 18FD74 2CC81B 488F5A 48A98A 4C5E0C 64D154 6C3B6B 744D28 789A18 B869F4 C4AD34 CC2DE0 D401C3 D4CA6D DC2C6E E48D8C F41E57'.split(
    ' ',
  ),
)

/** What is known of a box. `asked`: it was asked for READINESS_PATHS, so what it did not answer it does not have. */
export interface Evidence {
  parameters: Pick<Parameter, 'path' | 'value'>[]
  asked: boolean
}

/** Whether a box can be moved, with the reasons: pure rules, the same facts always give the same class. */
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
    if (evidence.asked) return as('NEEDS_DATA_MODEL', 'the box has no Device.USPAgent.')
    if (version !== undefined && versionKey(version) < versionKey(FIRST_VERSION))
      return as('NEEDS_DATA_MODEL', `Device:${version} is older than ${FIRST_VERSION}, which brought Device.USPAgent.`)
    return as('UNKNOWN', 'Device.USPAgent. was not read yet')
  }
  if (endpointId === '')
    return as('NEEDS_DATA_MODEL', 'Device.USPAgent.EndpointID is empty: nothing to know the Agent by')
  const protocols = value('Device.USPAgent.SupportedProtocols') ?? ''
  // A box that does not tell its protocols gets the benefit of the doubt: writing the MTP row will show.
  if (protocols !== '' && !protocols.split(',').some((name) => name.trim().toLowerCase() === 'websocket'))
    return as('NEEDS_DATA_MODEL', `its Agent speaks ${protocols}, not WebSocket`)
  return as('READY_STANDARD', `Device.USPAgent.EndpointID is ${endpointId}`)
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
