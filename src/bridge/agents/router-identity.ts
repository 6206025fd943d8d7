import type { RouterIdentity } from '../../domain/index.ts'
import { encodePart } from '../../domain/index.ts'
import type { AgentModel } from '../../usp/index.ts'

/** A router as it states itself, and the time, in milliseconds, at which it booted. */
interface StatedRouter {
  identity: RouterIdentity
  bootedAt: number
}

/** Characters of a serial number, and of its Endpoint ID, at most. */
const MAX_SERIAL = 64
const MAX_ENDPOINT_ID = 200
const INFO = 'Device.DeviceInfo.'
const NAMES = ['ManufacturerOUI', 'ProductClass', 'SerialNumber', 'ModelName', 'SoftwareVersion', 'UpTime'] as const

/**
 * Resolves with what a router states of itself; undefined when it states no OUI or serial number, or one that is none, so
 * that it has no Endpoint ID. AgentError when it does not answer.
 */
export async function readIdentity(model: Pick<AgentModel, 'get'>, now: number): Promise<StatedRouter | undefined> {
  const values = await model.get(NAMES.map((name) => INFO + name))
  const [oui = '', productClass = '', serial = '', modelName = '', softwareVersion = '', upTime = ''] = NAMES.map(
    (name) => (values.get(INFO + name) ?? '').trim(),
  )
  const isSerial = serial !== '' && serial.length <= MAX_SERIAL && !/[\p{Cc}\p{Cs}\ufffd]/u.test(serial)
  if (!/^[0-9A-F]{6}$/i.test(oui) || !isSerial) return undefined
  const endpointId = `os::${oui.toUpperCase()}-${encodePart(serial)}`
  if (endpointId.length > MAX_ENDPOINT_ID) return undefined
  return {
    identity: {
      oui: oui.toUpperCase(),
      productClass: productClass.slice(0, MAX_SERIAL),
      serial,
      endpointId,
      ...(modelName === '' ? {} : { model: modelName.slice(0, 100) }),
      ...(softwareVersion === '' ? {} : { softwareVersion: softwareVersion.slice(0, 100) }),
    },
    bootedAt: now - (Number(upTime) || 0) * 1000,
  }
}
