import { defined } from '../../base/index.ts'
import { deleteSupportedModel } from '../../desk/index.ts'
import { type Route, route } from '../http/route.ts'
import { SupportedModelPage } from '../schemas/agent.ts'
import { IdParam, Paging } from '../schemas/common.ts'
import { supportedModelView } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Supported models'

/** Data models as USP Agents described them. */
export function supportedModelRoutes(deps: RouteDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/supported-models',
      id: 'listSupportedModels',
      tag,
      summary: 'Data models that USP Agents described (GetSupportedDM), per model and firmware',
      description:
        'Several of one key contradict each other; each contradiction is an event `supportedModel.contradicted`. ' +
        'A description by one device alone is used for that device only.',
      permission: 'supportedModels.read',
      query: Paging,
      responses: { 200: { description: 'A page of models', schema: SupportedModelPage } },
      async handle({ query }) {
        const found = await deps.supportedModels.list(defined(query))
        return { body: { ...found, items: found.items.map(supportedModelView) } }
      },
    }),
    route({
      method: 'delete',
      path: '/supported-models/{id}',
      id: 'deleteSupportedModel',
      tag,
      summary: 'Delete a description of a data model',
      description:
        'Agents of the model are asked again when they connect: at once on this server instance, after a restart on others.',
      permission: 'supportedModels.write',
      params: IdParam,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, principal }) {
        await deleteSupportedModel(deps, params.id, principal)
        return { status: 204 }
      },
    }),
  ]
}
