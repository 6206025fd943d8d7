import { defined } from '../../base/index.ts'
import { type Route, route } from '../http/route.ts'
import { Paging } from '../schemas/common.ts'
import { ModelPage } from '../schemas/model.ts'
import { modelView } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

/** Models of devices, and how much of their trees is known under TR-181. */
export function modelRoutes({ mappingCoverage }: RouteDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/models',
      id: 'listModels',
      tag: 'Devices',
      summary: 'Models and firmware, with the share of their trees that is known under TR-181',
      description:
        'Counted at the end of discoveries. `unmapped` and `silent` say which rows to write next for a model.',
      permission: 'devices.read',
      query: Paging,
      responses: {
        200: { description: 'A page of models, in the order of make, model and firmware', schema: ModelPage },
      },
      async handle({ query }) {
        const found = await mappingCoverage.list(defined(query))
        return { body: { ...found, items: found.items.map(modelView) } }
      },
    }),
  ]
}
