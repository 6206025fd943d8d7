import {
  BULK_KINDS,
  LEFT_OUT_REASONS,
  MAX_DEVICE_ID,
  MAX_ROUTER_TAG,
  MAX_SELECTOR,
  MEMBER_STATES,
  RETIRE_MODES,
  ROUTER_POLICIES,
  SHOWN_PLAN_STATES,
  SILENCE_ACTIONS,
  TRUST_MODES,
} from '../../domain/index.ts'
import { PLAN_ACTIONS, SHOWN_WAITING } from '../../planner/index.ts'
import { MTPS } from '../../usp/index.ts'
import { z } from '../http/zod.ts'
import { count, nameText, Paging, page, text, time } from './common.ts'
import { MemberStateSchema } from './member-state.ts'
import { path } from './operation-request.ts'

const CONTROLLER = z.strictObject({
  endpointId: text(256),
  mtp: z.enum(MTPS.map(({ protocol }) => protocol)).describe('The MTP over which the devices link; absent: WebSocket'),
  host: text(256),
  port: z.number().int().min(1).max(65_535),
  path: text(256),
  tls: z.boolean(),
  certificate: text(65_535),
  trust: z.enum(TRUST_MODES).describe('none: the devices trust the Controller already, and no certificate is written'),
  periodicNotifIntervalS: z.number().int().min(1).max(4_294_967_295),
})

const BRIDGE = z
  .strictObject({
    id: text(100).optional().describe('Only this bridge'),
    tag: text(MAX_ROUTER_TAG).optional().describe('Only rows of routers with this tag'),
    policy: z
      .enum(ROUTER_POLICIES)
      .optional()
      .describe('The policy that the row of a router gets at least; absent: L1'),
  })
  .openapi('PlanBridge', {
    description: 'The bridge that speaks for routers of RouterOS; absent: any that reaches them',
  })

const ms = z.number().int().min(0).max(31_536_000_000)
/** Settings as a person gives them: each may be absent. */
const SETTINGS = z.strictObject({
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
  retire: z.enum(RETIRE_MODES),
  dormantIntervalS: z.number().int().min(60).max(31_536_000),
  silentAfterMs: ms.describe('A migrated device whose Agent is silent for so long is reported; 0 = never'),
  onSilent: z.enum(SILENCE_ACTIONS),
  parityPaths: z.array(path).max(100),
  bridge: BRIDGE,
})
export const PlanSettingsInput = SETTINGS.partial()
  .extend({ controller: CONTROLLER.partial().openapi('PlanControllerInput').optional() })
  .openapi('PlanSettingsInput')
/** Settings as answers show them; further fields may follow. */
const PlanSettingsSchema = z
  .object({
    ...SETTINGS.partial({ bridge: true }).shape,
    controller: z
      .object(CONTROLLER.partial({ mtp: true, certificate: true, trust: true }).shape)
      .openapi('PlanController'),
  })
  .openapi('PlanSettings')
export const PlanInputSchema = z
  .strictObject({ name: nameText(100), groupId: text(100), settings: PlanSettingsInput.optional() })
  .openapi('PlanInput')
export const PlanChangeSchema = z
  .strictObject({ name: nameText(100).optional(), settings: PlanSettingsInput.optional() })
  .openapi('PlanChange')

const LeftOutSchema = z
  .object({
    why: z.enum(LEFT_OUT_REASONS),
    planId: z.string().optional().describe('The plan that holds the devices'),
    count: count(),
    example: z.string().describe('The id of one of them'),
  })
  .openapi('LeftOut')
const leftOut = z
  .array(LeftOutSchema)
  .optional()
  .describe(
    'Devices that the last rollback of the whole plan left out, because another plan holds them or none has moved them; counted while `underWay` has `survey`',
  )
const PlanStateSchema = z.enum(SHOWN_PLAN_STATES).openapi('PlanState')

export const PlanSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    groupId: z.string(),
    state: PlanStateSchema,
    settings: PlanSettingsSchema,
    reason: z.string().optional().describe('The reason for which it paused or ended by itself'),
    revision: z.number().int().describe('The ETag'),
    createdAt: time(),
    startedAt: time().optional(),
    finishedAt: time().optional(),
    leftOut,
    underWay: z
      .array(
        z
          .object({
            kind: z.enum(BULK_KINDS),
            selector: z.string().optional(),
            paced: z.literal(true).optional(),
            paused: z.literal(true).optional().describe('`pause` has stopped it; `resume` lets it go on'),
          })
          .openapi('BulkWork'),
      )
      .optional()
      .describe('Work over all devices of the plan that goes on, in order'),
    warnings: z.array(z.string()).optional(),
  })
  .openapi('Plan')
export const PlanPage = page('Plan', PlanSchema)

export const PlanActionParams = z.object({ id: text(100), action: z.enum(PLAN_ACTIONS) })
export const PlanActionInput = z
  .strictObject({
    devices: z.array(z.string().max(MAX_DEVICE_ID)).max(10_000).optional(),
    selector: text(MAX_SELECTOR).optional(),
    paced: z.boolean().optional(),
  })
  .openapi('PlanActionInput')
export const PlanActionSchema = PlanSchema.extend({
  report: z
    .object({
      accepted: count(),
      underWay: count().describe('Accepted ones that were being rolled back already'),
      refused: z.array(z.object({ deviceId: z.string(), reason: z.string() }).openapi('RefusedDevice')),
    })
    .openapi('ActionReport')
    .optional()
    .describe('For named devices: those that were taken, and those that were not'),
}).openapi('PlanAfterAction')

