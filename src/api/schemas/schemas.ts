import { BASE_TYPES } from '../../datamodel/index.ts'
import {
  CONNECTION_REQUEST_OUTCOMES,
  DEVICE_SORT_FIELDS,
  DISCONNECT_REASONS,
  MAX_DEVICE_ID,
  MAX_SELECTOR,
  MEMBER_STATES,
  READINESS_CLASSES,
  REQUEST_BOUNDS,
  SELECTOR_FIELDS,
} from '../../domain/index.ts'
import { MTPS } from '../../usp/index.ts'
import { z } from '../http/zod.ts'

const text = (max: number) => z.string().min(1).max(max)

export const Limit = z.coerce.number().int().min(1).max(1000).default(100).describe('At most so many items')
export const Cursor = z
  .string()
  .max(2000)
  .optional()
  .describe('`next` of the page before: of the same list with the same filter and sort')
export const DeviceIdParam = z.object({
  id: text(MAX_DEVICE_ID).describe('As the record shows it: OUI-ProductClass-SerialNumber, each part percent-encoded'),
})
export const IdParam = z.object({ id: text(100) })
/** For changes that are to meet what was read. */
export const IF_MATCH = { 'If-Match': 'The ETag that was read: 412 when it has changed meanwhile' }
export const Paging = z.object({ limit: Limit, cursor: Cursor })

export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')

const Presence = z.object({
  cwmp: z
    .enum(['online', 'late', 'offline', 'never'])
    .describe('online: within two inform intervals; late: within six'),
  usp: z
    .enum(['online', 'silent', 'offline', 'never'])
    .describe(
      'online: a link stands and the Agent answers over it; silent: a link stands and the Agent does not answer',
    ),
})
const UspFacts = z
  .object({
    linked: z.boolean(),
    answering: z
      .boolean()
      .optional()
      .describe(
        'false: the Agent has not answered yet over its link, or does not answer any more; filter field `usp.answering`',
      ),
    lastAnswerAt: z
      .string()
      .optional()
      .describe('When the Agent last answered or notified; at most 10 minutes old while it does'),
    lastDisconnect: z
      .object({ at: z.string(), reason: z.enum(DISCONNECT_REASONS) })
      .optional()
      .describe('Why its last link ended'),
    weakLink: z
      .boolean()
      .optional()
      .describe(
        "true: neither a client certificate nor a secret in the path proves that the link is the device's; give it one with POST /devices/{id}/link-secret",
      ),
    remoteAddress: z.string().optional().describe('The address that its last link came from'),
  })
  .loose()
const LastWakeSchema = z
  .object({
    at: z.string().describe('Of several requests in a row with one outcome it may be up to five minutes old'),
    firstAt: z.string().describe('The first request in a row with this outcome'),
    way: z.enum(['connectionRequest']),
    outcome: z
      .enum(CONNECTION_REQUEST_OUTCOMES)
      .describe(
        '`ok`: accepted. `refused`, `timeout`, `unreachable`, `unknownHost`, `tls`: there was no answer. `unauthorized`: the CPE did not take our login; `noCredential`: there is none; `basicOnly`: it offers Basic alone, see --allow-basic-over-http. `forbidden`, `redirected`, `busy`, `http2xx`, `http4xx`, `http5xx`: by HTTP status. `noUrl`, `addressNotAllowed`: nothing was sent.',
      ),
    status: z.number().int().optional().describe('The HTTP status, where there was one'),
  })
  .openapi('LastWake', {
    description: 'The last connection request to the CPE: the first thing to look at when it does not come',
  })
const Discovery = z
  .object({
    outcome: z.enum(['complete', 'partial', 'empty']),
    at: z.string(),
    unread: z.array(z.string()).describe('Objects below which nothing is known; read again after a day'),
    reason: z.string().optional(),
  })
  .describe('How the last reading of the whole tree ended; after `empty` the next session tries again')
