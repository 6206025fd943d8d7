import { inTurns, type Pace, ProtocolError, type Work } from '../../base/index.ts'
import { type Element, XML_LIMITS, type XmlLimits } from './element.ts'
import { escapeXml } from './escape.ts'
import { isRpcName, type RequestOf, type ResponseOf, RPCS, type RpcName } from './rpc.ts'
import { childOf } from './schema.ts'
import { type DeviceIdStruct, readDeviceId } from './structs.ts'
import { parseXml } from './xml.ts'

/** A fault with, for SetParameterValues, the reason per parameter (A.3.5). */
export interface CwmpFault {
  code: number
  text: string
  parameters: { name: string; code: number; text: string }[]
  /** The CPE refused a header element that it must understand (SOAP 1.1, 4.4), and has not read the request. */
  notUnderstood?: true
}

type RequestMessage = { [N in RpcName]: { kind: 'request'; name: N; body: RequestOf<N> } }[RpcName]
type ResponseMessage = { [N in RpcName]: { kind: 'response'; name: N; body: ResponseOf<N> } }[RpcName]

/** Messages that can be written into a Body. */
export type SendableMessage = RequestMessage | ResponseMessage | { kind: 'fault'; fault: CwmpFault }

/**
 * The content of a Body. `unknown`: a method without a declaration here, or, with `error`, one whose arguments break
 * its declaration; the envelope around it can still be answered, with a fault under its ID. `sender`: the identity in
 * an Inform that broke it.
 */
export type CwmpMessage =
  | SendableMessage
  | { kind: 'unknown'; name: string; error?: ProtocolError; sender?: DeviceIdStruct }

/** Header elements of 3.4.7 and A.3; all optional. */
export interface CwmpHeader {
  id?: string
  holdRequests?: boolean
  /** Seconds (1.3+). */
  sessionTimeoutS?: number
  /** As sent: `1.0,1.1,...` (1.4). */
  supportedCwmpVersions?: string
  useCwmpVersion?: string
  /** Written only: the ID without mustUnderstand, for CPE that refuse it. */
  plainId?: true
}

export interface CwmpEnvelope {
  /** The cwmp namespace in use, e.g. `urn:dslforum-org:cwmp-1-2`; kept for the whole session. */
  urn: string
  header: CwmpHeader
  message: CwmpMessage
  /** The text was not well-formed and was read leniently. */
  repaired: boolean
}

const DEFAULT_URN = 'urn:dslforum-org:cwmp-1-0'
const URN = /^urn:dslforum-org:cwmp-1-\d{1,2}$/

/**
 * The newest version that a namespace implies: 1-0 and 1-1 say so, 1-2 stands for 1.2 and later ones (TR-069 A.4).
 */
export function versionOfUrn(urn: string): string {
  const minor = Number(/cwmp-1-(\d+)$/.exec(urn)?.[1] ?? 0)
  return `1.${Math.min(minor, 4)}`
}

/**
 * Reads an HTTP body into an envelope, in portions. ProtocolError codes: xml, xmlForbidden, xmlTooDeep, xmlTooLarge,
 * charset, envelope. Arguments that break their declaration (type, tooLong, tooMany) leave a message of kind `unknown`
 * with that error.
 */
export function* envelopeWork(
  bytes: Uint8Array,
  contentType?: string,
  limits: XmlLimits = XML_LIMITS,
): Work<CwmpEnvelope> {
  const { root, repaired } = yield* parseXml(bytes, contentType, limits)
  if (root.name !== 'Envelope')
    throw new ProtocolError('envelope', `the root element is ${root.name.slice(0, 40)}, not Envelope`)
  const bodies = childOf(root, 'Body')?.children ?? []
  const top = bodies[0]
  if (top === undefined || bodies.length > 1)
    throw new ProtocolError('envelope', `Body holds ${bodies.length} elements, one is needed`)
  const message = yield* readMessage(top)
  return { urn: urnOf(top, root), header: readHeader(childOf(root, 'Header')), message, repaired }
}

/**
 * `envelopeWork` portion by portion, as the pace allows: for the requests of CPE, which may be large. Rejects with its
 * ProtocolErrors.
 */
export function readEnvelope(bytes: Uint8Array, contentType: string | undefined, pace: Pace): Promise<CwmpEnvelope> {
  return inTurns(envelopeWork(bytes, contentType), pace)
}

function urnOf(top: Element, root: Element): string {
  if (URN.test(top.uri)) return top.uri
  const header = childOf(root, 'Header')?.children.find((child) => URN.test(child.uri))
  const fault = childOf(childOf(top, 'detail'), 'Fault')
  return header?.uri ?? (fault !== undefined && URN.test(fault.uri) ? fault.uri : DEFAULT_URN)
}

function readHeader(element: Element | undefined): CwmpHeader {
  const header: CwmpHeader = {}
  for (const { name, text } of element?.children ?? []) {
    if (name === 'ID') header.id = text.slice(0, 256)
    else if (name === 'HoldRequests') header.holdRequests = /^\s*(1|true)\s*$/i.test(text.slice(0, 256))
    else if (name === 'SessionTimeout' && /^\s*\d{1,9}\s*$/.test(text.slice(0, 256)))
      header.sessionTimeoutS = Number(text)
    else if (name === 'SupportedCWMPVersions' && text.trim() !== '')
      header.supportedCwmpVersions = text.trim().slice(0, 256)
    else if (name === 'UseCWMPVersion') header.useCwmpVersion = text.trim().slice(0, 16)
  }
  return header
}

