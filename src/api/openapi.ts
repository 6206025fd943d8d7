import type { Permission } from '../domain/index.ts'
import type { Route } from './http/route.ts'
import { OpenAPIRegistry, OpenApiGeneratorV31, z } from './http/zod.ts'
import { Facts, ProblemSchema } from './schemas/common.ts'
import { ProtocolSchema } from './schemas/device.ts'
import { OperationRequestSchema } from './schemas/operation-request.ts'
import { PlanStatusSchema } from './schemas/plan.ts'
import { DescriptionSchema, HealthSchema, ReadySchema } from './schemas/system.ts'

/** The paths that are served beside the routes. */
const SERVICE = [
  {
    path: '/healthz',
    summary: 'Liveness of the process',
    secured: false,
    answers: { 200: 'The process is alive' },
    type: 'application/json',
    schema: HealthSchema,
  },
  {
    path: '/readyz',
    summary: 'Readiness of the server: its database answers',
    secured: false,
    answers: { 200: 'The server is ready', 503: 'The server is not ready, with the reason' },
    type: 'application/json',
    schema: ReadySchema,
  },
  {
    path: '/api/v1/openapi.json',
    summary: 'This description',
    secured: true,
    answers: { 200: 'OpenAPI 3.1' },
    type: 'application/json',
    schema: DescriptionSchema,
  },
  {
    path: '/metrics',
    summary: 'Metrics for Prometheus; send the API key as a bearer token',
    secured: true,
    answers: { 200: 'Text in Prometheus format' },
    type: 'text/plain',
    schema: z.string(),
  },
]

/** The proofs of permissions that no API key gives. */
const SCHEME_OF: Partial<Record<Permission, string>> = {
  'bridge.register': 'bridgeToken',
  'bridge.serve': 'bridgeSignature',
}

const PROBLEM = { description: 'A problem', content: { 'application/problem+json': { schema: ProblemSchema } } }

/** Returns the OpenAPI 3.1 document of the routes, made of the declarations that serve and validate. */
export function openApiDocument(routes: Route[], version: string): object {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key: `isthmus_...`',
  })
  registry.registerComponent('securitySchemes', 'bridgeToken', {
    type: 'http',
    scheme: 'bearer',
    description: 'The token of a bridge, from POST /bridges: `isthmus-bridge_...`',
  })
  registry.registerComponent('securitySchemes', 'bridgeSignature', {
    type: 'apiKey',
    in: 'header',
    name: 'Signature',
    description:
      'A signature (RFC 9421) with the key of the certificate of a bridge over @method, @path, @query and, with a body, content-digest',
  })
  // Described further where they are used: the component itself keeps its own description.
  registry.register('Facts', Facts)
  registry.register('Protocol', ProtocolSchema)
  registry.register('OperationRequest', OperationRequestSchema)
  registry.register('PlanStatus', PlanStatusSchema)
  for (const route of routes) {
    registry.registerPath({
      method: route.method,
      path: `/api/v1${route.path}`,
      operationId: route.id,
      tags: [route.tag],
      summary: route.summary,
      ...(route.description === undefined ? {} : { description: route.description }),
      security: [{ [SCHEME_OF[route.permission] ?? 'apiKey']: [] }],
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
                content: { [route.bodyType ?? 'application/json']: { schema: route.body } },
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
  for (const { path, summary, secured, answers, type, schema } of SERVICE) {
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
            { description, content: { [type]: { schema } } },
          ]),
        ),
        ...(secured ? { default: PROBLEM } : {}),
      },
    })
  }
  const generator = new OpenApiGeneratorV31(registry.definitions, { unionPreferredType: 'oneOf' })
  const document = generator.generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Isthmus',
      version,
      description: 'Devices over CWMP and USP, one record each, and the migration from one to the other.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
  })
  return JSON.parse(JSON.stringify(document), withPlainReference) as object
}

/**
 * Returns a reference with a description of its own as OpenAPI 3.1 has it, `{ $ref, description }`. The generator
 * writes `allOf`, which client generators refuse for a component that is no object.
 */
function withPlainReference(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('allOf' in value) || !Array.isArray(value.allOf)) return value
  const [reference, more, ...rest]: unknown[] = value.allOf
  const isPlain = rest.length === 0 && hasOnly(reference, '$ref') && hasOnly(more, 'description')
  return isPlain && hasOnly(value, 'allOf') ? Object.assign({}, reference, more) : value
}

function hasOnly(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === key
}
