import { BASE_TYPES } from '../../datamodel/index.ts'
import { DISCOVERY_MODES, NOTIF_TYPES, REQUEST_BOUNDS, type Verb } from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { text } from './common.ts'

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
    'true: the request may delete or disable the Controller row of this server in the Agent, or change the address there, ' +
      'which is refused otherwise; a path that follows a reference may lead to that row',
  )
const confirm = z
  .string()
  .max(64)
  .optional()
  .describe('The token of the answer `confirmationNeeded` to the same request without it')
/** A value of a parameter of a script. */
const scriptValue = z
  .union([
    z.string().max(REQUEST_BOUNDS.script.value),
    z.boolean().transform(String),
    z.number().int().nonnegative().transform(String),
  ])
  .openapi({ description: 'A string; numbers and booleans are taken as their text, lists have commas between' })
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
export const REQUESTS = {
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
        'Lists what the device supports below a path, `{i}` for instances: ' +
        'objects, parameters, commands and events (GetSupportedDM); over CWMP the names that it lists',
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
      passive: z
        .boolean()
        .optional()
        .describe('CWMP: a change comes with the next Inform (passive notification), not with one of its own'),
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
  script: z
    .strictObject({
      verb: z.literal('script'),
      template: text(REQUEST_BOUNDS.script.name).describe('Name of a template: GET /script-templates'),
      parameters: z
        .record(text(REQUEST_BOUNDS.script.name), scriptValue)
        .refine(
          (values) => Object.keys(values).length <= REQUEST_BOUNDS.script.parameters,
          `has at most ${REQUEST_BOUNDS.script.parameters} entries`,
        )
        .default({})
        .openapi({ maxProperties: REQUEST_BOUNDS.script.parameters }),
      confirm,
    })
    .openapi('ScriptRequest', {
      description:
        'Runs a script of a reviewed template on a MikroTik router, over CWMP (level L3). The router fetches it from a signed address that ends',
      example: { verb: 'script', template: 'identity', parameters: { name: 'core-1' } },
    }),
  upgrade: z
    .strictObject({
      verb: z.literal('upgrade'),
      packages: z
        .array(text(REQUEST_BOUNDS.packageUrlLength))
        .min(1)
        .max(REQUEST_BOUNDS.packages)
        .describe('URLs of all packages of the router in one newer version, below a place of --router-package-urls'),
      confirm,
    })
    .openapi('UpgradeRequest', {
      description:
        'Installs packages of RouterOS on a MikroTik router, over CWMP (level L3), by a descriptor that lists them. ' +
        'Refused when a package is missing that the router has',
    }),
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
    REQUESTS.script,
    REQUESTS.upgrade,
    REQUESTS.reboot,
    REQUESTS.factoryReset,
  ])
  .openapi('OperationRequest', {
    example: { verb: 'set', values: [{ path: 'Device.WiFi.SSID.1.SSID', value: 'home' }] },
  })
