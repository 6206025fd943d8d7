import { defined } from '../../base/index.ts'
import { resolveConflict } from '../../desk/index.ts'
import { actorText } from '../../domain/index.ts'
import { createKey, revokeKey } from '../../security/index.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { ConflictPage, ConflictQuery, ResolutionInput } from '../schemas/agent.ts'
import { IdParam, Paging } from '../schemas/common.ts'
import {
  ApiKeyInput,
  ApiKeyPage,
  AuditPage,
  AuditQuery,
  CreatedApiKeySchema,
  VerificationQuery,
  VerificationSchema,
} from '../schemas/system.ts'
import { apiKeyView, withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

/** Audit entries that one request follows: about a second on a slow machine. */
const MAX_VERIFIED = 5000

/** Conflicts, API keys, and the audit log. */
export function systemRoutes(deps: RouteDeps): Route[] {
  const { audit, apiKeys, conflicts } = deps
  return [
    route({
      method: 'get',
      path: '/conflicts',
      id: 'listConflicts',
      tag: 'Conflicts',
      summary: 'Conflicts of identity: a claim contradicts the stored bindings',
      permission: 'conflicts.read',
      query: ConflictQuery,
      responses: { 200: { description: 'A page of conflicts', schema: ConflictPage } },
      async handle({ query: { open, ...page } }) {
        const found = await conflicts.list(defined({ ...page, open: open === undefined ? undefined : open === 'true' }))
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
    route({
      method: 'post',
      path: '/conflicts/{id}/resolution',
      id: 'resolveConflict',
      tag: 'Conflicts',
      summary: 'Resolve a conflict',
      description:
        'bound: the Endpoint ID belongs to the device from now on, with any identity that its Agent shows: ' +
        'to the device of the conflict, or to the claimed one when `deviceId` names it. dismissed: no device changes.',
      permission: 'conflicts.write',
      params: IdParam,
      body: ResolutionInput,
      responses: { 204: { description: 'Resolved' } },
      async handle({ params, body: { resolution, deviceId }, principal }) {
        const chosen = deviceId === undefined ? undefined : readDeviceId(deviceId)
        await resolveConflict(deps, params.id, { resolution, deviceId: chosen }, principal)
        return { status: 204 }
      },
    }),
    route({
      method: 'get',
      path: '/api-keys',
      id: 'listApiKeys',
      tag: 'System',
      summary: 'List API keys, without their secrets',
      permission: 'apiKeys.read',
      query: Paging,
      responses: { 200: { description: 'A page of keys, revoked ones included', schema: ApiKeyPage } },
      async handle({ query }) {
        const found = await apiKeys.list(defined(query))
        return { body: { ...found, items: found.items.map(apiKeyView) } }
      },
    }),
    route({
      method: 'post',
      path: '/api-keys',
      id: 'createApiKey',
      tag: 'System',
      summary: 'Create an API key',
      description: 'The text of the key is in this answer and in no other.',
      permission: 'apiKeys.write',
      body: ApiKeyInput,
      responses: { 201: { description: 'The key with its text', schema: CreatedApiKeySchema } },
      async handle({ body, principal }) {
        const { key, text } = await createKey(deps, body, actorText(principal))
        return { status: 201, body: { id: key.id, name: key.name, scope: key.scope, key: text } }
      },
    }),
    route({
      method: 'delete',
      path: '/api-keys/{id}',
      id: 'revokeApiKey',
      tag: 'System',
      summary: 'Revoke an API key',
      description:
        'At once on this server instance, within ten seconds on others. The last key that may write cannot be revoked.',
      permission: 'apiKeys.write',
      params: IdParam,
      responses: { 204: { description: 'Revoked' } },
      async handle({ params, principal }) {
        await revokeKey(deps, params.id, actorText(principal))
        deps.forgetKey(params.id)
        return { status: 204 }
      },
    }),
    route({
      method: 'get',
      path: '/audit/verification',
      id: 'verifyAudit',
      tag: 'System',
      summary: 'Follow the hash chain of the audit log',
      description:
        'intact: every entry follows from the one before, and none was made without the server key. ' +
        `At most ${MAX_VERIFIED} entries in one answer: while it has \`more\`, ask again with its entries and ` +
        'lastHash. Entries cut off at the end leave no trace in the chain: ' +
        'keep entries and lastHash elsewhere and go on from them later; the answer is not intact when that entry is ' +
        'gone.',
      permission: 'audit.read',
      query: VerificationQuery,
      responses: { 200: { description: 'How far the chain holds', schema: VerificationSchema } },
      async handle({ query: { entries, lastHash } }) {
        const from = entries === undefined || lastHash === undefined ? undefined : { seq: entries, hash: lastHash }
        const verification = await audit.verify(MAX_VERIFIED, from)
        return { body: { intact: verification.firstBroken === undefined, ...verification } }
      },
    }),
    route({
      method: 'get',
      path: '/audit',
      id: 'listAudit',
      tag: 'System',
      summary: 'The audit log, newest first: actors, actions and results',
      permission: 'audit.read',
      query: AuditQuery,
      responses: {
        200: { description: 'A page of entries, each chained to the one before by hash', schema: AuditPage },
      },
      async handle({ query }) {
        const found = await audit.list(defined(query))
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
  ]
}
