import { defined } from '../../base/index.ts'
import { actorText } from '../../domain/index.ts'
import { createKey, revokeKey } from '../../security/index.ts'
import { type Route, route } from '../http/route.ts'
import { IdParam, Paging } from '../schemas/common.ts'
import { ApiKeyInput, ApiKeyPage, CreatedApiKeySchema } from '../schemas/system.ts'
import { apiKeyView } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'System'

/** API keys. */
export function apiKeyRoutes(deps: RouteDeps): Route[] {
  const { apiKeys } = deps
  return [
    route({
      method: 'get',
      path: '/api-keys',
      id: 'listApiKeys',
      tag,
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
      tag,
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
      tag,
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
  ]
}
