import { BASE_TYPES } from '../../datamodel/index.ts'
import {
  ACTOR_KINDS,
  DISCOVERY_MODES,
  NOTIF_TYPES,
  OPERATION_OUTCOMES,
  OPERATION_STATES,
  PARAMETER_TYPES,
  REQUEST_BOUNDS,
  type Verb,
} from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { page, text, time } from './common.ts'
import { ProtocolSchema } from './device.ts'

/** A path of the data model. */
export const path = text(REQUEST_BOUNDS.pathLength)
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
  .describe(
    'true: the request may delete or disable the Controller row of this server in the Agent, or change the address there, which is refused otherwise',
  )
/** The parts of a row to create. */
const row = {
  object: path,
  values: record(REQUEST_BOUNDS.values),
  optional: z
    .array(text(REQUEST_BOUNDS.nameLength))
    .max(REQUEST_BOUNDS.values)
    .optional()
    .describe('Names of values that may be refused without the row failing'),
}

const ValueToSetSchema = z
  .strictObject({
    path,
    value,
    type: z
      .enum(BASE_TYPES)
      .optional()
      .describe('For parameters of a vendor whose type the record does not have yet; CWMP carries it'),
    required: z
      .boolean()
      .optional()
      .describe('false: the rest is written even where this value is refused; such a result is `optional`'),
  })
  .openapi('ValueToSet')
const RowToAddSchema = z.strictObject(row).openapi('RowToAdd')

/** The request of each verb, as a component of its own: clients are generated from them. */
const REQUESTS = {
  get: z
    .strictObject({
      verb: z.literal('get'),
      paths: z.array(path).min(1).max(REQUEST_BOUNDS.paths),
      maxDepth: z.number().int().min(0).max(REQUEST_BOUNDS.depth).optional(),
    })
    .openapi('GetRequest', { description: 'Reads parameters, or objects with all below them' }),
  set: z
    .strictObject({
      verb: z.literal('set'),
      values: z.array(ValueToSetSchema).min(1).max(REQUEST_BOUNDS.values),
      allowPartial: z.boolean().optional(),
      mayLockOut,
    })
    .openapi('SetRequest', { description: 'Writes parameters: all or none, unless allowPartial' }),
  add: z
    .strictObject({
      verb: z.literal('add'),
      ...row,
      more: z
        .array(RowToAddSchema)
        .max(REQUEST_BOUNDS.rows - 1)
        .optional()
        .describe('Further rows of the same request: all are created or none, unless allowPartial'),
      allowPartial: z.boolean().optional(),
    })
    .openapi('AddRequest', { description: 'Creates rows of tables' }),
  delete: z
    .strictObject({
      verb: z.literal('delete'),
      paths: z.array(path).min(1).max(REQUEST_BOUNDS.rows),
      allowPartial: z.boolean().optional(),
      mayLockOut,
    })
    .openapi('DeleteRequest', { description: 'Deletes rows of tables' }),
  operate: z
    .strictObject({ verb: z.literal('operate'), command: path, input: record(REQUEST_BOUNDS.arguments) })
    .openapi('OperateRequest', { description: 'Runs a command' }),
  instances: z
    .strictObject({
      verb: z.literal('instances'),
      paths: z.array(path).min(1).max(REQUEST_BOUNDS.paths),
      firstLevelOnly: z.boolean().optional(),
    })
    .openapi('InstancesRequest', {
      description: 'Lists the rows of tables, with their unique keys over USP (GetInstances)',
    }),
  supported: z
    .strictObject({ verb: z.literal('supported'), path, firstLevelOnly: z.boolean().optional() })
    .openapi('SupportedRequest', {
      description:
        'Lists what the device supports below a path, `{i}` for instances: objects, parameters, commands and events (GetSupportedDM); over CWMP the names that it lists',
    }),
  discover: z
    .strictObject({
      verb: z.literal('discover'),
      path: path.optional(),
      mode: z.enum(DISCOVERY_MODES).optional(),
    })
    .openapi('DiscoverRequest', { description: 'Reads names and values below a path into the record' }),
  subscribe: z
    .strictObject({
      verb: z.literal('subscribe'),
      id: text(REQUEST_BOUNDS.subscriptionIdLength),
      notifType: z.enum(NOTIF_TYPES),
      paths: z.array(text(REQUEST_BOUNDS.referenceLength)).min(1).max(REQUEST_BOUNDS.references),
      enable: z.boolean(),
    })
    .openapi('SubscribeRequest', { description: 'Keeps a subscription, or removes it: enable false' }),
  download: z
    .strictObject({
      verb: z.literal('download'),
      url: text(REQUEST_BOUNDS.download.url),
      fileType: text(REQUEST_BOUNDS.download.fileType).optional(),
      username: z.string().max(REQUEST_BOUNDS.download.username).optional(),
      password: z.string().max(REQUEST_BOUNDS.download.password).optional(),
      fileSize: z.number().int().min(0).max(REQUEST_BOUNDS.fileSize).optional(),
      targetFileName: z.string().max(REQUEST_BOUNDS.download.targetFileName).optional(),
      version: z.string().max(REQUEST_BOUNDS.download.version).optional(),
      activate: z.boolean().optional(),
    })
    .openapi('DownloadRequest', { description: 'Fetches a file, by default firmware, and activates it' }),
  reboot: z.strictObject({ verb: z.literal('reboot') }).openapi('RebootRequest'),
  factoryReset: z.strictObject({ verb: z.literal('factoryReset') }).openapi('FactoryResetRequest'),
} satisfies Record<Verb, z.ZodType>

