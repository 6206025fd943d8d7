import {
  BINDING_PROOFS,
  CONNECTION_REQUEST_OUTCOMES,
  CWMP_PRESENCE,
  DEVICE_CLASSES,
  DEVICE_SORT_FIELDS,
  DISCONNECT_REASONS,
  DISCOVERY_OUTCOMES,
  MAX_SEARCH,
  MAX_SELECTOR,
  OPTICAL_HEALTH,
  PARAMETER_SOURCES,
  PARAMETER_TYPES,
  PROTOCOLS,
  READINESS_CLASSES,
  ROOTS,
  SELECTOR_FIELDS,
  USP_PRESENCE,
  WAN_STATES,
} from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { MappedFromSchema, Paging, page, time } from './common.ts'
import { MemberStateSchema } from './member-state.ts'
import { RouterPolicySchema } from './router-files.ts'
import { selectionOf } from './selection.ts'

export const ProtocolSchema = z.enum(PROTOCOLS).openapi('Protocol')
export const BindingProofSchema = z.enum(BINDING_PROOFS).openapi('BindingProof', {
  description:
    'operator: a person decided it. bridge: a bridge reads the serial number of the CWMP identity over the API of the ' +
    'router, and the certificate of this server names the Agent. certificate: the certificate of the Agent names it. ' +
    'bound: it was read from the CPE over CWMP. triple: the Agent alone claimed it',
})
export const ReadinessClassSchema = z.enum(READINESS_CLASSES).openapi('ReadinessClass', {
  description:
    'READY_STANDARD: it can be moved. READY_BRIDGE: it has no Agent, a bridge reaches it, and it can be moved. ' +
    'NEEDS_DATA_MODEL: it has no `Device.USPAgent.`, or an Agent without WebSocket. ' +
    'BRIDGE_ONLY: it has no Agent and gets none, and no bridge can serve it now. UNKNOWN: the record shows too little; a plan asks the device',
})

const PresenceSchema = z
  .object({
    cwmp: z.enum(CWMP_PRESENCE).describe('online: within two inform intervals; late: within six'),
    usp: z
      .enum(USP_PRESENCE)
      .describe(
        'online: a link stands and the Agent answers over it; silent: a link stands and the Agent does not answer',
      ),
  })
  .openapi('Presence')

const BindingSchema = z
  .object({
    endpointId: z.string(),
    proof: BindingProofSchema,
    certificate: z.literal(true).optional().describe('Links without a client certificate are refused'),
    at: time(),
  })
  .openapi('Binding')

const LastWakeSchema = z
  .object({
    at: time().describe('Of several requests in a row with one outcome it may be up to five minutes old'),
    firstAt: time().describe('The first request in a row with this outcome'),
    way: z.enum(['connectionRequest']),
    outcome: z
      .enum(CONNECTION_REQUEST_OUTCOMES)
      .describe(
        '`ok`: accepted. `refused`, `timeout`, `unreachable`, `unknownHost`, `tls`: there was no answer. ' +
          '`unauthorized`: the CPE did not take our login; `noCredential`: there is none; ' +
          '`basicOnly`: it offers Basic alone, see --allow-basic-over-http. ' +
          '`forbidden`, `redirected`, `busy`, `http2xx`, `http4xx`, `http5xx`: by HTTP status. `noUrl`, `addressNotAllowed`: nothing was sent.',
      ),
    status: z.number().int().optional().describe('The HTTP status, where there was one'),
  })
  .openapi('LastWake', {
    description: 'The last connection request to the CPE: look at it first when the CPE does not connect',
  })

const DiscoverySchema = z
  .object({
    outcome: z.enum(DISCOVERY_OUTCOMES),
    at: time(),
    unread: z.array(z.string()).describe('Objects below which nothing is known; read again after a day'),
    reason: z.string().optional(),
  })
  .openapi('Discovery', {
    description: 'The end of the last reading of the whole tree; after `empty` the next session tries again',
  })