const ShownWaitingSchema = z.enum(SHOWN_WAITING).openapi('WaitingReason', {
  description:
    'place: one of `maxInFlight`. rate: the start rate. paused: the plan is paused. offline: a session of the CPE. ' +
    'agent: an answer or the link of the Agent. operation: the end of an operation. busy: ' +
    'the operation of another party. soak: the end of the soak. backoff: the next attempt',
})

export const PlanStatusSchema = z
  .object({
    planId: z.string(),
    name: z.string(),
    groupId: z.string(),
    state: PlanStateSchema,
    reason: z.string().optional().describe('The reason for which it paused or ended by itself'),
    total: count(),
    states: z.partialRecord(MemberStateSchema, count()).describe('Devices by state'),
    waiting: z.partialRecord(ShownWaitingSchema, count()).describe('Devices that wait; waiting is no failure'),
    inFlight: count(),
    ended: count(),
    migrated: count().describe('Devices that this plan has moved'),
    alreadyThere: count().describe('Devices that were on USP before: MIGRATED too, and in no rate'),
    silent: count().describe('Migrated devices whose Agent is silent for longer than `silentAfterMs`'),
    failed: count(),
    rate: z
      .object({ lastMinute: z.number(), lastFiveMinutes: z.number() })
      .openapi('Rate')
      .describe('Devices that were moved, per minute'),
    etaMs: count()
      .optional()
      .describe('Milliseconds until the devices that can go on are moved, at the rate of the last five minutes'),
    etaLeavesOut: z
      .partialRecord(ShownWaitingSchema, count())
      .optional()
      .describe('Devices that `etaMs` does not contain, because the end of their waiting is not known'),
    failures: z
      .array(
        z
          .object({
            code: z.string(),
            state: MemberStateSchema,
            count: count(),
            text: z.string(),
            example: z.string().describe('The id of one of the devices'),
          })
          .openapi('FailureCount'),
      )
      .describe('The ten most frequent reasons'),
    leftOut,
    rollback: z
      .object({
        left: count().describe('Devices that are being brought back, and those with which it has not begun'),
        paused: z.literal(true).optional().describe('`pause` has stopped it; `resume` lets it go on'),
      })
      .openapi('RollbackStatus')
      .optional()
      .describe('Present while devices are being brought back'),
    next: z.string().describe('The next action of a person'),
  })
  .openapi('PlanStatus')

const TransitionSchema = z
  .object({
    at: time(),
    from: MemberStateSchema,
    to: MemberStateSchema,
    event: z.string(),
    code: z.string().optional().describe('The machine-readable reason; docs/migration.md lists them'),
    reason: z.string().optional(),
    evidence: z.record(z.string(), z.string()).optional(),
    actor: z.string(),
  })
  .openapi('Transition')

const MemberSchema = z
  .object({
    id: z.string(),
    planId: z.string(),
    deviceId: z.string(),
    state: MemberStateSchema,
    step: z.string().describe('The last finished step of the state; empty when it has none'),
    attempt: count(),
    waiting: ShownWaitingSchema.optional(),
    reason: z.object({ code: z.string(), text: z.string() }).openapi('MemberReason').optional(),
    silentAt: time().optional().describe('The Agent of the migrated device is silent since then'),
    enteredAt: time(),
    startedAt: time().optional(),
    endedAt: time().optional(),
    nextLookAt: time().optional(),
    deadlineAt: time().optional().describe('The state times out then, unless the device is absent'),
    revision: z.number().int(),
  })
  .openapi('Member')
export const MemberPage = page('Member', MemberSchema)
export const MemberWithHistorySchema = MemberSchema.extend({ history: z.array(TransitionSchema) }).openapi(
  'MemberWithHistory',
)

const fact = () => z.string().optional()
const PathValueSchema = z.object({ path: z.string(), value: z.string() }).openapi('PathValue')
export const FoundSchema = z
  .object({
    endpointId: fact(),
    controllerRow: fact(),
    mtpRow: fact(),
    credential: fact(),
    role: fact(),
    certificate: fact(),
    ownRole: z.literal(true).optional(),
    trustRefused: fact(),
    interval: fact().describe('PeriodicInformInterval before the migration, in seconds'),
    identity: fact(),
    versions: fact(),
    softwareVersion: fact(),
    parity: fact(),
    probe: fact(),
    wrote: fact(),
    timer: fact(),
    heard: z.literal(true).optional(),
    notified: fact(),
    cwmpAsked: count().optional(),
    bootstrapAt: z.number().optional().describe('Milliseconds since 1970; 0: no bootstrap is on record'),
    alreadyThere: z.literal(true).optional(),
    assessed: count().optional(),
    ours: z.array(z.string()).optional().describe('Rows that the rollback takes away'),
    changed: z.array(PathValueSchema).optional().describe('Values that the rollback writes back'),
    switches: z.array(z.string()).optional(),
    removed: count().optional(),
    done: z.array(z.string()).describe('Finished steps of this visit to the state'),
  })
  .openapi('MemberFound', { description: 'The facts that the steps of the member found' })
export const MemberDetailsSchema = MemberWithHistorySchema.extend({ found: FoundSchema }).openapi('MemberDetails')

const StateList = z
  .string()
  .max(400)
  .transform((list) => list.split(','))
  .pipe(z.array(z.enum(MEMBER_STATES)))
  .optional()
  .describe('Comma list of states')
export const MemberQuery = Paging.extend({
  state: StateList,
  reason: text(64).optional().describe('A reason code, as the failures of the status have it'),
  waiting: z.enum(SHOWN_WAITING).optional().describe('The thing that they wait for'),
  silent: z.literal('true').optional().describe('Only migrated devices whose Agent is silent'),
})
