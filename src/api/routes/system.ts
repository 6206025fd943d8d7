import { AppError, defined } from '../../base/index.ts'
import { bindByOperator, MAX_DEVICE_ID } from '../../domain/index.ts'
import { audited, createKey, revokeKey } from '../../security/index.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import type { RouteDeps } from '../ports.ts'
import { Any, IdParam, Paging, page } from '../schemas/schemas.ts'
import { withTimes } from '../views/views.ts'

/** Audit entries that one request follows: about a second on a slow machine. */
const MAX_VERIFIED = 5000

/** Conflicts, API keys, audit. */
export function systemRoutes(deps: RouteDeps): Route[] {
  const { clock, audit, apiKeys } = deps
  return [
    route({
      method: 'get',
      path: '/conflicts',
      id: 'listConflicts',
      tag: 'Conflicts',
      summary: 'Claims of identity that contradict each other',
      scope: 'read',
      query: Paging.extend({ open: z.enum(['true', 'false']).optional() }),
      responses: { 200: { description: 'A page of conflicts', schema: page(Any) } },
      async handle({ query }) {
        const found = await deps.conflicts.list({
          limit: query.limit,
          ...(query.open === undefined ? {} : { open: query.open === 'true' }),
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        })
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
    route({
      method: 'post',
      path: '/conflicts/{id}/resolution',
      id: 'resolveConflict',
      tag: 'Conflicts',
      summary: 'Decide a conflict',
      description:
        'bound: the Endpoint ID belongs to the device from now on, whatever its Agent says of itself: to the device of the conflict, or to the claimed one when `deviceId` names it. dismissed: everything stays as it was.',
      scope: 'write',
      params: IdParam,
      body: z.strictObject({
        resolution: z.enum(['bound', 'dismissed']),
        deviceId: z.string().max(MAX_DEVICE_ID).optional(),
      }),
      responses: { 204: { description: 'Decided' } },
      async handle({ params, body, actor }) {
        const conflict = await deps.conflicts.get(params.id)
        if (conflict === undefined) throw new AppError('notFound', `there is no conflict ${params.id}`)
        const decided = () => new AppError('conflict', `conflict ${params.id} was decided already`)
        if (conflict.resolvedAt !== undefined) throw decided()
        const now = clock.now()
        const deviceId = body.deviceId === undefined ? conflict.deviceId : readDeviceId(body.deviceId)
        const entry = {
          at: now,
          actor,
          action: 'conflict.resolve',
          target: conflict.deviceId,
          before: { ...conflict.details, endpointId: conflict.endpointId },
          after: { conflict: params.id, resolution: body.resolution, deviceId },
        }
        await audited(audit, entry, async () => {
          if (body.resolution === 'bound') await bindByOperator(conflict, deviceId, deps.devices, now)
          if (!(await deps.conflicts.resolve(params.id, body.resolution, actor, now))) throw decided()
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'get',
      path: '/api-keys',
      id: 'listApiKeys',
      tag: 'System',
      summary: 'List API keys, without their secrets',
      scope: 'write',
      query: Paging,
      responses: { 200: { description: 'A page of keys, revoked ones included', schema: page(Any) } },
      async handle({ query }) {
        const found = await apiKeys.list(defined(query))
        return { body: { ...found, items: found.items.map(({ hash: _hash, ...key }) => withTimes(key)) } }
      },
    }),
    route({
      method: 'post',
      path: '/api-keys',
      id: 'createApiKey',
      tag: 'System',
      summary: 'Create an API key',
      description: 'The text of the key is in this answer and never again.',
      scope: 'write',
      body: z.strictObject({ name: z.string().min(1).max(100), scope: z.enum(['read', 'write']) }),
      responses: {
        201: { description: 'The key with its text', schema: z.object({ id: z.string(), key: z.string() }).loose() },
      },
      async handle({ body, actor }) {
        const { key, text } = await createKey(deps, body, actor)
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
        'At once on the instance that is asked, within ten seconds on others. The last key that may write stays.',
      scope: 'write',
      params: IdParam,
      responses: { 204: { description: 'Revoked' } },
      async handle({ params, actor }) {
        await revokeKey(deps, params.id, actor)
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
      description: `intact: every entry follows from the one before, and none was made without the server key. At most ${MAX_VERIFIED} entries in one answer: while it has \`more\`, ask again with its entries and lastHash. Entries cut off at the end leave no trace in the chain: keep entries and lastHash elsewhere and go on from them later; the answer is not intact when that entry is gone.`,
      scope: 'read',
      query: z
        .object({
          entries: z.coerce
            .number()
            .int()
            .min(1)
            .optional()
            .describe('`entries` of an earlier answer: go on from there'),
          lastHash: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional()
            .describe('`lastHash` of that answer'),
        })
        .refine(({ entries, lastHash }) => (entries === undefined) === (lastHash === undefined), {
          message: 'entries and lastHash go together',
        }),
      responses: {
        200: {
          description: 'How far the chain holds',
          schema: z.object({
            intact: z.boolean(),
            entries: z.number().int(),
            lastHash: z.string(),
            firstBroken: z.number().int().optional().describe('seq of the first entry that does not follow'),
            more: z.literal(true).optional().describe('there are more entries behind these'),
          }),
        },
      },
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
      summary: 'The audit log, newest first: who did what, and how it ended',
      scope: 'read',
      query: Paging.extend({ target: z.string().max(MAX_DEVICE_ID).optional(), actor: z.string().max(200).optional() }),
      responses: {
        200: { description: 'A page of entries, each chained to the one before by hash', schema: page(Any) },
      },
      async handle({ query }) {
        const { target, actor, limit, cursor } = query
        const found = await audit.list({
          limit,
          ...(target === undefined ? {} : { target }),
          ...(actor === undefined ? {} : { actor }),
          ...(cursor === undefined ? {} : { cursor }),
        })
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
  ]
}
