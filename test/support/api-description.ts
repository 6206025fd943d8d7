import { openApiDocument } from '../../src/api/openapi.ts'
import { routesOf } from '../../src/api/routes/index.ts'
import type { RouteDeps } from '../../src/api/routes/ports.ts'
import { operationView } from '../../src/api/views/views.ts'
import type { Operation } from '../../src/domain/index.ts'
import { componentProblems, type OpenApi } from './json-schema.ts'

/** The routes of the API, to look at: their handlers have no parts. */
export const apiRoutes = routesOf({} as RouteDeps)
/** The description of the API that clients are generated from. */
export const apiDescription = JSON.parse(JSON.stringify(openApiDocument(apiRoutes, '0'))) as OpenApi

/** Returns the places where the answer that shows an operation does not match the description of its verb. */
export function operationProblems(operation: Operation): string[] {
  const { verb } = operation.request
  const name = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Operation`
  return componentProblems(apiDescription, name, operationView(operation))
}