const CwmpFactsSchema = z
  .object({
    lastInformAt: time(),
    lastBootAt: time().optional(),
    lastBootstrapAt: time().optional(),
    events: z.array(z.string()).describe('Event codes of the last Inform, e.g. `2 PERIODIC`'),
    informIntervalS: z.number().int().optional().describe('PeriodicInformInterval, in seconds'),
    retryCount: z.number().int().optional().describe('Attempts in a row that failed before the last session'),
    connectionRequestUrl: z.string().optional(),
    parameterKey: z.string().optional(),
    version: z.string().describe('CWMP version of the session, `1.0` to `1.4`'),
    remoteAddress: z.string().optional(),
    subscriptions: z
      .array(
        z
          .object({
            id: z.string(),
            paths: z.array(z.string()).describe("Parameters and objects by the CPE's own paths"),
            asked: z
              .array(z.string())
              .optional()
              .describe('The same as they were asked for, where these are other paths'),
            passive: z.boolean().optional().describe('Notified with the next Inform, not at once'),
          })
          .openapi('CwmpSubscription'),
      )
      .optional(),
    discoveredFor: z.string().optional().describe('The firmware for which the tree was read last'),
    discovery: DiscoverySchema.optional(),
    methods: z.array(z.string()).optional().describe('RPC methods of the CPE (GetRPCMethods)'),
    lastWake: LastWakeSchema.optional(),
  })
  .openapi('CwmpFacts', { description: 'Facts from the last CWMP sessions' })

const UspFactsSchema = z
  .object({
    linked: z.boolean(),
    answering: z
      .boolean()
      .optional()
      .describe(
        'false: the Agent has no link, has not answered yet over it, or does not answer any more; filter field `usp.answering`',
      ),
    lastAnswerAt: time()
      .optional()
      .describe('The last answer or notification of the Agent; at most 10 minutes old while there are any'),
    instance: z.string().optional().describe('The server instance that holds the link'),
    lastSeenAt: time(),
    connectedAt: time().optional(),
    disconnectedAt: time().optional(),
    lastDisconnect: z
      .object({ at: time(), reason: z.enum(DISCONNECT_REASONS) })
      .openapi('Disconnect')
      .optional()
      .describe('The last end of a link'),
    weakLink: z
      .boolean()
      .optional()
      .describe(
        "true: neither a client certificate nor a secret in the path proves that the link is the device's; give it one with POST /devices/{id}/link-secret",
      ),
    remoteAddress: z.string().optional().describe('The address of the Agent on its last link'),
    lastBootAt: time().optional(),
    versions: z.string().optional().describe('Comma list from GetSupportedProtocol'),
    onboardedFor: z.string().optional().describe('The firmware for which onboarding was completed'),
    subscribed: z.boolean().optional().describe('It had subscriptions of this Controller after onboarding'),
  })
  .openapi('UspFacts', { description: 'Facts from the last USP links' })

const FactSourcesSchema = z
  .record(z.string(), z.string())
  .optional()
  .describe('The parameter that each fact was read from')

const WanFactsSchema = z
  .object({
    interface: z.string().optional().describe('The IP interface of the internet connection'),
    state: z.enum(WAN_STATES).optional().describe('In the words of `PPP.Interface.{i}.ConnectionStatus`'),
    lastError: z.string().optional().describe('`PPP.Interface.{i}.LastConnectionError`; absent when there was none'),
    ipAddress: z.string().optional(),
    macAddress: z.string().optional(),
    pppUser: z.string().optional(),
    vlanId: z.number().int().optional(),
    upSince: time().optional().describe('The connection is up since then; absent while it is not'),
    uptimeS: z.number().int().optional().describe('Seconds since `upSince`'),
    sources: FactSourcesSchema,
  })
  .openapi('WanFacts', {
    description:
      'The internet connection: the IP interface for which most speaks of an active default route, NAT, PPP with a user and a public address',
  })

const OpticalFactsSchema = z
  .object({
    rxPowerDbm: z.number().optional().describe('Received level, in dBm; absent without light'),
    txPowerDbm: z.number().optional().describe('Sent level, in dBm'),
    health: z
      .enum(OPTICAL_HEALTH)
      .optional()
      .describe(
        'By the received level: overload above -8 dBm, good to -25, warning to -27, critical above -30, noLight from there on',
      ),
    temperatureC: z.number().int().optional().describe('Temperature of the transceiver, in degrees Celsius'),
    sources: FactSourcesSchema,
  })
  .openapi('OpticalFacts', { description: 'The optical line. A reading that is not plausible is absent' })

