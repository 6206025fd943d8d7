import {
  asFingerprint,
  isLoginText,
  isRouterAddress,
  MAX_BRIDGE_NAME,
  MAX_MISSING_RIGHTS,
  MAX_ROUTER_ADDRESS,
  MAX_ROUTER_TAG,
  MAX_ROUTER_TAGS,
  MAX_STATE_TEXT,
  MAX_WAYS,
  ROUTER_POLICIES,
  ROUTER_TRANSPORTS,
  SNMP_AUTH,
  SNMP_PRIVACY,
  SNMP_USES,
  snmpLoginProblem,
} from '../../domain/index.ts'
import { isSealingKey } from '../../security/index.ts'
import { z } from '../http/zod.ts'
import { Cursor, count, Limit, nameText, page, text, time } from './common.ts'

const DAY_S = 86_400

const tokenSeconds = z
  .number()
  .int()
  .min(60)
  .max(30 * DAY_S)
  .default(DAY_S)
  .describe('Seconds for which the token is valid')

export const BridgeInput = z
  .strictObject({
    name: nameText(MAX_BRIDGE_NAME).describe('Unique'),
    description: z.string().max(1000).optional(),
    tokenSeconds,
  })
  .openapi('BridgeInput', { example: { name: 'pop-north', description: 'rack 4' } })
export const BridgeChange = z
  .strictObject({ name: nameText(MAX_BRIDGE_NAME).optional(), description: z.string().max(1000).optional() })
  .openapi('BridgeChange', { example: { name: 'pop-south' } })
export const BridgeTokenInput = z.strictObject({ tokenSeconds }).openapi('BridgeTokenInput')

const bridgeFields = {
  id: z.string(),
  name: z.string(),
  description: z.string().optional(),
  revision: count().describe('The ETag'),
  createdAt: time(),
  updatedAt: time(),
  registered: z.boolean().describe('A process has registered with its keys'),
  registeredAt: time().optional(),
  tokenExpiresAt: time().optional().describe('Absent: no token is open'),
  sealingKey: z
    .string()
    .optional()
    .describe('X25519 key (32 bytes, base64url) that logins of routers are sealed to with HPKE (RFC 9180)'),
  connected: z.boolean().describe('It asked for its routers within the last minute'),
  lastSeenAt: time().optional(),
  version: z.string().optional(),
  remoteAddress: z.string().optional(),
}
export const BridgeSchema = z.object(bridgeFields).openapi('Bridge')
export const BridgePage = page('Bridge', BridgeSchema)
export const BridgeWithTokenSchema = z
  .object({ ...bridgeFields, token: z.string().describe('Shown in this answer alone') })
  .openapi('BridgeWithToken')
export const SizedBridgeSchema = z
  .object({ ...bridgeFields, routers: count().describe('Number of its routers') })
  .openapi('SizedBridge')

const loginText = (what: string) =>
  z.string().max(255).refine(isLoginText, 'has 255 bytes at most and no control characters').describe(what)
const snmpText = (what: string) =>
  z.string().min(1).max(255).refine(isLoginText, 'has 255 bytes at most and no control characters').describe(what)
