import { ProtocolError } from '../../base/index.ts'
import type {
  CwmpFault,
  CwmpHeader,
  CwmpMessage,
  ParameterValue,
  RequestOf,
  ResponseOf,
  RpcName,
} from '../wire/index.ts'
import { localOf, readSoap, type SoapElement } from './soap-reader.ts'

/** A message of an ACS. */
export interface AcsEnvelope {
  /** Namespace of CWMP that the message is in. */
  urn: string
  header: CwmpHeader
  message: CwmpMessage
}

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/'
const CWMP = /^urn:dslforum-org:cwmp-1-\d{1,2}$/
const OLDEST = 'urn:dslforum-org:cwmp-1-0'

/**
 * Reads the message of an ACS (TR-069 3.4 and Annex A) to the letter of the schema. ProtocolError `xml`, `charset`, or
 * `envelope` when it is not one SOAP envelope with one body element. A method that the CPE does not have, and one whose
 * arguments break the schema, is of kind `unknown`.
 */
export function readAcsEnvelope(bytes: Uint8Array, contentType: string | undefined): AcsEnvelope {
  const root = readSoap(bytes, contentType)
  if (root.name !== 'Envelope' || root.uri !== SOAP)
    throw new ProtocolError('envelope', `the ACS sent ${root.name.slice(0, 40)} and no SOAP envelope`)
  const [header, ...headers] = named(root, 'Header', SOAP)
  const [body, ...bodies] = named(root, 'Body', SOAP)
  const [top, ...others] = body?.children ?? []
  if (top === undefined || headers.length + bodies.length + others.length > 0)
    throw new ProtocolError('envelope', 'the ACS sent an envelope without one body element')
  return { urn: urnOf(top, header), header: readHeader(header), message: readMessage(top) }
}

function named(parent: SoapElement, name: string, uri = ''): SoapElement[] {
  return parent.children.filter((child) => child.name === name && child.uri === uri)
}

function urnOf(top: SoapElement, header: SoapElement | undefined): string {
  const detail = named(top, 'detail')[0]?.children ?? []
  return [top, ...(header?.children ?? []), ...detail].find(({ uri }) => CWMP.test(uri))?.uri ?? OLDEST
}

/** Header elements of TR-069 3.4.7 that an ACS sends. */
function readHeader(element: SoapElement | undefined): CwmpHeader {
  const header: CwmpHeader = {}
  for (const { name, uri, text } of element?.children ?? []) {
    if (!CWMP.test(uri)) continue
    if (name === 'ID') header.id = text
    else if (name === 'HoldRequests') header.holdRequests = boolean({ text }, name)
    else if (name === 'UseCWMPVersion') header.useCwmpVersion = text
  }
  return header
}

function readMessage(top: SoapElement): CwmpMessage {
  if (top.name === 'Fault' && top.uri === SOAP) return { kind: 'fault', fault: readFault(top) }
  const { name } = top
  if (!CWMP.test(top.uri)) return { kind: 'unknown', name }
  try {
    if (isKey(REQUESTS, name)) {
      // The table pairs each name with its own body, which the compiler loses across the lookup.
      return { kind: 'request', name, body: REQUESTS[name](top, name) } as CwmpMessage
    }
    const method = name.replace(/Response$/, '')
    if (method !== name && isKey(RESPONSES, method))
      return { kind: 'response', name: method, body: RESPONSES[method](top, name) } as CwmpMessage
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { kind: 'unknown', name, error }
  }
  return { kind: 'unknown', name }
}

function isKey<T extends object>(table: T, name: string): name is Extract<keyof T, string> {
  return Object.hasOwn(table, name)
}

/** A fault of an ACS (TR-069 A.3.5): its code is in the 8000s. */
function readFault(top: SoapElement): CwmpFault {
  const fault = named(top, 'detail')[0]?.children.find(({ name, uri }) => name === 'Fault' && CWMP.test(uri))
  if (fault === undefined) throw new ProtocolError('envelope', 'the ACS sent a SOAP fault without its cwmp:Fault')
  const { FaultCode: code, FaultString: text } = struct({ FaultCode: unsignedInt, FaultString: string(1024) })(
    fault,
    'Fault',
  )
  return { code, text, parameters: [] }
}

/** Reads the content of an element of one type. Throws ProtocolError `type`. */
type Read<T> = (element: SoapElement, at: string) => T
type Text = Pick<SoapElement, 'text'>

function wrong(at: string, why: string): ProtocolError {
  return new ProtocolError('type', `${at} ${why}`, { context: { at } })
}

function string(max: number): Read<string> {
  return ({ text, children }, at) => {
    if (children.length > 0) throw wrong(at, 'has elements where a text belongs')
    if (text.length > max) throw wrong(at, `is longer than ${max} characters`)
    return text
  }
}