const WifiFactsSchema = z
  .object({
    ssids: z.array(z.string()).optional().describe('All SSIDs that are enabled'),
    ssids2g: z.array(z.string()).optional().describe('Those at 2.4 GHz'),
    ssids5g: z.array(z.string()).optional().describe('Those at 5 GHz'),
    ssids6g: z.array(z.string()).optional().describe('Those at 6 GHz'),
    stations: z.number().int().optional().describe('Stations that are associated'),
    sources: FactSourcesSchema,
  })
  .openapi('WifiFacts')

const LanFactsSchema = z
  .object({
    activeHosts: z.number().int().optional().describe('Hosts that are active, by cable or Wi-Fi'),
    sources: FactSourcesSchema,
  })
  .openapi('LanFacts')

const SystemFactsSchema = z
  .object({
    upSince: time().optional().describe('The last start, by the uptime that the device gave'),
    uptimeS: z.number().int().optional().describe('Seconds since `upSince`'),
    cpuPercent: z.number().int().optional(),
    memoryTotalKib: z.number().int().optional(),
    memoryFreeKib: z.number().int().optional(),
    memoryUsedPercent: z.number().int().optional(),
    sources: FactSourcesSchema,
  })
  .openapi('SystemFacts')

const ReadinessSchema = z
  .object({
    class: ReadinessClassSchema,
    reasons: z.array(z.string()),
    evidence: z.record(z.string(), z.string()).describe('Parameters and facts that the class follows from'),
    at: time(),
  })
  .openapi('Readiness')

export const DeviceSchema = z
  .object({
    id: z.string(),
    oui: z.string(),
    productClass: z.string(),
    serial: z.string(),
    manufacturer: z.string().optional(),
    model: z.string().optional(),
    deviceClass: z
      .enum(DEVICE_CLASSES)
      .optional()
      .describe(
        'By objects that only such devices have (PON, DSL, set-top box), else by words of its product class and model, ' +
          'else by its routes; absent until its next Inform or read',
      ),
    root: z.enum(ROOTS).optional().describe('Absent before the first Inform or Get'),
    softwareVersion: z.string().optional(),
    hardwareVersion: z.string().optional(),
    dataModelVersion: z.string().optional().describe('RootDataModelVersion, e.g. `2.15`'),
    provisioningCode: z.string().optional(),
    ipAddress: z.string().optional().describe('External address, where the device reports it'),
    upTimeS: z.number().optional().describe('Seconds, as reported last'),
    owner: ProtocolSchema.describe('The protocol that may write to the device now'),
    presence: PresenceSchema,
    cwmp: CwmpFactsSchema.optional(),
    usp: UspFactsSchema.optional(),
    wan: WanFactsSchema.optional(),
    optical: OpticalFactsSchema.optional(),
    wifi: WifiFactsSchema.optional().describe('The networks by Wi-Fi'),
    lan: LanFactsSchema.optional().describe('The network at home'),
    system: SystemFactsSchema.optional().describe('Uptime, CPU and memory'),
    binding: BindingSchema.optional().describe('The Endpoint ID of its Agent'),
    label: z.string().optional().describe('The name that people have for it'),
    routerPolicy: RouterPolicySchema.optional().describe('Of a MikroTik router: PUT /devices/{id}/router-policy'),
    tags: z.array(z.string()),
    groups: z
      .array(z.string())
      .describe('Ids of the groups that it belongs to: as a static member, or because it matches their selector'),
    readiness: ReadinessSchema.optional(),
    migration: z
      .object({ planId: z.string(), state: MemberStateSchema, at: time() })
      .openapi('MigrationPointer')
      .optional()
      .describe('The plan that moves the device, moved it, or looked at it last'),
    parametersCut: z
      .object({ at: time(), object: z.string(), parameters: z.number().int(), kept: z.number().int() })
      .openapi('ParametersCut')
      .optional()
      .describe('The last time that new parameters were left out, because the record has no room for more'),
    conflict: z.string().optional().describe('Id of its open conflict'),
    revision: z.number().int().describe('The ETag'),
    createdAt: time(),
    updatedAt: time(),
  })
  .openapi('Device')
