import {
  arrayOf,
  boolean,
  type Codec,
  dateTime,
  int,
  nameOf,
  string,
  struct,
  type TypeOf,
  unsignedInt,
} from './schema.ts'
import { type Element, escapeXml } from './xml.ts'

/** A parameter value with its XSD type name, prefix taken off (`string`, `boolean`, ...); '' when the box gave none. */
export interface ParameterValue {
  name: string
  value: string
  type: string
}

/** ParameterValueStruct (A.3.2.1): Name, and Value with its xsi:type. A missing Value reads as '', a missing type as ''; '' is written as none. */
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

/** DeviceIdStruct (A.3.3.1). Lengths are checked where the identity is made, so that one odd box gets a reason, not a parse error. */
export const DeviceIdStruct = struct({
  Manufacturer: string(256),
  OUI: string(64),
  ProductClass: string(256),
  SerialNumber: string(256),
})

export const EventStruct = struct({ EventCode: nameOf(256), CommandKey: nameOf(256) })
export const ParameterInfoStruct = struct({ Name: nameOf(1024), Writable: boolean })
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
/** What became of one operation on a deployment unit (A.4.1.10). */
export const OpResultStruct = struct(opResult)
export const AutonOpResultStruct = struct({ ...opResult, OperationPerformed: string(64) })
export const ArgStruct = struct({ Name: string(64), Value: string(256) })

export type DeviceIdStruct = TypeOf<typeof DeviceIdStruct>
export type FaultStruct = TypeOf<typeof FaultStruct>
export { dateTime }