const SnmpLoginSchema = z
  .union([
    z.strictObject({ community: snmpText('Of SNMP v2c; not `public`, which everyone knows') }),
    z.strictObject({
      user: snmpText('Of SNMP v3'),
      auth: z.strictObject({ protocol: z.enum(SNMP_AUTH), key: snmpText('8 characters at least') }),
      privacy: z.strictObject({ protocol: z.enum(SNMP_PRIVACY), key: snmpText('8 characters at least') }),
    }),
  ])
  .superRefine((login, context) => {
    const message = snmpLoginProblem(login)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
export const LoginSchema = z
  .strictObject({
    username: loginText('User name on the router').optional(),
    password: loginText('Its password').optional(),
    snmp: SnmpLoginSchema.optional().describe('Sealed together with both; without it the router is not read over SNMP'),
    sealed: z
      .string()
      .regex(/^[\w-]{64,4000}$/)
      .optional()
      .describe(
        'Instead of all: JSON {"username","password","snmp"}, sealed by the client to `sealingKey` (HPKE base mode, info ' +
          '`isthmus router login`, aad `<bridge id>|<address>`, base64url of enc and ciphertext)',
      ),
  })
  .refine(
    ({ username, password, snmp, sealed }) =>
      sealed === undefined
        ? username !== undefined && password !== undefined
        : username === undefined && password === undefined && snmp === undefined,
    'has username and password, or sealed',
  )
  .openapi('RouterLogin', { description: 'Sealed to the key of the bridge before it is stored; no answer shows it' })

const routerFields = {
  address: text(MAX_ROUTER_ADDRESS)
    .refine(isRouterAddress, 'is a host name or an IP address')
    .describe('Host name or address, unique with the port in its bridge'),
  transport: z.enum(ROUTER_TRANSPORTS).describe('auto: what the router offers'),
  policy: z
    .enum(ROUTER_POLICIES)
    .describe(
      'What may be done: L0 reading, L1 also changes that can be undone, L2 also what interrupts service, L3 also what may lose the configuration',
    ),
  tags: z.array(text(MAX_ROUTER_TAG)).max(MAX_ROUTER_TAGS),
  mqtt: z.boolean().describe('The bridge also publishes it over MQTT'),
}
const snmpUse = z
  .enum(SNMP_USES)
  .describe('Measured values over SNMP: off, auto where the connection cannot read them, prefer before it')
const agent = z
  .boolean()
  .describe('false: the bridge connects to the router and reports its state, and runs no Agent for it')
const port = z.number().int().min(1).max(65_535)
const fingerprint = z
  .string()
  .max(95)
  .transform((value, context) => {
    const found = asFingerprint(value)
    if (found === undefined) context.addIssue({ code: 'custom', message: 'is no SHA-256: 64 hexadecimal digits' })
    return found ?? z.NEVER
  })
const SNMP_PORT_TEXT = 'Port of SNMP; absent: 161'
const PORT_TEXT = 'Absent: the usual port of the transport'
const FINGERPRINT_TEXT = 'SHA-256 of its TLS certificate or SSH host key, hex: nothing else is trusted then'

export const RouterInputSchema = z
  .strictObject({
    ...routerFields,
    port: port.optional().describe(PORT_TEXT),
    fingerprint: fingerprint.optional().openapi({ type: 'string', description: FINGERPRINT_TEXT }),
    transport: routerFields.transport.default('auto'),
    policy: routerFields.policy.default('L1'),
    tags: routerFields.tags.default([]),
    mqtt: routerFields.mqtt.default(false),
    snmp: snmpUse.optional(),
    snmpPort: port.optional().describe(SNMP_PORT_TEXT),
    agent: agent.default(true),
    login: LoginSchema,
  })
  .openapi('RouterInput', {
    example: { address: '192.0.2.1', login: { username: 'isthmus', password: 'secret' }, tags: ['north'] },
  })
export const RouterChangeSchema = z
  .strictObject({
    address: routerFields.address.optional(),
    transport: routerFields.transport.optional(),
    policy: routerFields.policy.optional(),
    tags: routerFields.tags.optional(),
    mqtt: routerFields.mqtt.optional(),
    snmp: snmpUse.optional(),
    snmpPort: port.nullable().optional().describe('null: 161'),
    agent: agent.optional(),
    port: port.nullable().optional().describe('null: the usual port'),
    fingerprint: fingerprint
      .nullable()
      .optional()
      .openapi({ type: ['string', 'null'], description: 'null: none is demanded' }),
    login: LoginSchema.optional(),
  })
  .openapi('RouterChange', { example: { policy: 'L2' } })

export const RouterIdentitySchema = z
  .object({
    oui: z.string().regex(/^[0-9A-Fa-f]{6}$/),
    productClass: z.string().max(64),
    serial: text(64),
    endpointId: text(200),
    model: z.string().max(100).optional(),
    softwareVersion: z.string().max(100).optional(),
  })
  .openapi('RouterIdentity', { description: 'As the router states it' })
const stateFields = {
  reachable: z.boolean(),
  identity: RouterIdentitySchema.optional(),
  missingRights: z
    .array(text(MAX_STATE_TEXT))
    .max(MAX_MISSING_RIGHTS)
    .describe('Rights that the account lacks, and features that the device mode forbids'),
  unfit: z
    .boolean()
    .optional()
    .describe('The account lacks a right without which the bridge cannot do what the policy lets it do'),
  ways: z
    .array(text(MAX_STATE_TEXT))
    .max(MAX_WAYS)
    .optional()
    .describe('The ways to the router that were tried: the one that is used, and why others are not'),
  lastError: text(MAX_STATE_TEXT).optional().describe('What does not work now, and what to do'),
  needsLogin: z
    .boolean()
    .optional()
    .describe('The bridge registered with new keys and cannot open the login: send the login again'),
  revision: count().describe('The revision of the row that it is about'),
}

export const RouterSchema = z
  .object({
    id: z.string(),
    bridgeId: z.string(),
    ...routerFields,
    agent,
    port: port.optional().describe(PORT_TEXT),
    fingerprint: z.string().optional().describe(FINGERPRINT_TEXT),
    snmp: snmpUse.optional().describe('Absent: off'),
    snmpPort: port.optional().describe(SNMP_PORT_TEXT),
    revision: count().describe('The ETag'),
    createdAt: time(),
    updatedAt: time(),
    deviceId: z.string().optional().describe('The device that it is by its identity'),
    state: z
      .object({ ...stateFields, reportedAt: time() })
      .openapi('RouterState')
      .optional()
      .describe('As the bridge reported it last; absent: not yet'),
  })
  .openapi('Router')
export const RouterPage = page('Router', RouterSchema)
export const RouterQuerySchema = z.object({
  limit: Limit,
  cursor: Cursor,
  reachable: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .describe('Only those that the bridge reaches, or does not reach; not together with tag'),
  tag: text(MAX_ROUTER_TAG).optional().describe('Only those with this tag'),
})
export const RouterParams = z.object({ id: text(100), routerId: text(100) })
export const RouterTableSchema = z.string().openapi({
  description: 'A line of column names, and a line for each router',
  example:
    'address,port,transport,username,password,fingerprint,policy,tags,mqtt\n192.0.2.1,,auto,isthmus,secret,,L1,north core,false\n',
})
export const RouterImportSchema = z
  .object({ added: count(), changed: count(), unchanged: count() })
  .openapi('RouterImport')

const ControllerSchema = z
  .object({
    endpointId: z.string(),
    host: z.string(),
    port: count(),
    path: z.string(),
    tls: z.boolean().describe('Without TLS no certificate proves an Endpoint ID'),
    certificate: z.string().optional().describe('PEM that its links are trusted by'),
  })
  .openapi('BridgeController', { description: 'The USP Controller that the Agents of the bridge connect to' })
const CertificateSchema = z
  .object({ certificate: z.string().describe('PEM'), notBefore: time(), notAfter: time(), renewAt: time() })
  .openapi('BridgeCertificate')
const ownFields = {
  id: z.string(),
  name: z.string(),
  routersVersion: count().describe('Changes with every change of a router'),
  controller: ControllerSchema,
}
export const OwnBridgeSchema = z.object(ownFields).openapi('OwnBridge')

export const RegistrationInput = z
  .strictObject({
    certificateRequest: z.string().max(8192).describe('PEM (RFC 2986), ECDSA on P-256'),
    sealingKey: z.string().refine(isSealingKey, 'is an X25519 key: 32 bytes in base64url'),
    version: text(64).describe('Version of the program'),
  })
  .openapi('BridgeRegistrationInput')
export const RegistrationSchema = z
  .object({ ...ownFields, certificate: CertificateSchema })
  .openapi('BridgeRegistration')
export const RenewedCertificateSchema = z.object({ certificate: CertificateSchema }).openapi('RenewedBridgeCertificate')

export const OwnRoutersQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(200).describe('At most so many items'),
  after: z.string().max(100).optional().describe('The id of the last router of the page before'),
})
export const OwnRoutersSchema = z
  .object({
    items: z.array(
      z
        .object({
          id: z.string(),
          ...routerFields,
          agent,
          port: port.optional(),
          fingerprint: z.string().optional(),
          snmp: snmpUse.optional(),
          snmpPort: port.optional(),
          revision: count(),
          login: z.object({ sealed: z.string(), sealingKey: z.string() }).openapi('SealedLogin'),
        })
        .openapi('OwnRouter'),
    ),
    more: z.boolean().describe('There are routers behind the last one'),
  })
  .openapi('OwnRouters')

export const AgentCertificatesInput = z
  .strictObject({ routerIds: z.array(text(100)).min(1).max(100) })
  .openapi('AgentCertificatesInput')
export const AgentCertificatesSchema = z
  .object({
    items: z.array(
      z
        .object({
          routerId: z.string(),
          certificate: CertificateSchema.optional(),
          refused: z.string().optional().describe('The reason why there is none'),
        })
        .openapi('AgentCertificate'),
    ),
  })
  .openapi('AgentCertificates')

export const RouterReportInput = z
  .strictObject({
    states: z
      .array(z.strictObject({ routerId: text(100), ...stateFields }).openapi('ReportedRouterState'))
      .min(1)
      .max(200),
  })
  .openapi('RouterReport')