export const DeviceSchema = z
  .object({
    id: z.string(),
    oui: z.string(),
    productClass: z.string(),
    serial: z.string(),
    owner: z.enum(['cwmp', 'usp']).describe('The protocol that may write to the device now'),
    presence: Presence,
    cwmp: z
      .object({ lastInformAt: z.string(), lastWake: LastWakeSchema.optional(), discovery: Discovery.optional() })
      .loose()
      .optional(),
    usp: UspFacts.optional(),
    tags: z.array(z.string()),
    groups: z
      .array(z.string())
      .describe('Ids of the groups that it belongs to: as a static member, or because it fits their selector'),
    revision: z.number().int().describe('The ETag'),
  })
  .loose()
  .openapi('Device')

export const DeviceQuerySchema = Paging.extend({
  filter: z
    .string()
    .max(MAX_SELECTOR)
    .optional()
    .describe(
      `RSQL, e.g. \`manufacturer==Acme;softwareVersion=ge=1.10\`; fields, by their names in the record: ${Object.keys(SELECTOR_FIELDS).join(', ')}`,
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
      `One of ${DEVICE_SORT_FIELDS.join(', ')}, with - in front for descending; default id. While a list is paged no device comes twice: one that came, or whose value of the sort field changed, after the first page was asked for is left out of the later pages, which may have fewer items than \`limit\`. By id each device comes once, whatever changes.`,
    ),
  fields: z
    .string()
    .max(1000)
    .optional()
    .describe('Comma list of the fields wanted, such as `owner,cwmp.lastInformAt`; id is always there'),
})

export const ParameterSchema = z
  .object({
    path: z.string(),
    value: z.string(),
    type: z.string(),
    writable: z.boolean().optional(),
    source: z.enum(['cwmp', 'usp']),
    collectedAt: z.string(),
  })
  .openapi('Parameter')

const path = text(REQUEST_BOUNDS.pathLength)
/** Numbers and booleans of JSON are written as the text that both protocols carry. */
const value = z
  .union([
    z.string().max(REQUEST_BOUNDS.valueLength),
    z.boolean().transform(String),
    z
      .number()
      .refine(
        (number) => !/e/.test(String(number)) && (Number.isSafeInteger(number) || !Number.isInteger(number)),
        'is too large for a JSON number; give it as a string',
      )
      .transform(String),
  ])
  .openapi({ description: 'A string; numbers and booleans are taken as their text' })
const record = (max: number) =>
  z
    .record(text(REQUEST_BOUNDS.nameLength), value)
    .refine((values) => Object.keys(values).length <= max, `has at most ${max} entries`)
    .default({})
    .openapi({ maxProperties: max })
const mayLockOut = z
  .boolean()
  .optional()
  .describe('true: it may delete or disable the Controller row of this server in the Agent, which is refused otherwise')
