import { setMaxListeners } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import helmet from 'helmet'
import {
  AppError,
  Connections,
  createWebServer,
  endsWithin,
  type Lifecycle,
  type Log,
  limitLines,
  listen,
  portOf,
  randomToken,
  renewCertificate,
} from '../base/index.ts'
import { actorText, isOfBridge, type Permission, type Principal } from '../domain/index.ts'
import { hasDigest } from '../security/index.ts'
import { docsPage } from './docs-page.ts'
import { ApiAuth } from './http/auth.ts'
import { BridgeAuth } from './http/bridge-auth.ts'
import { cors } from './http/cors.ts'
import { cursorsOf } from './http/cursors.ts'
import { express, type NextFunction, type Request, type Response } from './http/express.ts'
import { checked, expressPath, hasBody, InputError, pathParams, queryParams } from './http/input.ts'
import { HttpRefusal, type Problem, problemOf } from './http/problem.ts'
import type { Call, Route } from './http/route.ts'
import { openApiDocument } from './openapi.ts'
import type { ApiDeps } from './ports.ts'
import { routesOf } from './routes/index.ts'

const MAX_BODY = '256kb'
/** Log lines about requests that show no key, which any stranger causes. */
const LINES_PER_MINUTE = 60
const STOP_MS = 5000
const LINGER_MS = 20

/** The REST API under /api/v1, health and metrics. */
export class Api implements Lifecycle {
  readonly name = 'REST API'
  readonly #deps: ApiDeps
  readonly #routes: Route[]
  readonly #auth: ApiAuth
  readonly #bridges: BridgeAuth
  readonly #observe: (labels: Record<string, string>, value: number) => void
  readonly #stopping = manyListeners(new AbortController())
  /** The principal of each request that passed the check of its route. */
  readonly #principals = new WeakMap<Request, Principal>()
  readonly #connections: Connections
  readonly #lines: Log
  #server: Server | undefined

