import { createServer, type Server } from 'node:http'
import helmet from 'helmet'
import { AppError, type Lifecycle, randomToken } from '../base/index.ts'
import { ApiAuth } from './auth.ts'
import { DOCS_CSS, DOCS_HTML, DOCS_JS } from './docs-page.ts'
import { express, type NextFunction, type Request, type Response } from './express.ts'
import { openApiDocument } from './openapi.ts'
import type { ApiDeps } from './ports.ts'
import { type Problem, problemOf } from './problem.ts'
import type { Call, Route } from './route.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { deviceRoutes } from './routes/devices.ts'
import { eventRoutes } from './routes/events.ts'
import { groupRoutes } from './routes/groups.ts'
import { operationRoutes } from './routes/operations.ts'
import { planRoutes } from './routes/plans.ts'
import { systemRoutes } from './routes/system.ts'
import type { z } from './zod.ts'

const MAX_BODY = '256kb'
const STOP_MS = 5000

/** The REST API under /api/v1, health and metrics. */
export class Api implements Lifecycle {
  readonly name = 'REST API'
  readonly #deps: ApiDeps
  readonly #routes: Route[]
  readonly #auth: ApiAuth
  readonly #observe: (labels: Record<string, string>, value: number) => void
  #server: Server | undefined

  constructor(deps: ApiDeps) {
    this.#deps = deps
    this.#auth = new ApiAuth(deps.apiKeys, deps.clock)
    this.#routes = [
      deviceRoutes,
      credentialRoutes,
      operationRoutes,
      groupRoutes,
      planRoutes,
      eventRoutes,
      systemRoutes,
    ].flatMap((make) => make(deps))
    this.#observe = deps.metrics.histogram('isthmus_http_seconds', 'Duration of API requests', [
      'route',
      'method',
      'status',
    ])
  }

  get port(): number {
    const address = this.#server?.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async start(): Promise<void> {
    const server = createServer(
      {
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        keepAliveTimeout: 65_000,
        maxHeaderSize: 16_384,
        connectionsCheckingInterval: 5000,
      },
      this.#app(),
    )
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#deps.port, this.#deps.host, () => {
        server.off('error', reject)
        server.on('error', (err) => this.#deps.log.error({ err }, 'API listener error'))
        resolve()
      })
    })
  }

  /** Requests under way may end; streams are cut. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const limit = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref())
    await Promise.race([closed, limit])
    server.closeAllConnections()
  }

  #app(): ReturnType<typeof express> {
    const app = express()
    app.disable('x-powered-by')
    app.set('query parser', 'simple')
    app.set('etag', false)
    app.use(
      helmet({
        contentSecurityPolicy: {
          directives: { defaultSrc: ["'none'"], scriptSrc: ["'self'"], styleSrc: ["'self'"], connectSrc: ["'self'"] },
        },
      }),
    )
    app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
    app.get('/readyz', (_request, response) => this.#ready(response))
    app.get('/metrics', (request, response, next) => this.#metrics(request, response).catch(next))
    this.#documents(app)
    const json = express.json({ limit: MAX_BODY, strict: true, type: ['application/json', 'application/*+json'] })
    for (const route of this.#routes) {
      const path = `/api/v1${route.path.replace(/\{(\w+)\}/g, ':$1')}`
      app[route.method](
        path,
        this.#authorize(route),
        json,
        (request: Request, response: Response, next: NextFunction) => {
          this.#serve(route, request, response).catch(next)
        },
      )
    }
    app.use((request: Request, _response: Response, next: NextFunction) =>
      next(
        new AppError('notFound', `${request.method} ${request.path.slice(0, 200)} is not served; see /api/v1/docs/`),
      ),
    )
    app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
      this.#fail(error, request, response),
    )
    return app
  }

  /** The description and its page hold nothing secret and are open. */
  #documents(app: ReturnType<typeof express>): void {
    const document = JSON.stringify(openApiDocument(this.#routes, this.#deps.version))
    app.get(
      ['/api/v1/openapi.json', '/api/v1/docs/openapi.json'],
      (_request, response) => void response.type('application/json').send(document),
    )
    app.get('/api/v1/docs', (request, response) =>
      request.path.endsWith('/') ? void response.type('html').send(DOCS_HTML) : response.redirect('/api/v1/docs/'),
    )
    app.get('/api/v1/docs/docs.css', (_request, response) => void response.type('css').send(DOCS_CSS))
    app.get('/api/v1/docs/docs.js', (_request, response) => void response.type('js').send(DOCS_JS))
    app.get('/', (_request, response) => response.redirect('/api/v1/docs/'))
  }

  #ready(response: Response): void {
    this.#deps.ready().then(
      () => response.json({ status: 'ready' }),
      (error: unknown) =>
        response
          .status(503)
          .json({ status: 'not ready', reason: error instanceof Error ? error.message : String(error) }),
    )
  }

  async #metrics(request: Request, response: Response): Promise<void> {
    await this.#auth.check(
      { authorization: request.headers.authorization, key: request.get('x-api-key') },
      request.ip ?? '',
      'read',
    )
    const { contentType, text } = await this.#deps.metrics.render()
    response.setHeader('content-type', contentType)
    response.end(text)
  }

  /** Before the body is read: who may not ask need not be listened to. */
  #authorize(route: Route): (request: Request, response: Response, next: NextFunction) => void {
    return (request, response, next) => {
      if (route.scope === 'open') return next()
      this.#auth
        .check(
          { authorization: request.headers.authorization, key: request.get('x-api-key') },
          request.ip ?? '',
          route.scope,
        )
        .then((key) => {
          response.locals.actor = `apiKey:${key.id}`
          next()
        }, next)
    }
  }

  async #serve(route: Route, request: Request, response: Response): Promise<void> {
    const started = performance.now()
    const call: Call<unknown, unknown, unknown> = {
      params: checked(route.params, request.params, 'path'),
      query: checked(route.query, request.query, 'query'),
      body: checked(route.body, request.body, 'body'),
      actor: String(response.locals.actor ?? 'nobody'),
      header: (name) => request.get(name),
    }
    if (route.stream !== undefined) return route.stream(call, request, response)
    const { status = 200, headers, body } = await route.handle(call)
    response.status(status)
    for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
    if (body === undefined) response.end()
    else response.json(body)
    this.#observe(
      { route: route.path, method: route.method, status: String(status) },
      (performance.now() - started) / 1000,
    )
  }

  #fail(error: unknown, request: Request, response: Response): void {
    const problem: Problem =
      error instanceof InputError ? { ...problemOf(error), errors: error.errors } : problemOf(error)
    if (problem.status >= 500) {
      const requestId = randomToken(this.#deps.random, 6)
      problem.detail += ` (${requestId})`
      this.#deps.log.error({ err: error, requestId, method: request.method, path: request.path }, 'API request failed')
    }
    this.#observe({ route: 'error', method: request.method.toLowerCase(), status: String(problem.status) }, 0)
    if (response.headersSent) {
      response.destroy()
      return
    }
    if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer realm="isthmus"')
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem))
  }
}

/** A request that its schema refuses, with the places. */
class InputError extends AppError {
  readonly errors: { path: string; message: string }[]
  constructor(errors: { path: string; message: string }[]) {
    super(
      'invalid',
      errors
        .map(({ path, message }) => `${path}: ${message}`)
        .join('; ')
        .slice(0, 1000),
    )
    this.errors = errors
  }
}

function checked(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (schema === undefined) return undefined
  const result = schema.safeParse(value ?? (where === 'body' ? undefined : {}))
  if (result.success) return result.data
  throw new InputError(
    result.error.issues
      .slice(0, 20)
      .map((issue) => ({ path: [where, ...issue.path.map(String)].join('.'), message: issue.message })),
  )
}