const row = {
  object: path,
  values: record(REQUEST_BOUNDS.values),
  optional: z
    .array(text(REQUEST_BOUNDS.nameLength))
    .max(REQUEST_BOUNDS.values)
    .optional()
    .describe('Names of values that may be refused without the row failing'),
}
export const OperationRequestSchema = z
  .discriminatedUnion('verb', [
    z.strictObject({
      verb: z.literal('get'),
      paths: z.array(path).min(1).max(REQUEST_BOUNDS.paths),
      maxDepth: z.number().int().min(0).max(REQUEST_BOUNDS.depth).optional(),
    }),
    z.strictObject({
      verb: z.literal('set'),
      values: z
        .array(
          z.strictObject({
            path,
            value,
            type: z
              .enum(BASE_TYPES)
              .optional()
              .describe('For parameters of a vendor that the device was not asked about yet; CWMP carries it'),
            required: z
              .boolean()
              .optional()
              .describe('false: the rest is written even where this value is refused; such a result is `optional`'),
          }),
        )
        .min(1)
        .max(REQUEST_BOUNDS.values),
      allowPartial: z.boolean().optional(),
      mayLockOut,
    }),
    z.strictObject({
      verb: z.literal('add'),
      ...row,
      more: z
        .array(z.strictObject(row))
        .max(REQUEST_BOUNDS.rows - 1)
        .optional()
        .describe('Further rows of the same request: all are created or none, unless allowPartial'),
      allowPartial: z.boolean().optional(),
    }),
    z.strictObject({
      verb: z.literal('delete'),
      paths: z.array(path).min(1).max(REQUEST_BOUNDS.rows),
      allowPartial: z.boolean().optional(),
      mayLockOut,
    }),
    z.strictObject({ verb: z.literal('operate'), command: path, input: record(REQUEST_BOUNDS.arguments) }),
    z
      .strictObject({
        verb: z.literal('instances'),
        paths: z.array(path).min(1).max(REQUEST_BOUNDS.paths),
        firstLevelOnly: z.boolean().optional(),
      })
      .describe('The rows of tables, with their unique keys over USP (GetInstances)'),
    z
      .strictObject({ verb: z.literal('supported'), path, firstLevelOnly: z.boolean().optional() })
      .describe(
        'What the device supports below a path, `{i}` for instances: objects, parameters, commands and events (GetSupportedDM); over CWMP the names that it lists',
      ),
    z.strictObject({
      verb: z.literal('discover'),
      path: path.optional(),
      mode: z.enum(['walk', 'subtree']).optional(),
    }),
    z.strictObject({
      verb: z.literal('subscribe'),
      id: text(REQUEST_BOUNDS.subscriptionIdLength),
      notifType: z.enum(['ValueChange', 'ObjectCreation', 'ObjectDeletion', 'OperationComplete', 'Event']),
      paths: z.array(text(REQUEST_BOUNDS.referenceLength)).min(1).max(REQUEST_BOUNDS.references),
      enable: z.boolean(),
    }),
    z.strictObject({
      verb: z.literal('download'),
      url: text(REQUEST_BOUNDS.download.url),
      fileType: text(REQUEST_BOUNDS.download.fileType).optional(),
      username: z.string().max(REQUEST_BOUNDS.download.username).optional(),
      password: z.string().max(REQUEST_BOUNDS.download.password).optional(),
      fileSize: z.number().int().min(0).max(REQUEST_BOUNDS.fileSize).optional(),
      targetFileName: z.string().max(REQUEST_BOUNDS.download.targetFileName).optional(),
      version: z.string().max(REQUEST_BOUNDS.download.version).optional(),
      activate: z.boolean().optional(),
    }),
    z.strictObject({ verb: z.literal('reboot') }),
    z.strictObject({ verb: z.literal('factoryReset') }),
  ])
  .openapi('OperationRequest', {
    example: { verb: 'set', values: [{ path: 'Device.WiFi.SSID.1.SSID', value: 'home' }] },
  })

export const OperationSchema = z
  .object({
    id: z.string(),
    deviceId: z.string(),
    request: z.object({ verb: z.string() }).loose(),
    state: z.enum(['queued', 'sent', 'unknown', 'done', 'failed', 'expired', 'cancelled']),
    attempts: z.number().int().describe('How often it was sent to the device'),
    result: z
      .object({
        outcome: z.enum(['done', 'failed', 'pending']),
        partial: z
          .literal(true)
          .optional()
          .describe('Some paths were done and some failed: asking for all again would do the first part twice'),
        results: z.array(
          z
            .object({
              path: z.string(),
              created: z.string().optional().describe('The new row'),
              keys: z.record(z.string(), z.string()).optional().describe('Unique keys of the row'),
              optional: z.literal(true).optional().describe('What failed was not required'),
            })
            .loose(),
        ),
      })
      .loose()
      .optional(),
    waitingFor: z
      .string()
      .optional()
      .describe(
        'What an operation that has not ended waits for: `turn` (it is about to run), `inform` (the next session of the CPE), `connectionRequest <outcome>` (the same, and asking the CPE to come failed; see `cwmp.lastWake` of the device), `uspLink` (the Agent), `uspLink or owner change` (the device is present over CWMP, which does not own it), `device busy with operation <id> (<verb>)`, `operation <id> (<verb>)`, `answer`, `boot`, `transfer`, `completion`',
      ),
  })
  .loose()
  .openapi('Operation')

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `15m`, `12h` or `7d` as milliseconds. */
const Duration = z
  .string()
  .regex(/^[1-9]\d{0,6}[smhd]$/, 'is a time such as 90s, 15m, 12h or 7d')
  .transform((text) => Number.parseInt(text, 10) * UNITS_MS[text.slice(-1) as keyof typeof UNITS_MS])

