import { BASE_TYPES } from '../../datamodel/index.ts'
import type { DeviceId } from '../id.ts'
import { PROTOCOLS } from '../protocol.ts'
import type { Timestamp } from '../timestamp.ts'

/** Type names of TR-181 (TR-106 A.2.3); `unknown` where the device reported none and the model has no such path. */
export const PARAMETER_TYPES = [...BASE_TYPES, 'unknown'] as const
export type ParameterType = (typeof PARAMETER_TYPES)[number]

/** Origins of stored values: the protocols, and the telemetry that a bridge publishes over MQTT. */
export const PARAMETER_SOURCES = [...PROTOCOLS, 'mqtt'] as const
export type ParameterSource = (typeof PARAMETER_SOURCES)[number]

/**
 * The parameter of the device's own tree behind a mapped value, and its text there. Both are absent for a value that
 * follows from several parameters.
 */
export interface MappedFrom {
  path?: string
  value?: string
}

/** One value to store. `writable` is left as it was when undefined, `type` when unknown. */
export interface ParameterWrite {
  /** e.g. `Device.WiFi.SSID.1.Enable` or, in the device's own tree, `InternetGatewayDevice.DeviceInfo.UpTime`. */
  path: string
  value: string
  type: ParameterType
  writable?: boolean
  source: ParameterSource
  collectedAt: Timestamp
  /** Only of a value that the device does not show under this path: it was mapped from its own tree. */
  from?: MappedFrom
}

/** A stored value under its full path, with instance numbers, in the spelling of the device. */
export interface Parameter extends ParameterWrite {
  deviceId: DeviceId
}
