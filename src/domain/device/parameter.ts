import { BASE_TYPES } from '../../datamodel/index.ts'
import type { DeviceId } from '../id.ts'
import type { Protocol } from '../protocol.ts'
import type { Timestamp } from '../timestamp.ts'

/** Type names of TR-181 (TR-106 A.2.3); `unknown` where the device reported none and the model has no such path. */
export const PARAMETER_TYPES = [...BASE_TYPES, 'unknown'] as const
export type ParameterType = (typeof PARAMETER_TYPES)[number]

/** A stored value under its full path, with instance numbers, in the spelling of the device. */
export interface Parameter {
  deviceId: DeviceId
  /** e.g. `Device.WiFi.SSID.1.Enable` or, unmapped, `InternetGatewayDevice.DeviceInfo.UpTime`. */
  path: string
  value: string
  type: ParameterType
  writable?: boolean
  source: Protocol
  collectedAt: Timestamp
}

/** One value to store. `writable` is left as it was when undefined, `type` when unknown. */
export interface ParameterWrite {
  path: string
  value: string
  type: ParameterType
  writable?: boolean
  source: Protocol
  collectedAt: Timestamp
}