  constructor(deps: ApiDeps) {
    this.#deps = deps
    this.#lines = limitLines(deps.log, deps.clock, LINES_PER_MINUTE)
    const max = deps.maxConnections
    // One address may be that of a proxy.
    this.#connections = new Connections({ max, maxPerAddress: max, isShared: () => true })
    this.#auth = new ApiAuth(deps.apiKeys, deps.clock)
    this.#bridges = new BridgeAuth(deps)
    this.#routes = routesOf({ ...deps, forgetKey: (id) => this.#auth.forget(id) })
    this.#observe = deps.metrics.histogram('isthmus_http_request_duration_seconds', 'Duration of API requests', [
      'route',
      'method',
      'status',
    ])
  }

  get port(): number {
    return portOf(this.#server)
  }

  async start(): Promise<void> {
    const limits = {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16_384,
      connectionsCheckingInterval: 5000,
    }
    const { tls } = this.#deps
    const server = createWebServer(
      limits,
      tls === undefined ? undefined : { ...tls, handshakeTimeout: 10_000 },
      this.#app(),
    )
    this.#server = server
    server.on('connection', (socket) => this.#connections.add(socket))
    const { host, port, log } = this.#deps
    await listen(server, { host, port }, (err) => log.error({ err }, 'API listener error'))
  }

  /**
   * Shows this certificate on new connections; does nothing without TLS. Throws when the certificate cannot be used.
   */
  renewCertificate(files: { cert: string; key: string }): void {
    renewCertificate(this.#server, files)
  }

  /** Answers the requests under way, those that wait for an operation with its present state, and ends streams. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#stopping.abort()
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    // A connection whose request was answered since is idle, and nothing else closes it.
    const idle = setInterval(() => server.closeIdleConnections(), LINGER_MS)
    await endsWithin(closed, STOP_MS, this.#deps.clock)
    clearInterval(idle)
    server.closeAllConnections()
  }

  #app(): ReturnType<typeof express> {
    const app = express()
    app.disable('x-powered-by')
    app.set('query parser', 'simple')
    app.set('etag', false)
    app.use(
      helmet({
        // For this host only: other hosts of its domain may serve plain HTTP.
        strictTransportSecurity: this.#deps.tls === undefined ? false : { includeSubDomains: false },
        // Not the defaults: over plain HTTP they make a browser ask for the page's own files over HTTPS.
        contentSecurityPolicy: {
          useDefaults: false,
          directives: {
            defaultSrc: ["'none'"],
            scriptSrc: ["'self'"],
            styleSrc: ["'self'"],
            connectSrc: ["'self'"],
            baseUri: ["'none'"],
            formAction: ["'none'"],
            frameAncestors: ["'none'"],
          },
        },
      }),
    )
    app.use((request: Request, response: Response, next: NextFunction) => {
      this.#follow(request, response)
      next()
    })
    app.use(cors(this.#deps.corsOrigins ?? []))
    app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
    app.get('/readyz', (_request, response) => this.#ready(response))
    app.get('/metrics', this.#requires('metrics.read'), (_request, response, next) =>
      this.#metrics(response).catch(next),
    )
    this.#documents(app)
    const json = express.json({
      limit: MAX_BODY,
      strict: true,
      type: ['application/json', 'application/*+json'],
      verify: checkDigest,
    })
    const csv = express.text({ limit: MAX_BODY, type: 'text/csv', verify: checkDigest })
    for (const route of this.#routes) {
      app[route.method](
        expressPath(route.path),
        this.#authorize(route),
        route.bodyType === 'text/csv' ? csv : json,
        (request: Request, response: Response, next: NextFunction) => {
          this.#serve(route, request, response).catch(next)
        },
      )
    }
    this.#otherMethods(app)
    app.use((request: Request, _response: Response, next: NextFunction) =>
      next(
        new AppError(
          'notFound',
          `nothing is served at ${request.method} ${request.path.slice(0, 200)}; the paths are at /api/v1/docs/`,
        ),
      ),
    )
    app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
      this.#fail(error, request, response),
    )
    return app
  }

  /**
   * Gives each request an id, which its answer and its log line have. Changes and failures are logged as `info`, reads
   * as `debug`.
   */
  #follow(request: Request, response: Response): void {
    const given = request.get('x-request-id') ?? ''
    const requestId = /^[\w.-]{1,64}$/.test(given) ? given : randomToken(this.#deps.random, 9)
    response.locals.requestId = requestId
    response.setHeader('x-request-id', requestId)
    const started = performance.now()
    response.on('finish', () => {
      const { statusCode: status } = response
      const seconds = (performance.now() - started) / 1000
      // The time of a stream is that of its reader.
      if (response.locals.isStream !== true)
        this.#observe({ route: routeOf(request, response), method: methodOf(request), status: String(status) }, seconds)
      const principal = this.#principals.get(request)
      const quiet = status < 400 && (request.method === 'GET' || request.method === 'HEAD')
      const log = principal === undefined ? this.#lines : this.#deps.log
      log[quiet ? 'debug' : 'info'](
        {
          requestId,
          method: request.method,
          path: request.path.slice(0, 400),
          status,
          ms: Math.round(seconds * 1000),
          ...(principal === undefined ? {} : { actor: actorText(principal) }),
        },
        'API request',
      )
    })
  }

  /** Answers 405 for methods that a served path does not have, with those that it has. */
  #otherMethods(app: ReturnType<typeof express>): void {
    const methods = new Map<string, Set<string>>()
    for (const { path, method } of this.#routes) {
      const served = methods.get(path) ?? new Set(['OPTIONS'])
      served.add(method.toUpperCase())
      if (method === 'get') served.add('HEAD')
      methods.set(path, served)
    }
    for (const [path, served] of methods) {
      const allow = [...served].sort().join(', ')
      app.all(expressPath(path), (request: Request, response: Response, next: NextFunction) => {
        if (request.method === 'OPTIONS') return void response.status(204).setHeader('allow', allow).end()
        next(new HttpRefusal(405, `${path} does not serve ${request.method}; use one of ${allow}`, { allow }))
      })
    }
  }

  /** Serves the description, which needs a key, and the page that shows it, which needs none. */
  #documents(app: ReturnType<typeof express>): void {
    const document = JSON.stringify(openApiDocument(this.#routes, this.#deps.version))
    app.get(
      '/api/v1/openapi.json',
      this.#requires('description.read'),
      (_request, response) => void response.type('application/json').send(document),
    )
    for (const { name, type, body } of docsPage())
      app.get(`/api/v1/docs/${name}`, (request, response) =>
        name !== '' || request.path.endsWith('/')
          ? void response.type(type).send(body)
          : response.redirect('/api/v1/docs/'),
      )
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

  async #metrics(response: Response): Promise<void> {
    const { contentType, text } = await this.#deps.metrics.render()
    response.setHeader('content-type', contentType)
    response.end(text)
  }

  /** Checks the permission of a route before the body is read, and keeps the principal for the handler. */
  #authorize(route: Route): (request: Request, response: Response, next: NextFunction) => void {
    return (request, response, next) => {
      response.locals.route = route.path
      this.#principal(request, route.permission).then((principal) => {
        this.#principals.set(request, principal)
        next()
      }, next)
    }
  }

  /** Checks the permission for what is served beside the routes. */
  #requires(permission: Permission): (request: Request, response: Response, next: NextFunction) => void {
    return (request, _response, next) => {
      this.#principal(request, permission).then(() => next(), next)
    }
  }

  /**
   * Returns the principal behind a request, whose connection is not closed to make room for others. AppError when the
   * request shows no key, or one without the permission.
   */
  async #principal(request: Request, permission: Permission): Promise<Principal> {
    const principal = await this.#identify(request, permission)
    this.#connections.prove(request.socket)
    return principal
  }

  #identify(request: Request, permission: Permission): Promise<Principal> {
    if (isOfBridge(permission)) {
      const [path = '', query] = request.originalUrl.split('?', 2)
      return this.#bridges.check(
        {
          method: request.method,
          path,
          query: query === undefined ? '' : `?${query}`,
          address: request.ip ?? '',
          hasBody: hasBody(request),
          header: (name) => request.get(name),
        },
        permission,
      )
    }
    const given = { authorization: request.headers.authorization, key: request.get('x-api-key') }
    return this.#auth.check(given, request.ip ?? '', permission)
  }

  async #stillMay(route: Route, request: Request): Promise<boolean> {
    try {
      await this.#principal(request, route.permission)
      return true
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthorized') return false
      throw error
    }
  }

  async #serve(route: Route, request: Request, response: Response): Promise<void> {
    const principal = this.#principals.get(request)
    if (principal === undefined) throw new AppError('internal', `${route.id} was reached without a principal`)
    if (route.body !== undefined && hasBody(request) && request.body === undefined)
      throw wrongType(route.bodyType ?? 'application/json')
    const call: Call<unknown, unknown, unknown> = {
      address: request.ip ?? '',
      params: checked(route.params, pathParams(route, request), 'path'),
      query: checked(route.query, queryParams(route, request), 'query'),
      body: checked(route.body, request.body, 'body'),
      principal,
      header: (name) => request.get(name),
      allowed: () => this.#stillMay(route, request),
      stopping: this.#stopping.signal,
    }
    if (route.stream !== undefined) {
      if (request.method !== 'HEAD') {
        response.locals.isStream = true
        return route.stream(call, request, response)
      }
      response.status(200).type('text/event-stream').end()
      return
    }
    const cursors = cursorsOf(route, call)
    const {
      status = 200,
      headers,
      body,
    } = await route.handle(cursors === undefined ? call : { ...call, query: cursors.query })
    response.status(status)
    if (this.#stopping.signal.aborted) response.setHeader('connection', 'close')
    for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
    if (body === undefined) response.end()
    else response.json(cursors === undefined ? body : cursors.marked(body))
  }

  #fail(error: unknown, request: Request, response: Response): void {
    const problem: Problem =
      error instanceof InputError ? { ...problemOf(error), errors: error.errors } : problemOf(error)
    if (problem.status >= 500) {
      const requestId = String(response.locals.requestId ?? '')
      problem.detail += ` (request ${requestId})`
      this.#deps.log.error({ err: error, requestId, method: request.method, path: request.path }, 'API request failed')
    }
    if (response.headersSent) {
      response.destroy()
      return
    }
    if (error instanceof HttpRefusal)
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
    if (problem.status === 429) response.setHeader('retry-after', '60')
    if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer realm="isthmus"')
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem))
  }
}

/** Refuses a body that has another digest than its Content-Digest (RFC 9530) says. */
function checkDigest(request: IncomingMessage, _response: ServerResponse, body: Buffer): void {
  const shown = request.headers['content-digest']
  if (shown !== undefined && (Array.isArray(shown) || !hasDigest(body, shown)))
    throw new AppError('invalid', 'the body does not have the digest of its Content-Digest, which takes sha-256')
}

function wrongType(type: string): HttpRefusal {
  return new HttpRefusal(415, `the body is not ${type}; send it with Content-Type: ${type}`, { accept: type })
}

/** The label of a metric: the path of the route, or `other`. */
function routeOf(request: Request, response: Response): string {
  const { route } = response.locals
  if (typeof route === 'string') return route
  const path: unknown = request.route?.path
  return typeof path === 'string' ? path : 'other'
}

/** The label of a metric: the method, or `other`, so that the labels are bounded. */
function methodOf(request: Request): string {
  return /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(request.method) ? request.method.toLowerCase() : 'other'
}

/** Lifts the limit of listeners: every request that waits listens for the stop. */
function manyListeners(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal)
  return controller
}