function unsignedInt({ text }: Text, at: string): number {
  if (!/^\d{1,10}$/.test(text.trim())) throw wrong(at, 'is not an unsignedInt')
  return Number(text)
}

function int({ text }: Text, at: string): number {
  if (!/^-?\d{1,10}$/.test(text.trim())) throw wrong(at, 'is not an int')
  return Number(text)
}

function boolean({ text }: Text, at: string): boolean {
  const value = text.trim()
  if (!/^(0|1|false|true)$/.test(value)) throw wrong(at, 'is not a boolean')
  return value === '1' || value === 'true'
}

/** A struct whose members are all there, once, without a namespace, and no others. */
function struct<M extends Record<string, unknown>>(members: { [K in keyof M]: Read<M[K]> }): Read<M> {
  return (element, at) => {
    const entries = Object.entries(members).map(([name, read]) => {
      const [only, ...more] = named(element, name)
      if (only === undefined || more.length > 0)
        throw wrong(`${at}/${name}`, `is there ${more.length + (only === undefined ? 0 : 1)} times`)
      return [name, read(only, `${at}/${name}`)]
    })
    const stranger = element.children.find(({ name, uri }) => uri !== '' || !Object.hasOwn(members, name))
    if (stranger !== undefined) throw wrong(`${at}/${stranger.name}`, 'is not an argument')
    // Exactly the members of M were read.
    return Object.fromEntries(entries) as M
  }
}

/** A SOAP array (TR-069 A.2.2). The number in its arrayType, where it has one, must be that of its items. */
function array<T>(item: string, read: Read<T>): Read<T[]> {
  return (element, at) => {
    const size = /\[(\d+)\]$/.exec(element.attributes.get('arrayType') ?? '')?.[1]
    if (size !== undefined && Number(size) !== element.children.length)
      throw wrong(at, `has ${element.children.length} items and says ${size}`)
    return element.children.map((child, i) => {
      if (child.name !== item || child.uri !== '') throw wrong(`${at}[${i}]`, `is a ${child.name}`)
      return read(child, `${at}[${i}]`)
    })
  }
}

/** ParameterValueStruct (A.3.2.1): the type is the local name of xsi:type, '' for none. */
function parameterValue(element: SoapElement, at: string): ParameterValue {
  const { Name, Value } = struct<{ Name: string; Value: SoapElement }>({
    Name: string(256),
    Value: (value) => value,
  })(element, at)
  return { name: Name, value: Value.text, type: localOf(Value.attributes.get('type') ?? '') }
}

const name = string(256)
const parameterKey = string(32)
const commandKey = string(32)
const names = array('string', name)

/** The methods of an ACS that a CPE reads, each with its arguments. */
const REQUESTS: { [N in Extract<RpcName, CpeMethod>]: Read<RequestOf<N>> } = {
  GetRPCMethods: struct({}),
  SetParameterValues: struct({
    ParameterList: array('ParameterValueStruct', parameterValue),
    ParameterKey: parameterKey,
  }),
  GetParameterValues: struct({ ParameterNames: names }),
  GetParameterNames: struct({ ParameterPath: name, NextLevel: boolean }),
  SetParameterAttributes: struct({
    ParameterList: array(
      'SetParameterAttributesStruct',
      struct({
        Name: name,
        NotificationChange: boolean,
        Notification: int,
        AccessListChange: boolean,
        AccessList: array('string', string(64)),
      }),
    ),
  }),
  GetParameterAttributes: struct({ ParameterNames: names }),
  AddObject: struct({ ObjectName: name, ParameterKey: parameterKey }),
  DeleteObject: struct({ ObjectName: name, ParameterKey: parameterKey }),
  Reboot: struct({ CommandKey: commandKey }),
  FactoryReset: struct({}),
  ScheduleInform: struct({ DelaySeconds: unsignedInt, CommandKey: commandKey }),
  Download: struct({
    CommandKey: commandKey,
    FileType: string(64),
    URL: string(256),
    Username: string(256),
    Password: string(256),
    FileSize: unsignedInt,
    TargetFileName: string(256),
    DelaySeconds: unsignedInt,
    SuccessURL: string(256),
    FailureURL: string(256),
  }),
}

type CpeMethod =
  | 'GetRPCMethods'
  | 'SetParameterValues'
  | 'GetParameterValues'
  | 'GetParameterNames'
  | 'SetParameterAttributes'
  | 'GetParameterAttributes'
  | 'AddObject'
  | 'DeleteObject'
  | 'Reboot'
  | 'FactoryReset'
  | 'ScheduleInform'
  | 'Download'

/** The responses to the requests of a CPE. */
const RESPONSES: { [N in 'Inform' | 'TransferComplete']: Read<ResponseOf<N>> } = {
  Inform: struct({ MaxEnvelopes: unsignedInt }),
  TransferComplete: struct({}),
}