function* readMessage(top: Element): Work<CwmpMessage> {
  const { name } = top
  if (name === 'Fault') return { kind: 'fault', fault: readFault(top) }
  const base = name.endsWith('Response') ? name.slice(0, -8) : ''
  try {
    // The registry pairs each name with its own body, which the compiler loses across the lookup.
    if (isRpcName(name))
      return { kind: 'request', name, body: yield* RPCS[name].request.work(top, name) } as RequestMessage
    if (isRpcName(base))
      return { kind: 'response', name: base, body: yield* RPCS[base].response.work(top, name) } as ResponseMessage
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    const sender = name === 'Inform' ? readDeviceId(top) : undefined
    return { kind: 'unknown', name, error, ...(sender === undefined ? {} : { sender }) }
  }
  return { kind: 'unknown', name: name.slice(0, 64) }
}

function readFault(element: Element): CwmpFault {
  const outer = childOf(element, 'detail')
  // Some CPE leave the cwmp:Fault element out and put its members directly into detail.
  const detail = childOf(outer, 'Fault') ?? outer
  const code = Number(childOf(detail, 'FaultCode')?.text.trim() ?? Number.NaN)
  const text = childOf(detail, 'FaultString')?.text ?? childOf(element, 'faultstring')?.text ?? ''
  const parameters = (detail?.children ?? [])
    .filter((child) => child.name === 'SetParameterValuesFault')
    .slice(0, 10_000)
    .map((child) => ({
      name: childOf(child, 'ParameterName')?.text ?? '',
      code: Number(childOf(child, 'FaultCode')?.text.trim() ?? 0) || 0,
      text: (childOf(child, 'FaultString')?.text ?? '').slice(0, 1024),
    }))
  // A fault without a readable code counts as an internal error of the peer.
  const fault: CwmpFault = { code: Number.isInteger(code) ? code : 9002, text: text.slice(0, 1024), parameters }
  if (/(^|:)\s*MustUnderstand\s*$/i.test((childOf(element, 'faultcode')?.text ?? '').slice(0, 256)))
    fault.notUnderstood = true
  return fault
}

const NAMESPACES =
  'xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" ' +
  'xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" ' +
  'xmlns:xsd="http://www.w3.org/2001/XMLSchema" ' +
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

function open(urn: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<soap-env:Envelope ${NAMESPACES} xmlns:cwmp="${urn}">`
}

const OPENINGS = new Map<string, string>()
for (let minor = 0; minor <= 4; minor++)
  OPENINGS.set(`urn:dslforum-org:cwmp-1-${minor}`, open(`urn:dslforum-org:cwmp-1-${minor}`))

/** Writes an envelope around the given body element. */
export function encodeEnvelope(urn: string, header: CwmpHeader, message: SendableMessage): string {
  return `${OPENINGS.get(urn) ?? open(escapeXml(urn))}${writeHeader(header)}<soap-env:Body>${writeMessage(message)}</soap-env:Body></soap-env:Envelope>`
}

function writeHeader(header: CwmpHeader): string {
  let out = ''
  if (header.id !== undefined)
    out += `<cwmp:ID${header.plainId === true ? '' : ' soap-env:mustUnderstand="1"'}>${escapeXml(header.id)}</cwmp:ID>`
  if (header.holdRequests !== undefined)
    out += `<cwmp:HoldRequests soap-env:mustUnderstand="1">${header.holdRequests ? '1' : '0'}</cwmp:HoldRequests>`
  if (header.sessionTimeoutS !== undefined)
    out += `<cwmp:SessionTimeout soap-env:mustUnderstand="0">${header.sessionTimeoutS}</cwmp:SessionTimeout>`
  if (header.supportedCwmpVersions !== undefined) {
    out += `<cwmp:SupportedCWMPVersions soap-env:mustUnderstand="0">${escapeXml(header.supportedCwmpVersions)}</cwmp:SupportedCWMPVersions>`
  }
  if (header.useCwmpVersion !== undefined)
    out += `<cwmp:UseCWMPVersion soap-env:mustUnderstand="1">${escapeXml(header.useCwmpVersion)}</cwmp:UseCWMPVersion>`
  return out === '' ? '' : `<soap-env:Header>${out}</soap-env:Header>`
}

function writeMessage(message: SendableMessage): string {
  if (message.kind === 'fault') return writeFault(message.fault)
  const rpc = RPCS[message.name]
  // The union pairs each name with its own body, which the compiler loses across the lookup.
  if (message.kind === 'request')
    return (rpc.request.write as (name: string, body: unknown) => string)(`cwmp:${message.name}`, message.body)
  return (rpc.response.write as (name: string, body: unknown) => string)(`cwmp:${message.name}Response`, message.body)
}

function writeFault({ code, text, parameters }: CwmpFault): string {
  const side = code === 9002 || code === 9004 || (code >= 8000 && code < 9000 && code !== 8003) ? 'Server' : 'Client'
  const list = parameters
    .map(
      (parameter) =>
        `<SetParameterValuesFault><ParameterName>${escapeXml(parameter.name)}</ParameterName>` +
        `<FaultCode>${parameter.code}</FaultCode>` +
        `<FaultString>${escapeXml(parameter.text)}</FaultString></SetParameterValuesFault>`,
    )
    .join('')
  const fault = `<FaultCode>${code}</FaultCode><FaultString>${escapeXml(text)}</FaultString>${list}`
  return (
    `<soap-env:Fault><faultcode>${side}</faultcode><faultstring>CWMP fault</faultstring>` +
    `<detail><cwmp:Fault>${fault}</cwmp:Fault></detail></soap-env:Fault>`
  )
}
