import { CONFIRMED_BY, CONFLICT_KINDS, MAX_DEVICE_ID, REFUSAL_CODES, RESOLUTIONS } from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { Paging, page, text, time } from './common.ts'
import { BindingProofSchema } from './device.ts'

export const PendingAgentSchema = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    address: z.string().describe('The address of its last connection'),
    claim: z
      .object({ oui: z.string(), productClass: z.string(), serial: z.string() })
      .openapi('Claim')
      .optional()
      .describe('The identity that it claims: nothing proves it'),
    reason: z
      .enum(REFUSAL_CODES)
      .describe('The reason of its last refusal; docs/migration.md says what to do about each'),
    text: z.string().describe('The reason in a sentence'),
    count: z.number().int().describe('Number of refusals, written about once a minute'),
    firstSeenAt: time(),
    lastSeenAt: time(),
    blockedAt: time().optional(),
    blockedBy: z.string().optional(),
  })
  .openapi('PendingAgent')
export const PendingAgentPage = page('PendingAgent', PendingAgentSchema)
export const PendingAgentQuery = Paging.extend({ reason: z.enum(REFUSAL_CODES).optional() })
export const AdmittedSchema = z.object({ deviceId: z.string() }).openapi('Admitted')
export const AgentBindingInput = z
  .strictObject({ deviceId: z.string().max(MAX_DEVICE_ID) })
  .openapi('AgentBindingInput')
export const BindingInput = z.strictObject({ endpointId: text(256) }).openapi('BindingInput')

const Login = z.object({ username: text(256), password: text(256) }).openapi('Login')
export const CredentialInput = Login.extend({ connectionRequest: Login.optional() }).openapi('CredentialInput')

const ConflictSchema = z
  .object({
    id: z.string(),
    deviceId: z.string(),
    kind: z.enum(CONFLICT_KINDS),
    endpointId: z.string().describe('The Endpoint ID of the claim'),
    proof: BindingProofSchema,
    details: z.record(z.string(), z.string()).describe('The claim and the stored facts that contradict it'),
    at: time(),
    resolvedAt: time().optional(),
    resolution: z.enum(RESOLUTIONS).optional(),
    resolvedBy: z.string().optional(),
  })
  .openapi('Conflict')
export const ConflictPage = page('Conflict', ConflictSchema)
export const ConflictQuery = Paging.extend({ open: z.enum(['true', 'false']).optional() })
export const ResolutionInput = z
  .strictObject({ resolution: z.enum(RESOLUTIONS), deviceId: z.string().max(MAX_DEVICE_ID).optional() })
  .openapi('ResolutionInput')

const SupportedModelSchema = z
  .object({
    id: z.string(),
    key: z.string().describe('`manufacturer|model|softwareVersion`'),
    digest: z.string(),
    describedBy: z.array(z.string()).describe('Devices that described it so, at most ten'),
    confirmed: z.boolean().describe(`${CONFIRMED_BY} devices described it so: it is used for others of the model, too`),
    objectCount: z.number().int(),
    at: time(),
  })
  .openapi('SupportedModel')
export const SupportedModelPage = page('SupportedModel', SupportedModelSchema)
