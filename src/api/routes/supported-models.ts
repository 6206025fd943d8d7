import { AppError } from '../../base/index.ts'
import { CONFIRMED_BY, isConfirmed, type SupportedModelSummary } from '../../domain/index.ts'
import { audited } from '../../security/index.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import type { ApiDeps } from '../ports.ts'
import { IdParam, Paging, page } from '../schemas/schemas.ts'
import { withTimes } from '../views/views.ts'

const SupportedModelSchema = z
  .object({
    id: z.string(),
    key: z.string().describe('`manufacturer|model|softwareVersion`'),
    digest: z.string(),
    toldBy: z.array(z.string()).describe('Devices that described it so, at most ten'),
    confirmed: z.boolean().describe(`${CONFIRMED_BY} devices described it so: it holds for others of the model, too`),
    objectCount: z.number().int(),
    at: z.string(),
  })
  .openapi('SupportedModel')

function view(model: SupportedModelSummary): Record<string, unknown> {
  return { ...withTimes(model), confirmed: isConfirmed(model) }
}

/** Data models as USP Agents described them. */
export function supportedModelRoutes({ supportedModels, audit, clock }: ApiDeps): Route[] {
  const tag = 'Supported models'
  return [
    route({
      method: 'get',
      path: '/supported-models',
      id: 'listSupportedModels',
      tag,
      summary: 'Data models that USP Agents described (GetSupportedDM), per model and firmware',
      description:
        'Several of one key contradict each other: the event `supportedModel.contradicted` tells of it. One that only one device told holds for that device alone.',
      scope: 'read',
      query: Paging,
      responses: { 200: { description: 'A page of models', schema: page(SupportedModelSchema) } },
      async handle({ query }) {
        const { limit, cursor } = query
        const found = await supportedModels.list({ limit, ...(cursor === undefined ? {} : { cursor }) })
        return { body: { ...found, items: found.items.map(view) } }
      },
    }),
    route({
      method: 'delete',
      path: '/supported-models/{id}',
      id: 'deleteSupportedModel',
      tag,
      summary: 'Drop what Agents told of their data model',
      description:
        'Agents of the model are asked again when they arrive: at once on the instance that is asked, after a restart on others.',
      scope: 'write',
      params: IdParam,
      responses: { 204: { description: 'Dropped' } },
      async handle({ params, actor }) {
        const model = await supportedModels.get(params.id)
        if (model === undefined) throw new AppError('notFound', `there is no supported model ${params.id}`)
        const at = clock.now()
        const { key, digest, toldBy } = model
        const entry = { at, actor, action: 'supportedModel.delete', target: model.id, before: { key, digest, toldBy } }
        const data = { id: model.id, model: key, by: actor }
        await audited(audit, entry, () =>
          supportedModels.delete(model.id, { type: 'supportedModel.deleted', at, protocol: 'usp', data }),
        )
        return { status: 204 }
      },
    }),
  ]
}
