import type { Route } from './route.ts'
import { ProblemSchema } from './schemas.ts'
import { OpenAPIRegistry, OpenApiGeneratorV31, z } from './zod.ts'

/** The OpenAPI 3.1 document of the routes: made of the same declarations that serve and validate. */
export function openApiDocument(routes: Route[], version: string): object {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key: `isthmus_...`',
  })
  for (const route of routes) {
    registry.registerPath({
      method: route.method,
      path: `/api/v1${route.path}`,
      operationId: route.id,
      tags: [route.tag],
      summary: route.summary,
      ...(route.description === undefined ? {} : { description: route.description }),
      ...(route.scope === 'open' ? {} : { security: [{ apiKey: [] }] }),
      request: {
        ...(route.params instanceof z.ZodObject ? { params: route.params } : {}),
        ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
        ...(route.body === undefined ? {} : { body: { content: { 'application/json': { schema: route.body } } } }),
      },
      responses: {
        ...Object.fromEntries(
          Object.entries(route.responses).map(([status, { description, schema, contentType }]) => [
            status,
            schema === undefined && contentType === undefined
              ? { description }
              : { description, content: { [contentType ?? 'application/json']: { schema: schema ?? z.string() } } },
          ]),
        ),
        default: { description: 'A problem', content: { 'application/problem+json': { schema: ProblemSchema } } },
      },
    })
  }
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Isthmus',
      version,
      description: 'Devices over CWMP and USP, one record each, and the migration from one to the other.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
  })
}
