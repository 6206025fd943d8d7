import type { Route } from './http/route.ts'
import { OpenAPIRegistry, OpenApiGeneratorV31, z } from './http/zod.ts'
import { ProblemSchema } from './schemas/schemas.ts'

/** What is served beside the API. */
const SERVICE = [
  {
    path: '/healthz',
    summary: 'Whether the process is alive',
    secured: false,
    answers: { 200: 'It is' },
    type: 'application/json',
  },
  {
    path: '/readyz',
    summary: 'Whether the server can serve: its database answers',
    secured: false,
    answers: { 200: 'It can', 503: 'It cannot, with the reason' },
    type: 'application/json',
  },
  {
    path: '/api/v1/openapi.json',
    summary: 'This description',
    secured: true,
    answers: { 200: 'OpenAPI 3.1' },
    type: 'application/json',
  },
  {
    path: '/metrics',
    summary: 'Metrics for Prometheus; send the API key as a bearer token',
    secured: true,
    answers: { 200: 'Text in Prometheus format' },
    type: 'text/plain',
  },
] as const

const PROBLEM = { description: 'A problem', content: { 'application/problem+json': { schema: ProblemSchema } } }

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
        ...(route.headers === undefined
          ? {}
          : {
              headers: z.object(
                Object.fromEntries(
                  Object.entries(route.headers).map(([name, what]) => [name, z.string().optional().describe(what)]),
                ),
              ),
            }),
        ...(route.body === undefined
          ? {}
          : {
              body: {
                required: !route.body.safeParse(undefined).success,
                content: { 'application/json': { schema: route.body } },
              },
            }),
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
        default: PROBLEM,
      },
    })
  }
  for (const { path, summary, secured, answers, type } of SERVICE) {
    registry.registerPath({
      method: 'get',
      path,
      tags: ['System'],
      operationId: path.replace(/^.*\//, '').replace(/\W.*$/, ''),
      summary,
      ...(secured ? { security: [{ apiKey: [] }] } : { security: [] }),
      responses: {
        ...Object.fromEntries(
          Object.entries(answers).map(([status, description]) => [
            status,
            { description, content: { [type]: { schema: type === 'text/plain' ? z.string() : z.object({}).loose() } } },
          ]),
        ),
        ...(secured ? { default: PROBLEM } : {}),
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