export const OperationRequestSchema = z
  .discriminatedUnion('verb', [
    REQUESTS.get,
    REQUESTS.set,
    REQUESTS.add,
    REQUESTS.delete,
    REQUESTS.operate,
    REQUESTS.instances,
    REQUESTS.supported,
    REQUESTS.discover,
    REQUESTS.subscribe,
    REQUESTS.download,
    REQUESTS.reboot,
    REQUESTS.factoryReset,
  ])
  .openapi('OperationRequest', {
    example: { verb: 'set', values: [{ path: 'Device.WiFi.SSID.1.SSID', value: 'home' }] },
  })

const OutcomeErrorSchema = z
  .object({
    code: z.string().describe('The fault code of the device (9xxx, 7xxx), or a word of this server'),
    text: z.string(),
    retryable: z.boolean().describe('Another attempt can help'),
  })
  .openapi('OutcomeError')

const PathOutcomeSchema = z
  .object({
    path: z.string(),
    value: z.string().optional(),
    type: z.enum(PARAMETER_TYPES).optional(),
    writable: z.boolean().optional(),
    created: z.string().optional().describe('The new row of an add'),
    keys: z.record(z.string(), z.string()).optional().describe('Unique keys of the row'),
    optional: z.literal(true).optional().describe('The value that failed was not required'),
    error: OutcomeErrorSchema.optional(),
  })
  .openapi('PathOutcome', {
    description:
      'The answer for one path. get: value and type. set: the value that was written. add: created and keys. instances: keys. supported: what is there, `{i}` for instances',
  })

const OperationResultSchema = z
  .object({
    outcome: z.enum(OPERATION_OUTCOMES).describe('pending: accepted; the end follows'),
    partial: z
      .literal(true)
      .optional()
      .describe('Some paths were done and some failed: asking for all again would do the first part twice'),
    results: z.array(PathOutcomeSchema),
    output: z.record(z.string(), z.string()).optional().describe('Output arguments of a command'),
    error: OutcomeErrorSchema.optional().describe('The failure of the operation as a whole'),
  })
  .openapi('OperationResult')

export const OperationStateSchema = z.enum(OPERATION_STATES).openapi('OperationState')

const ActorSchema = z
  .object({ kind: z.enum(ACTOR_KINDS), id: z.string() })
  .openapi('Actor', { description: 'The party that asked' })

export const OperationSchema = z
  .object({
    id: z.string(),
    deviceId: z.string(),
    request: OperationRequestSchema.describe('As it was asked for, secrets masked'),
    state: OperationStateSchema,
    actor: ActorSchema,
    via: ProtocolSchema.optional().describe('The protocol that was asked for'),
    idempotencyKey: z.string().optional(),
    warnings: z.array(z.string()).optional().describe('Remarks on a request that was accepted'),
    createdAt: time(),
    expiresAt: time().describe('Expired when it was not sent by then'),
    sentAt: time().optional(),
    sentVia: ProtocolSchema.optional(),
    finishedAt: time().optional(),
    attempts: z.number().int().describe('Number of times that it was sent to the device'),
    result: OperationResultSchema.optional(),
    waitingFor: z
      .string()
      .optional()
      .describe(
        'What an operation that has not ended waits for: `turn` (it is about to run), `inform` (the next session of the CPE), `connectionRequest <outcome>` (the same, and the connection request failed; see `cwmp.lastWake` of the device), `uspLink` (the Agent), `uspLink or owner change` (the device is present over CWMP, which does not own it), `device busy with operation <id> (<verb>)`, `operation <id> (<verb>)`, `answer`, `boot`, `transfer`, `completion`',
      ),
  })
  .openapi('Operation')
export const OperationPage = page('Operation', OperationSchema)

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `15m`, `12h` or `7d` as milliseconds. */
const Duration = z
  .string()
  .regex(/^[1-9]\d{0,6}[smhd]$/, 'is a time such as 90s, 15m, 12h or 7d')
  .transform((text) => Number.parseInt(text, 10) * UNITS_MS[text.slice(-1) as keyof typeof UNITS_MS])

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
