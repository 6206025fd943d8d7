import { ACTOR_KINDS, FACT_GROUPS, OPERATION_STATES, REQUEST_BOUNDS, type Verb } from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { page, time } from './common.ts'
import { ProtocolSchema } from './device.ts'
import { REQUESTS } from './operation-request.ts'
import { RESULTS } from './operation-result.ts'

export const OperationStateSchema = z.enum(OPERATION_STATES).openapi('OperationState')

const ActorSchema = z
  .object({ kind: z.enum(ACTOR_KINDS), id: z.string() })
  .openapi('Actor', { description: 'The party that asked' })

const WaitingForSchema = z.string().openapi('WaitingFor', {
  description:
    'What an operation that has not ended waits for: `turn` (it is about to run), `inform` (the next session of the ' +
    'CPE), `connectionRequest <outcome>` (the same, and the connection request failed; ' +
    'see `cwmp.lastWake` of the device), `uspLink` (the Agent), `uspLink or owner change` (the device is present ' +
    'over CWMP, which does not own it), `device busy with operation <id> (<verb>)`, `operation <id> (<verb>)`, ' +
    '`answer`, `boot`, `transfer`, `completion`',
})

const OPERATION = {
  id: z.string(),
  deviceId: z.string(),
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
  waitingFor: WaitingForSchema.optional(),
}

/** Returns an operation of one verb: its request, with secrets masked, and its result. */
function operationOf<V extends Verb>(verb: V, name: string) {
  return z.object({ ...OPERATION, request: REQUESTS[verb], result: RESULTS[verb].optional() }).openapi(name)
}

export const SetOperationSchema = operationOf('set', 'SetOperation')

/** An operation of any verb: exactly one of these, which `request.verb` decides. */
export const OperationSchema = z
  .union([
    operationOf('get', 'GetOperation'),
    SetOperationSchema,
    operationOf('add', 'AddOperation'),
    operationOf('delete', 'DeleteOperation'),
    operationOf('operate', 'OperateOperation'),
    operationOf('instances', 'InstancesOperation'),
    operationOf('supported', 'SupportedOperation'),
    operationOf('discover', 'DiscoverOperation'),
    operationOf('subscribe', 'SubscribeOperation'),
    operationOf('download', 'DownloadOperation'),
    operationOf('script', 'ScriptOperation'),
    operationOf('upgrade', 'UpgradeOperation'),
    operationOf('reboot', 'RebootOperation'),
    operationOf('factoryReset', 'FactoryResetOperation'),
  ])
  .openapi('Operation', {
    description: 'The operation of one verb, which is `request.verb`: request and result have the form of that verb',
  })
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
/** The groups of live facts that are read; absent: all of which the device has shown a parameter. */
export const RefreshInput = z
  .strictObject({ groups: z.array(z.enum(FACT_GROUPS)).min(1).max(FACT_GROUPS.length).optional() })
  .openapi('RefreshInput', { example: { groups: ['optical', 'wan'] } })

export const SubmitQuery = WaitQuery.extend({
  expires: Duration.refine((ms) => ms <= REQUEST_BOUNDS.expiresMs, `is at most ${MAX_EXPIRES_D}d`)
    .optional()
    .describe(`How long it may wait for the device, e.g. \`7d\`; default 1h, at most ${MAX_EXPIRES_D}d`),
})
