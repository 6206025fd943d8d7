import { AGGREGATIONS, loadModel, type MappingRow, type RowProblem, TRIAL_REASONS } from '../../datamodel/index.ts'
import {
  MAX_DEVICE_ID,
  MAX_REASON,
  MAX_ROW_SET_NAME,
  MAX_ROWS,
  MAX_SCOPE_TEXT,
  type MappingScope,
  type RowSetInput,
  rowProblems,
  rowSetProblems,
  scopeProblems,
} from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { count, nameText, page, text, time } from './common.ts'

const yes = z.literal(true).optional()

const ConditionSchema = z
  .strictObject({
    param: z.string().describe('Schema path of a parameter beside the source'),
    in: z.array(z.string()).optional().describe('Fails where the parameter is absent'),
    notIn: z.array(z.string()).optional().describe('Holds where the parameter is absent'),
  })
  .openapi('MappingCondition', { description: 'A test of one parameter: `in` or `notIn`' })

const MappingRowSchema = z
  .strictObject({
    from: z.string().describe("Schema path in the device's own tree, `{i}` for each instance"),
    to: z.string().describe('Schema path in TR-181'),
    transform: z.string().optional().describe('Absent: the text is the same on both sides'),
    writable: yes.describe('A write of the target is a write of the source'),
    copy: yes.describe('Read only: never chosen for a write'),
    when: ConditionSchema.optional().describe('The row applies only while this holds'),
    writeWhen: ConditionSchema.optional().describe('The same, for writes alone'),
    rank: z
      .number()
      .int()
      .optional()
      .describe('Of the rows of one target the lowest rank that has a value wins; absent: before all rows of Isthmus'),
    agg: z.enum(AGGREGATIONS).optional().describe('Joins several objects of the device to one value'),
    slot: z.number().int().optional().describe('Number of the row of the target, where one object gives several'),
    writeAlso: yes.describe('A write of the target writes this source too'),
    family: z.string().optional().describe('Only devices of this vendor family have the row'),
    models: z.array(z.string()).optional().describe('Only these models (ModelName or ProductClass) have the row'),
    evidence: z.string().optional().describe('The reason to believe the row'),
  })
  .openapi('MappingRow', { description: 'One parameter of a device, and its place in TR-181; docs/normalization.md' })

const name = () => text(MAX_SCOPE_TEXT).optional()
const ScopeSchema = z
  .strictObject({
    manufacturer: name(),
    model: name(),
    productClass: name(),
    firmware: z
      .strictObject({
        from: name().describe('The first version of the range'),
        before: name().describe('The first version behind it'),
      })
      .openapi('FirmwareRange', { description: 'Versions in their natural order: 1.10 is after 1.9' })
      .optional(),
  })
  .openapi('MappingScope', {
    description: 'The devices that have the rows, by facts as the record shows them; {} for every device',
  })

const fields = {
  name: nameText(MAX_ROW_SET_NAME).describe('Unique'),
  reason: text(MAX_REASON).describe('The reason to have it'),
  scope: ScopeSchema,
  rows: z.array(MappingRowSchema).min(1).max(MAX_ROWS),
}

/** Names the row and field of each problem, as `body.rows.3.to`. */
function addIssues(problems: readonly RowProblem[], context: z.RefinementCtx): void {
  for (const { place, text: message } of problems)
    context.addIssue({ code: 'custom', path: place === '' ? [] : place.split('.'), message })
}

const model = () => loadModel('tr181-cwmp')

export const MappingRowSetInput = z
  .strictObject(fields)
  .superRefine((set, context) => addIssues(rowSetProblems(set, model()), context))
  .openapi('MappingRowSetInput', {
    example: {
      name: 'load of R-2000',
      reason: 'it shows its load outside of ProcessStatus',
      scope: { manufacturer: 'Northbridge', model: 'R-2000', firmware: { from: '1.9', before: '2' } },
      rows: [
        {
          from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load',
          to: 'Device.DeviceInfo.ProcessStatus.CPUUsage',
          transform: 'percent',
        },
      ],
    },
  })

/** Returns a body in the types of the domain: JSON has no field that is undefined. */
export function rowSetOf(body: z.infer<typeof MappingRowSetInput>): RowSetInput {
  return body as RowSetInput
}

const MappingRowSetSchema = z
  .object({
    id: z.string(),
    ...fields,
    file: z.string().optional().describe('The file that it stands in, which alone can change it'),
    revision: count().describe('The ETag'),
    createdAt: time(),
    updatedAt: time(),
  })
  .openapi('MappingRowSet')
export const MappingRowSetPage = page('MappingRowSet', MappingRowSetSchema)
export const SizedMappingRowSetSchema = MappingRowSetSchema.extend({
  devices: count().describe('Number of the devices in its scope, at most one million'),
}).openapi('SizedMappingRowSet')

export const RemappingSchema = z
  .object({
    state: z.enum(['idle', 'waiting', 'running']).describe('waiting: a change that no run has begun with yet'),
    total: count().optional().describe('Devices when the run began'),
    looked: count().describe('Devices that were looked at'),
    mapped: count().describe('Those of them that were mapped again: their rows had changed'),
    failed: count().describe('Those that could not be, with their next change they are; the log has the reasons'),
    startedAt: time().optional(),
    finishedAt: time().optional(),
  })
  .openapi('Remapping')

export const MappingRowCheckInput = z
  .strictObject({
    deviceId: z.string().max(MAX_DEVICE_ID),
    scope: ScopeSchema.optional(),
    rows: z.array(MappingRowSchema).min(1).max(MAX_ROWS),
  })
  .superRefine(({ rows, scope = {} }, context) =>
    addIssues([...rowProblems(rows, model()), ...scopeProblems(scope)], context),
  )
  .openapi('MappingRowCheckInput')

/** The same for a check. */
export function checkOf({ rows, scope }: z.infer<typeof MappingRowCheckInput>) {
  return { rows: rows as MappingRow[], scope: scope as MappingScope | undefined }
}

const TrialSchema = z
  .object({
    source: z.string().describe('The parameter of the device'),
    raw: z.string().describe('Its stored text; secrets are masked'),
    target: z.string().optional().describe('The parameter of TR-181'),
    value: z.string().optional().describe('Its value by this row'),
    reason: z
      .enum(TRIAL_REASONS)
      .optional()
      .describe(
        'Without a value: no row of TR-181 belongs to the object (noTarget), the condition does not hold, or the text does not decode (value)',
      ),
    instead: z.string().optional().describe('The parameter that decides the target, where another row goes first'),
  })
  .openapi('MappingTrial')
export const MappingRowCheckSchema = z
  .object({
    family: z.string().optional().describe('The vendor family that the tree of the device shows'),
    parameters: count().describe('Stored parameters that were looked at'),
    inScope: z.boolean().describe('False: the scope leaves this device out'),
    rows: z
      .array(
        z
          .object({
            found: count().describe('Parameters of the device that the row names'),
            failed: count().describe('Those without a value by it'),
            trials: z.array(TrialSchema).describe('The first 50 of them'),
          })
          .openapi('MappingTrials'),
      )
      .describe('One for each row, in order'),
  })
  .openapi('MappingRowCheck')