const TAG = /^(?! )[\p{L}\p{M}\p{N} _.:-]{1,64}(?<! )$/u
const Tags = z
  .array(
    z.string().regex(TAG, 'is a tag of 1 to 64 letters and digits of any language, _ . : - and spaces between them'),
  )
  .max(64)

/** A change of tags: `tags` in place of all, or single ones. */
export const TagsChangeSchema = z
  .strictObject({
    tags: Tags.optional().describe('In place of all that there are'),
    add: Tags.optional().describe('Those that there are already stay once'),
    remove: Tags.optional().describe('Those that there are not are left out'),
  })
  .refine(
    ({ tags, add, remove }) => (tags === undefined) !== (add === undefined && remove === undefined),
    'has either tags, or add, remove or both',
  )
  .openapi('TagsChange', { example: { add: ['pilot'], remove: ['lab'] } })

/** The time that a request may wait for an operation: the connection must not stand for longer. */
const MAX_WAIT_MS = 60_000

/** `wait` as milliseconds: `30s`, `2m`, or a number of seconds alone. */
export const WaitQuery = z.object({
  wait: z
    .string()
    .regex(/^\d{1,4}[sm]?$/, 'is a time such as 30s or 1m, or a number of seconds')
    .transform((text) =>
      Math.min(Number.parseInt(text, 10) * (text.endsWith('m') ? UNITS_MS.m : UNITS_MS.s), MAX_WAIT_MS),
    )
    .optional()
    .describe(
      'Wait so long for the result, e.g. `30s` or `1m`; after 60s the answer shows the operation as it is then',
    ),
})

const MAX_EXPIRES_D = REQUEST_BOUNDS.expiresMs / UNITS_MS.d
export const SubmitQuery = WaitQuery.extend({
  expires: Duration.refine((ms) => ms <= REQUEST_BOUNDS.expiresMs, `is at most ${MAX_EXPIRES_D}d`)
    .optional()
    .describe(`How long it may wait for the device, e.g. \`7d\`; default 1h, at most ${MAX_EXPIRES_D}d`),
})

export const GroupInputSchema = z
  .strictObject({
    name: text(100),
    description: z.string().max(1000).optional(),
    selector: text(MAX_SELECTOR).optional(),
  })
  .openapi('GroupInput', { example: { name: 'gateways north', selector: 'manufacturer==Northbridge;tags==north' } })
export const GroupSchema = z
  .object({ id: z.string(), name: z.string(), selector: z.string().optional(), revision: z.number() })
  .loose()
  .openapi('Group')
const count = z.number().int().min(0)
const ReadinessClassSchema = z
  .enum(READINESS_CLASSES)
  .describe(
    'READY_STANDARD: it can be moved. NEEDS_DATA_MODEL: it has no `Device.USPAgent.`, or an Agent without WebSocket. BRIDGE_ONLY: it has no Agent and gets none. UNKNOWN: the record shows too little; a plan asks the device.',
  )
const onUsp = count.describe('Those of them that USP owns already')
export const ReadinessQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe('At most so many models and firmwares'),
})
export const ReadinessStatusSchema = z
  .object({
    groupId: z.string().optional().describe('Absent: all devices'),
    name: z.string().optional(),
    devices: count,
    onUsp,
    countedAt: z.string().describe('When the devices were counted: at most ten seconds ago'),
    classes: z
      .array(
        z.object({
          class: ReadinessClassSchema,
          devices: count,
          onUsp,
          reasons: z.array(z.object({ text: z.string(), devices: count })).describe('The ten most frequent reasons'),
        }),
      )
      .describe('Classes that have devices'),
    firmwares: z
      .array(
        z.object({
          manufacturer: z.string().optional(),
          model: z.string().optional(),
          softwareVersion: z.string().optional(),
          devices: count,
          onUsp,
          classes: z.partialRecord(z.enum(READINESS_CLASSES), count).describe('Devices by class'),
          reasons: z
            .array(z.object({ class: z.enum(READINESS_CLASSES), text: z.string(), devices: count }))
            .describe('The three most frequent reasons'),
        }),
      )
      .describe('By model and firmware, those with the most devices first'),
    truncated: z.literal(true).optional().describe('There are more models and firmwares than are listed here'),
  })
  .openapi('ReadinessStatus', {
    example: {
      groupId: '01JD0000000000000000000000',
      name: 'north',
      devices: 3,
      onUsp: 1,
      countedAt: '2026-01-31T12:00:00.000Z',
      classes: [
        {
          class: 'READY_STANDARD',
          devices: 2,
          onUsp: 1,
          reasons: [{ text: 'it shows the Endpoint ID of an Agent', devices: 2 }],
        },
        {
          class: 'NEEDS_DATA_MODEL',
          devices: 1,
          onUsp: 0,
          reasons: [{ text: 'the device has no Device.USPAgent.', devices: 1 }],
        },
      ],
      firmwares: [
        {
          manufacturer: 'Acme',
          model: 'M7',
          softwareVersion: '2.0.1',
          devices: 3,
          onUsp: 1,
          classes: { READY_STANDARD: 2, NEEDS_DATA_MODEL: 1 },
          reasons: [
            { class: 'READY_STANDARD', text: 'it shows the Endpoint ID of an Agent', devices: 2 },
            { class: 'NEEDS_DATA_MODEL', text: 'the device has no Device.USPAgent.', devices: 1 },
          ],
        },
      ],
    },
  })
