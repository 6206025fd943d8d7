import { OPERATION_OUTCOMES, PARAMETER_TYPES, type Verb } from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { MappedFromSchema } from './common.ts'

const OutcomeErrorSchema = z
  .object({
    code: z.string().describe('The fault code of the device (9xxx, 7xxx), or a word of this server'),
    text: z.string(),
    retryable: z.boolean().describe('Another attempt can help'),
  })
  .openapi('OutcomeError')

const type = z.enum(PARAMETER_TYPES).optional()
const writable = z.boolean().optional()
const error = OutcomeErrorSchema.optional()
const created = z.string().optional().describe('The path of the new row')
const keys = z.record(z.string(), z.string()).optional().describe('Unique keys of the row, where the device names them')
const optional = z.literal(true).optional().describe('The value that failed was not required')
/** Results of one operation are kept up to a number; the record of the device has the values of larger reads. */
const omitted = z.string().optional().describe('Number of further results, which are not kept')

const from = MappedFromSchema.optional()

const ReadValueSchema = z
  .object({ path: z.string(), value: z.string().optional(), type, writable, from, error })
  .openapi('ReadValue', { description: 'A parameter with its value, or a path that could not be read' })
const UnreadPathSchema = z
  .object({ path: z.string(), writable, error: OutcomeErrorSchema })
  .openapi('UnreadPath', { description: 'A path that could not be read; the record of the device has all others' })
const WrittenValueSchema = z
  .object({ path: z.string(), value: z.string().optional(), type, writable, from, optional, error })
  .openapi('WrittenValue', {
    description:
      'A value that was written; or, with `error`, the path of a value that was not, and the value there now',
  })
const AddedPartSchema = z
  .object({ path: z.string(), created, keys, value: z.string().optional(), type, from, optional, error })
  .openapi('AddedPart', { description: 'A new row (`created`), a value of it, or a part that was refused (`error`)' })
const DeletedRowSchema = z
  .object({ path: z.string(), from, error })
  .openapi('DeletedRow', { description: 'A row that is gone, or with `error` one that is not' })
const FoundRowSchema = z
  .object({ path: z.string(), keys, from, error })
  .openapi('FoundRow', { description: 'A row of a table' })
const SupportedNameSchema = z
  .object({ path: z.string(), type, writable, from, error })
  .openapi('SupportedName', { description: 'An object, parameter, command or event; `{i}` for instances' })
const SubscribedPathSchema = z
  .object({ path: z.string(), value: z.string().optional(), type, created, keys, from, error })
  .openapi('SubscribedPath', { description: 'A path that is subscribed, or what was changed in the Subscription row' })
const RefusedPathSchema = z
  .object({ path: z.string(), from, error: OutcomeErrorSchema })
  .openapi('RefusedPath', { description: 'A part of the command that was refused' })
const CommandRowSchema = z
  .object({
    path: z.string(),
    from,
    output: z.record(z.string(), z.string()).optional().describe('Output arguments of the command in this row'),
    pending: z.literal(true).optional().describe('Accepted for this row; its end follows'),
    error,
  })
  .openapi('CommandRow', {
    description: 'The outcome of a command in one row of a search path, or a part of the command that was refused',
  })

const outcome = z.enum(OPERATION_OUTCOMES)
const failure = OutcomeErrorSchema.optional().describe('The failure of the operation as a whole')
const shortened = z.literal(true).optional().describe('In a list: large parts are left out, read the operation itself')
const READ = { outcome: outcome.exclude(['pending']), error: failure, shortened }
const WRITE = {
  ...READ,
  partial: z
    .literal(true)
    .optional()
    .describe('Some paths were done and some failed: asking for all again would do the first part twice'),
  read: z.array(ReadValueSchema).optional().describe('Of the planner: values that were read right after it was done'),
}
const COMMAND = {
  outcome: outcome.describe('pending: accepted; the end follows'),
  results: z.array(RefusedPathSchema),
  output: z.record(z.string(), z.string()).optional().describe('Output arguments of the command'),
  error: failure,
  shortened,
}
const ReadOutputSchema = z.object({ omitted }).openapi('ReadOutput')
const DiscoverOutputSchema = z
  .object({ parameters: z.string().optional().describe('Number of values that were read into the record') })
  .openapi('DiscoverOutput')
const WriteOutputSchema = z
  .object({
    applied: z.literal('later').optional().describe('The device applies the change later, or at its next boot'),
    omitted,
  })
  .openapi('WriteOutput')

/** The result of each verb, as a component of its own: a client that is generated knows what each verb answers. */
export const RESULTS = {
  get: z
    .object({ ...READ, results: z.array(ReadValueSchema), output: ReadOutputSchema.optional() })
    .openapi('GetResult'),
  set: z
    .object({ ...WRITE, results: z.array(WrittenValueSchema), output: WriteOutputSchema.optional() })
    .openapi('SetResult'),
  add: z
    .object({ ...WRITE, results: z.array(AddedPartSchema), output: WriteOutputSchema.optional() })
    .openapi('AddResult'),
  delete: z
    .object({ ...WRITE, results: z.array(DeletedRowSchema), output: ReadOutputSchema.optional() })
    .openapi('DeleteResult'),
  operate: z
    .object({
      ...COMMAND,
      results: z.array(CommandRowSchema),
      partial: z.literal(true).optional().describe('The command was done in some rows and failed in others'),
    })
    .openapi('OperateResult'),
  instances: z
    .object({ ...READ, results: z.array(FoundRowSchema), output: ReadOutputSchema.optional() })
    .openapi('InstancesResult'),
  supported: z
    .object({ ...READ, results: z.array(SupportedNameSchema), output: ReadOutputSchema.optional() })
    .openapi('SupportedResult'),
  discover: z
    .object({ ...READ, results: z.array(UnreadPathSchema), output: DiscoverOutputSchema.optional() })
    .openapi('DiscoverResult'),
  subscribe: z
    .object({ ...WRITE, results: z.array(SubscribedPathSchema), output: ReadOutputSchema.optional() })
    .openapi('SubscribeResult'),
  download: z.object(COMMAND).openapi('DownloadResult'),
  script: z.object(COMMAND).openapi('ScriptResult'),
  upgrade: z.object(COMMAND).openapi('UpgradeResult'),
  reboot: z.object(COMMAND).openapi('RebootResult'),
  factoryReset: z.object(COMMAND).openapi('FactoryResetResult'),
} satisfies Record<Verb, z.ZodType>
