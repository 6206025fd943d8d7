import { ProtocolError } from '../../base/index.ts'
import type { Element } from './element.ts'
import { escapeXml } from './escape.ts'
import {
  arrayOf,
  boolean,
  type Codec,
  childOf,
  dateTime,
  int,
  nameOf,
  shortText,
  string,
  struct,
  type TypeOf,
  unsignedInt,
} from './schema.ts'

/** A parameter value with its XSD type name without prefix (`string`, `boolean`, ...); empty when the CPE sent none. */
export interface ParameterValue {
  name: string
  value: string
  type: string
}

/**
 * ParameterValueStruct (A.3.2.1): Name, and Value with its xsi:type. A missing Value reads as '', a missing type as '';
 * '' is written as none.
 */
export const ParameterValueStruct: Codec<ParameterValue> = {
  read(element) {
    let name = ''
    let value: Element | undefined
    for (const child of element?.children ?? []) {
      if (child.name === 'Name') name = child.text.trim()
      else if (child.name === 'Value') value = child
    }
    const type = value?.attributes.type ?? ''
    return { name: name.slice(0, 1024), value: value?.text ?? '', type: type.slice(type.indexOf(':') + 1) }
  },
  write: (element, { name, value, type }) =>
    `<${element}><Name>${escapeXml(name)}</Name><Value${xsiType(type)}>${escapeXml(value)}</Value></${element}>`,
}

function xsiType(type: string): string {
  return type === '' ? '' : ` xsi:type="${type === 'base64' ? 'soap-enc' : 'xsd'}:${type}"`
}

export const ParameterValueList = arrayOf('ParameterValueStruct', 'cwmp:ParameterValueStruct', ParameterValueStruct)
export const ParameterNames = arrayOf('string', 'xsd:string', nameOf(1024))
export const MethodList = arrayOf('string', 'xsd:string', nameOf(256), 1024)

/** An OUI; some CPE write it with colons or hyphens between its bytes, as in a MAC address. */
const ouiText: Codec<string> = {
  read: (element, at) =>
    nameOf(64)
      .read(element, at)
      .replace(/^([0-9a-f]{2})[:-]([0-9a-f]{2})[:-]([0-9a-f]{2})$/i, '$1$2$3'),
  write: nameOf(64).write,
}

/**
 * DeviceIdStruct (A.3.3.1). Lengths are checked where the identity is made, so that a CPE with an odd one gets a reason
 * instead of a parse error. White space around a part is indentation.
 */
export const DeviceIdStruct = struct({
  Manufacturer: shortText(256),
  OUI: ouiText,
  ProductClass: nameOf(256),
  SerialNumber: nameOf(256),
})

/** The DeviceId of an Inform that cannot be read as a whole; undefined when that cannot be read either. */
export function readDeviceId(inform: Element): DeviceIdStruct | undefined {
  try {
    return DeviceIdStruct.read(childOf(inform, 'DeviceId'), 'Inform/DeviceId')
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return undefined
  }
}

export const EventStruct = struct({ EventCode: nameOf(256), CommandKey: nameOf(256) })

const infoStruct = struct({ Name: nameOf(1024), Writable: boolean })

/** ParameterInfoStruct (A.3.2.3). A tree has thousands: in the usual form they are read in one go. */
export const ParameterInfoStruct: typeof infoStruct = {
  ...infoStruct,
  read(element, at) {
    const [name, writable, more] = element?.children ?? []
    const isUsual =
      name?.name === 'Name' &&
      name.text.length <= 1024 &&
      writable?.name === 'Writable' &&
      (writable.text === '1' || writable.text === '0') &&
      more === undefined
    return isUsual ? { Name: name.text.trim(), Writable: writable.text === '1' } : infoStruct.read(element, at)
  },
}

export const FaultStruct = struct({ FaultCode: unsignedInt(), FaultString: string(4096) })
export const SetParameterAttributesStruct = struct({
  Name: nameOf(1024),
  NotificationChange: boolean,
  Notification: int,
  AccessListChange: boolean,
  AccessList: arrayOf('string', 'xsd:string', string(64), 64),
})
export const ParameterAttributeStruct = struct({
  Name: nameOf(1024),
  Notification: int,
  AccessList: arrayOf('string', 'xsd:string', string(64), 64),
})
const opResult = {
  UUID: string(64),
  DeploymentUnitRef: string(1024),
  Version: string(256),
  CurrentState: string(64),
  Resolved: boolean,
  ExecutionUnitRefList: string(65_536),
  StartTime: dateTime,
  CompleteTime: dateTime,
  Fault: FaultStruct,
}
/** The result of one operation on a deployment unit (A.4.1.10). */
export const OpResultStruct = struct(opResult)
export const AutonOpResultStruct = struct({ ...opResult, OperationPerformed: string(64) })
export const ArgStruct = struct({ Name: string(64), Value: string(256) })

export type DeviceIdStruct = TypeOf<typeof DeviceIdStruct>
export type FaultStruct = TypeOf<typeof FaultStruct>