export const MembersInput = z.strictObject({
  add: z.array(text(MAX_DEVICE_ID)).max(10_000).default([]),
  remove: z.array(text(MAX_DEVICE_ID)).max(10_000).default([]),
})

const ms = z.number().int().min(0).max(31_536_000_000)
export const PlanSettingsSchema = z
  .strictObject({
    maxInFlight: z.number().int().min(1).max(10_000),
    startsPerMinute: z.number().int().min(0).max(100_000).describe('0 = no limit'),
    failureGatePercent: z.number().min(0).max(100),
    gateMinSample: z.number().int().min(1),
    soakMs: ms,
    awaitUspTimeoutMs: ms,
    verifyTimeoutMs: ms,
    offlineTimeoutMs: ms,
    maxAttempts: z.number().int().min(1).max(100),
    retryBackoffMs: ms,
    retire: z.enum(['dormant', 'none']),
    dormantIntervalS: z.number().int().min(60).max(31_536_000),
    silentAfterMs: ms.describe('A migrated device whose Agent is silent for so long is reported; 0 = never'),
    onSilent: z.enum(['report', 'rollback']),
    parityPaths: z.array(path).max(100),
    controller: z
      .strictObject({
        endpointId: text(256),
        mtp: z
          .enum(MTPS.map(({ protocol }) => protocol))
          .describe('The MTP over which the devices link; absent: WebSocket'),
        host: text(256),
        port: z.number().int().min(1).max(65_535),
        path: text(256),
        tls: z.boolean(),
        certificate: text(65_535),
        trust: z
          .enum(['write', 'none'])
          .describe('none: the devices trust the Controller already, and no certificate is written'),
        periodicNotifIntervalS: z.number().int().min(1),
      })
      .partial(),
  })
  .partial()
  .openapi('PlanSettings')
export const PlanInputSchema = z
  .strictObject({ name: text(100), groupId: text(100), settings: PlanSettingsSchema.optional() })
  .openapi('PlanInput')
export const PlanSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    groupId: z.string(),
    state: z.enum(['draft', 'running', 'paused', 'aborting', 'aborted', 'finished']),
    leftOut: z
      .array(
        z.object({
          why: z.enum(['otherPlan', 'rollbackPending', 'alreadyThere']),
          planId: z.string().optional().describe('The plan that holds the devices'),
          count: z.number().int(),
          example: z.string().describe('The id of one of them'),
        }),
      )
      .optional()
      .describe(
        'Devices that the last rollback of the whole plan left out, because another plan holds them or none has moved them; counted while `underWay` has `survey`',
      ),
  })
  .loose()
  .openapi('Plan')
export const StateList = z
  .string()
  .max(400)
  .transform((list) => list.split(','))
  .pipe(z.array(z.enum(MEMBER_STATES)))
  .optional()
  .describe('Comma list of states')
export const Any = z.object({}).loose()

export const page = (item: z.ZodType) => z.object({ items: z.array(item), next: z.string().optional() })