/** Names of the fields of a device. */
export const DEVICE_FIELDS = Object.keys(DeviceSchema.shape)
export const DevicePage = page('Device', DeviceSchema)
/** Devices with the fields that were asked for, down to single facts; `id` is always there. */
export const DeviceSelectionPage = page(
  'DeviceSelection',
  selectionOf(DeviceSchema)
    .extend({ id: z.string() })
    .openapi('DeviceSelection', { description: 'A device, or the fields of it that were asked for' }),
)

export const DeviceQuerySchema = Paging.extend({
  filter: z
    .string()
    .max(MAX_SELECTOR)
    .optional()
    .describe(
      `RSQL, e.g. \`manufacturer==Acme;softwareVersion=ge=1.10\`; fields, by their names in the record: ${Object.keys(SELECTOR_FIELDS).join(', ')}`,
    ),
  q: z
    .string()
    .trim()
    .min(1)
    .max(MAX_SEARCH)
    .optional()
    .describe(
      'Search: devices whose id, serial number, Endpoint ID, MAC address (in any notation), IP address, PPPoE user, SSID ' +
        'or tag is this text or begins with it, in upper or lower case, or whose label has a word at which it begins',
    ),
  group: z.string().max(100).optional().describe('Only devices of this group'),
  sort: z
    .string()
    .regex(
      new RegExp(`^-?(${DEVICE_SORT_FIELDS.map((field) => field.replace('.', '\\.')).join('|')})$`),
      `is one of ${DEVICE_SORT_FIELDS.join(', ')}, with - in front for descending`,
    )
    .optional()
    .describe(
      `One of ${DEVICE_SORT_FIELDS.join(', ')}, with - in front for descending; default id. ` +
        'While a list is paged no device is in it twice: a device that is new, or whose value of the sort field ' +
        'changed, after the first page was asked for is left out of the later pages, which may have fewer items than ' +
        '`limit`. By id each device is in it once, whatever changes.',
    ),
  fields: z
    .string()
    .max(1000)
    .optional()
    .describe('Comma list of the fields wanted, such as `owner,cwmp.lastInformAt`; id is always there'),
})

const TAG = /^(?! )[\p{L}\p{M}\p{N} _.:-]{1,64}(?<! )$/u
const Tags = z
  .array(
    z.string().regex(TAG, 'is a tag of 1 to 64 letters and digits of any language, _ . : - and spaces between them'),
  )
  .max(64)

const LABEL = /^(?! )[^\p{C}]{1,128}(?<! )$/u
/** A change of label and tags: `tags` in place of all, or single ones. */
export const NotesChangeSchema = z
  .strictObject({
    label: z
      .string()
      .regex(LABEL, 'is a text of 1 to 128 characters without line breaks, and without spaces around it')
      .nullable()
      .optional()
      .describe('The name that people have for the device, such as the place where it stands; null for none'),
    tags: Tags.optional().describe('In place of all present ones'),
    add: Tags.optional().describe('A tag that the device has already stays once'),
    remove: Tags.optional().describe('A tag that the device does not have is ignored'),
  })
  .refine(
    ({ label, tags, add, remove }) =>
      tags === undefined
        ? label !== undefined || add !== undefined || remove !== undefined
        : add === undefined && remove === undefined,
    'has a label, or either tags, or add, remove or both',
  )
  .openapi('DeviceInput', { example: { label: 'Oak Street 12', add: ['pilot'], remove: ['lab'] } })

const ParameterSchema = z
  .object({
    path: z.string(),
    value: z.string(),
    type: z.enum(PARAMETER_TYPES).describe('TR-106 A.2.3; `unknown` where the device reported none'),
    writable: z.boolean().optional(),
    source: z.enum(PARAMETER_SOURCES).describe('mqtt: telemetry of a bridge'),
    collectedAt: time(),
    from: MappedFromSchema.optional(),
  })
  .openapi('Parameter')
export const ParameterPage = page('Parameter', ParameterSchema)
