import { MAX_DEVICE_ID } from '../../domain/index.ts'
import { AUDIT_RESULTS, MAX_KEY_NAME, SCOPES } from '../../security/index.ts'
import { z } from '../http/zod.ts'
import { count, Facts, nameText, Paging, page, time } from './common.ts'

const ScopeSchema = z.enum(SCOPES).openapi('Scope', { description: 'read: every GET. write: everything' })
const ApiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scope: ScopeSchema,
    createdAt: time(),
    revokedAt: time().optional(),
  })
  .openapi('ApiKey')
export const ApiKeyPage = page('ApiKey', ApiKeySchema)
export const ApiKeyInput = z
  .strictObject({ name: nameText(MAX_KEY_NAME), scope: z.enum(SCOPES) })
  .openapi('ApiKeyInput')
export const CreatedApiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scope: ScopeSchema,
    key: z.string().describe('The text of the key, which no other answer has'),
  })
  .openapi('CreatedApiKey')

const hash = () => z.string().regex(/^[0-9a-f]{64}$/)
const AuditEntrySchema = z
  .object({
    seq: count().describe('1, 2, 3, ... without gaps'),
    at: time(),
    actor: z.string().describe('e.g. `apiKey:01h...`, `planner:01h...`, `system`'),
    action: z.string().describe('e.g. `operation.set`, `plan.start`, `group.delete`'),
    target: z.string().describe('Id of a device, plan, group or key'),
    before: Facts.optional(),
    after: Facts.optional(),
    result: z.enum(AUDIT_RESULTS),
    reason: z.string().optional(),
    previous: hash().describe('`hash` of the entry before'),
    hash: hash(),
  })
  .openapi('AuditEntry')
export const AuditPage = page('AuditEntry', AuditEntrySchema)
export const AuditQuery = Paging.extend({
  target: z.string().max(MAX_DEVICE_ID).optional(),
  actor: z.string().max(200).optional(),
})

export const VerificationQuery = z
  .object({
    entries: z.coerce.number().int().min(1).optional().describe('`entries` of an earlier answer: go on from there'),
    lastHash: hash().optional().describe('`lastHash` of that answer'),
  })
  .refine(({ entries, lastHash }) => (entries === undefined) === (lastHash === undefined), {
    message: 'entries and lastHash go together',
  })
export const VerificationSchema = z
  .object({
    intact: z.boolean(),
    entries: count(),
    lastHash: z.string(),
    firstBroken: count().optional().describe('seq of the first entry that does not follow'),
    more: z.literal(true).optional().describe('The chain has more entries behind these'),
  })
  .openapi('Verification')

export const HealthSchema = z.object({ status: z.enum(['ok']) }).openapi('Health')
export const ReadySchema = z
  .object({ status: z.enum(['ready', 'not ready']), reason: z.string().optional() })
  .openapi('Ready')
/** The description itself is not described further. */
export const DescriptionSchema = z
  .object({
    openapi: z.string(),
    info: Facts,
    servers: z.array(Facts).optional(),
    paths: Facts,
    components: Facts.optional(),
    webhooks: Facts.optional(),
  })
  .openapi('Description', { description: 'OpenAPI 3.1' })
