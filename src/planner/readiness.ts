import { versionKey } from '../datamodel/index.ts'
import type { Device, ReadinessClass } from '../device/index.ts'

/** What a box was read to have below `Device.USPAgent.`; undefined: not read yet. `exists: false`: read, and there is none. */
export type AgentEvidence = { exists: false } | { exists: true; endpointId?: string; supportedProtocols?: string }

/** A class, why, and what it was decided by. */
export interface Assessment {
  class: ReadinessClass
  reasons: string[]
  evidence: Record<string, string>
}

/** The parameters that evidence is made of; their values in the record come from discovery or from the planner's own read. */
export const EVIDENCE_PATHS = ['Device.USPAgent.EndpointID', 'Device.USPAgent.SupportedProtocols'] as const

/** USPAgent came into the CWMP data model with this version. */
const FIRST_VERSION = '2.15'

/** MAC blocks of MikroTik; its manufacturer name is a constant, but old firmware lets operators change it. */
const MIKROTIK_OUIS = new Set(
  '000C42 085531 18FD74 2CC81B 488F5A 48A98A 4C5E0C 64D154 6C3B6B 744D28 789A18 B869F4 C4AD34 CC2DE0 D401C3 D4CA6D DC2C6E E48D8C F41E57'.split(
    ' ',
  ),
)

/** Whether a box can be moved, by what its record holds. Pure; the same facts always give the same class. */
export function assessReadiness(
  device: Pick<Device, 'oui' | 'manufacturer' | 'root' | 'dataModelVersion'>,
  agent: AgentEvidence | undefined,
): Assessment {
  const evidence: Record<string, string> = { oui: device.oui }
  if (device.manufacturer !== undefined) evidence.manufacturer = device.manufacturer
  if (device.root !== undefined) evidence.root = device.root
  if (device.dataModelVersion !== undefined) evidence.dataModelVersion = device.dataModelVersion
  const answer = (found: ReadinessClass, ...reasons: string[]): Assessment => ({ class: found, reasons, evidence })

  if (/mikrotik/i.test(device.manufacturer ?? '') || MIKROTIK_OUIS.has(device.oui)) {
    return answer('BRIDGE_ONLY', 'RouterOS has no USP Agent; it is moved by an agent beside it')
  }
  if (device.root === 'InternetGatewayDevice.') {
    return answer('NEEDS_DATA_MODEL', 'the root is InternetGatewayDevice. (TR-098), which has no USPAgent')
  }
  if (agent?.exists === true) return assessAgent(agent, evidence, answer)
  if (agent?.exists === false) return answer('NEEDS_DATA_MODEL', 'the box has no Device.USPAgent.')
  const version = device.dataModelVersion
  if (version !== undefined && versionKey(version) < versionKey(FIRST_VERSION)) {
    return answer(
      'NEEDS_DATA_MODEL',
      `Device:${version} is older than ${FIRST_VERSION}, which brought Device.USPAgent.`,
    )
  }
  if (device.root === undefined) return answer('UNKNOWN', 'the root of the data model is not known yet')
  return answer('UNKNOWN', 'Device.USPAgent. has not been read yet')
}

function assessAgent(
  agent: Extract<AgentEvidence, { exists: true }>,
  evidence: Record<string, string>,
  answer: (found: ReadinessClass, ...reasons: string[]) => Assessment,
): Assessment {
  if (agent.endpointId !== undefined) evidence.endpointId = agent.endpointId
  if (agent.supportedProtocols !== undefined) evidence.supportedProtocols = agent.supportedProtocols
  if (agent.endpointId === undefined || agent.endpointId === '') {
    return answer('NEEDS_DATA_MODEL', 'Device.USPAgent.EndpointID is missing or empty: nothing to bind the Agent by')
  }
  // A box that does not tell its protocols is given the benefit of the doubt: writing Protocol will show.
  if (
    agent.supportedProtocols !== undefined &&
    agent.supportedProtocols !== '' &&
    !hasWebSocket(agent.supportedProtocols)
  ) {
    return answer('NEEDS_DATA_MODEL', `the Agent speaks ${agent.supportedProtocols}, not WebSocket`)
  }
  return answer('READY_STANDARD', 'Device.USPAgent. exists and its Agent speaks WebSocket')
}

/** Whether a SupportedProtocols list names the MTP that our Controller listens on. */
export function hasWebSocket(list: string): boolean {
  return list.split(',').some((item) => item.trim().toLowerCase() === 'websocket')
}
