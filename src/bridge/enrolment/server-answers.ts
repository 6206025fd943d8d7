import { X509Certificate } from 'node:crypto'
import { AppError, isObject } from '../../base/index.ts'
import {
  isRouterAddress,
  ROUTER_POLICIES,
  ROUTER_TRANSPORTS,
  type RouterPolicy,
  type RouterTransport,
  SNMP_USES,
  type SnmpUse,
} from '../../domain/index.ts'

/** The Controller that the server names, and the PEM certificate that its links are trusted by. */
interface NamedController {
  endpointId: string
  host: string
  port: number
  path: string
  tls: boolean
  certificate?: string
}

/** The bridge as its server shows it. */
export interface OwnBridge {
  id: string
  name: string
  routersVersion: number
  controller: NamedController
}

/** A certificate with the time, in milliseconds, from which it is to be renewed. */
export interface HeldCertificate {
  certificate: string
  notAfter: number
  renewAt: number
}

/** A router as the server sends it: with its login sealed. */
export interface SealedRouter {
  id: string
  revision: number
  address: string
  port?: number
  transport: RouterTransport
  fingerprint?: string
  policy: RouterPolicy
  tags: string[]
  mqtt: boolean
  snmp?: SnmpUse
  snmpPort?: number
  agent: boolean
  login: { sealed: string; sealingKey: string }
}

type Json = Readonly<Record<string, unknown>>

/** Readers of answers: each throws AppError `invalid` for an answer that has another form than the API describes. */
export function readOwnBridge(value: unknown): OwnBridge {
  const { id, name, routersVersion, controller } = object(value)
  const { endpointId, host, port, path, tls, certificate } = object(controller)
  return {
    id: text(id),
    name: text(name),
    routersVersion: number(routersVersion),
    controller: {
      endpointId: text(endpointId),
      host: text(host),
      port: portOf(port),
      path: text(path),
      tls: tls === true,
      ...(certificate === undefined ? {} : { certificate: pem(certificate) }),
    },
  }
}

export function readCertificate(value: unknown): HeldCertificate {
  const { certificate, notAfter, renewAt } = object(value)
  const times = { notAfter: Date.parse(text(notAfter)), renewAt: Date.parse(text(renewAt)) }
  if (Object.values(times).some(Number.isNaN)) throw wrong()
  return { certificate: pem(certificate), ...times }
}

export function readRouters(value: unknown): { items: SealedRouter[]; more: boolean } {
  const { items, more } = object(value)
  return { items: list(items).map(readRouter), more: more === true }
}

/** As `readRouters`, for a list that was kept. */
export function readRouter(value: unknown): SealedRouter {
  const { id, revision, address, port, transport, fingerprint, policy, tags, ...more } = object(value)
  const { mqtt, snmp, snmpPort, agent, login } = more
  const { sealed, sealingKey } = object(login)
  if (!isRouterAddress(text(address))) throw wrong()
  return {
    id: text(id),
    revision: number(revision),
    address: text(address),
    ...(port === undefined ? {} : { port: portOf(port) }),
    transport: oneOf(ROUTER_TRANSPORTS, transport),
    ...(fingerprint === undefined ? {} : { fingerprint: text(fingerprint) }),
    policy: oneOf(ROUTER_POLICIES, policy),
    tags: list(tags).map(text),
    mqtt: mqtt === true,
    ...(snmp === undefined ? {} : { snmp: oneOf(SNMP_USES, snmp) }),
    ...(snmpPort === undefined ? {} : { snmpPort: portOf(snmpPort) }),
    // A server of an earlier version does not name it.
    agent: agent !== false,
    login: { sealed: text(sealed), sealingKey: text(sealingKey) },
  }
}

/** The certificate of each Agent, or the reason why there is none, by the id of its router. */
export function readAgentCertificates(value: unknown): Map<string, HeldCertificate | { refused: string }> {
  const items = list(object(value).items).map((item) => {
    const { routerId, certificate, refused } = object(item)
    const made = certificate === undefined ? { refused: String(refused) } : readCertificate(certificate)
    return [text(routerId), made] as const
  })
  return new Map(items)
}

function wrong(): AppError {
  return new AppError('invalid', 'the server answered in a form that this version does not know: use the same version')
}

function object(value: unknown): Json {
  if (!isObject(value)) throw wrong()
  return value
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw wrong()
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw wrong()
  return value
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw wrong()
  return value
}

function portOf(value: unknown): number {
  const found = number(value)
  if (!Number.isInteger(found) || found < 1 || found > 65_535) throw wrong()
  return found
}

/** A text with a certificate: it is stored, and one that is none would take the place of a good one. */
function pem(value: unknown): string {
  const found = text(value)
  try {
    new X509Certificate(found)
  } catch {
    throw wrong()
  }
  return found
}

function oneOf<T extends string>(choices: readonly T[], value: unknown): T {
  const found = choices.find((choice) => choice === value)
  if (found === undefined) throw wrong()
  return found
}
