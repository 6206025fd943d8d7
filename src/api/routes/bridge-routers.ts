import { AppError, defined } from '../../base/index.ts'
import {
  addRouter,
  changeRouter,
  deleteRouter,
  importRouters,
  type RouterChange,
  type RouterInput,
  readBridge,
  readRouter,
} from '../../desk/index.ts'
import { type BridgeRouter, type EndpointId, readRouterTable } from '../../domain/index.ts'
import { deleteIfMatch, withIfMatch } from '../http/if-match.ts'
import { InputError } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import type { z } from '../http/zod.ts'
import {
  type LoginSchema,
  RouterChangeSchema,
  RouterImportSchema,
  RouterInputSchema,
  RouterPage,
  RouterParams,
  RouterQuerySchema,
  RouterSchema,
  RouterTableSchema,
} from '../schemas/bridge.ts'
import { IdParam, IF_MATCH } from '../schemas/common.ts'
import { routerView } from '../views/bridges.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Bridges'

/** The routers of bridges. */
export function bridgeRouterRoutes(deps: RouteDeps): Route[] {
  /** With the record that has the Endpoint ID of its Agent, which may state another product class over CWMP. */
  const shown = async (router: BridgeRouter) => {
    const endpointId = router.state?.identity?.endpointId
    const bound = endpointId === undefined ? undefined : await deps.devices.findByEndpoint(endpointId as EndpointId)
    return routerView(router, bound?.id)
  }
  return [
    route({
      method: 'post',
      path: '/bridges/{id}/routers',
      id: 'addRouter',
      tag,
      summary: 'Add a router to a bridge',
      description:
        'Its login is sealed to the key of the bridge at once, and nobody else can read it afterwards, also this server. ' +
        '409 until the bridge has registered, and when it has a router at this address and port.',
      permission: 'bridges.write',
      params: IdParam,
      body: RouterInputSchema,
      responses: { 201: { description: 'The router', schema: RouterSchema } },
      async handle({ params, body, principal }) {
        const { login, port, fingerprint, snmp, snmpPort, ...settings } = body
        const more = defined({ port, fingerprint, snmp, snmpPort })
        const input: RouterInput = { ...settings, ...more, login: loginOf(login) }
        const router = await addRouter(deps, params.id, input, principal)
        const location = `/api/v1/bridges/${params.id}/routers/${router.id}`
        return { status: 201, headers: { etag: `"${router.revision}"`, location }, body: await shown(router) }
      },
    }),
    route({
      method: 'get',
      path: '/bridges/{id}/routers',
      id: 'listRouters',
      tag,
      summary: 'The routers of a bridge with their states',
      permission: 'bridges.read',
      params: IdParam,
      query: RouterQuerySchema,
      responses: { 200: { description: 'A page of routers', schema: RouterPage } },
      async handle({ params, query }) {
        const { id: bridgeId } = await readBridge(deps, params.id)
        if (query.reachable !== undefined && query.tag !== undefined)
          throw new AppError('invalid', 'reachable and tag cannot be combined; use one of the two')
        const found = await deps.bridges.routers({ bridgeId, ...defined(query), limit: query.limit })
        return { body: { ...found, items: await Promise.all(found.items.map(shown)) } }
      },
    }),
    route({
      method: 'post',
      path: '/bridges/{id}/routers/import',
      id: 'importRouters',
      tag,
      summary: 'Add and change many routers from a table (CSV)',
      description:
        'A router that the bridge has at the same address and port is changed, any other is added; all of them or none. ' +
        'A line without username keeps the login of a router that is there.',
      permission: 'bridges.write',
      params: IdParam,
      body: RouterTableSchema,
      bodyType: 'text/csv',
      responses: { 200: { description: 'The numbers of routers', schema: RouterImportSchema } },
      async handle({ params, body, principal }) {
        const table = readRouterTable(body)
        if ('problems' in table)
          throw new InputError(table.problems.map(({ line, text }) => ({ path: `body.${line}`, message: text })))
        return { body: await importRouters(deps, params.id, table.routers, principal) }
      },
    }),
    route({
      method: 'get',
      path: '/bridges/{id}/routers/{routerId}',
      id: 'readRouter',
      tag,
      summary: 'Read a router of a bridge with its state',
      permission: 'bridges.read',
      params: RouterParams,
      responses: { 200: { description: 'The router', schema: RouterSchema } },
      async handle({ params }) {
        const router = await readRouter(deps, params.id, params.routerId)
        return { headers: { etag: `"${router.revision}"` }, body: await shown(router) }
      },
    }),
    route({
      method: 'patch',
      path: '/bridges/{id}/routers/{routerId}',
      id: 'updateRouter',
      tag,
      summary: 'Change a router of a bridge',
      description: 'A new address needs the login as well: it is sealed for the address that it is meant for.',
      permission: 'bridges.write',
      params: RouterParams,
      headers: IF_MATCH,
      body: RouterChangeSchema,
      responses: { 200: { description: 'The router', schema: RouterSchema } },
      async handle({ params, body, header, principal }) {
        const { login, ...rest } = body
        const change: RouterChange = { ...defined(rest), ...(login === undefined ? {} : { login: loginOf(login) }) }
        const { id: bridgeId, routerId: id } = params
        const router = await withIfMatch(
          header('if-match'),
          async () => (await readRouter(deps, bridgeId, id)).revision,
          (revision) => changeRouter(deps, { bridgeId, id, revision }, change, principal),
        )
        return { headers: { etag: `"${router.revision}"` }, body: await shown(router) }
      },
    }),
    route({
      method: 'delete',
      path: '/bridges/{id}/routers/{routerId}',
      id: 'deleteRouter',
      tag,
      summary: 'Take a router from a bridge',
      description: 'Its Agent ends. The record of the device stays.',
      permission: 'bridges.write',
      params: RouterParams,
      headers: IF_MATCH,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, header, principal }) {
        await deleteIfMatch(
          header('if-match'),
          async () => (await readRouter(deps, params.id, params.routerId)).revision,
          () => deleteRouter(deps, params.id, params.routerId, principal),
        )
        return { status: 204 }
      },
    }),
  ]
}

function loginOf(login: z.infer<typeof LoginSchema>): RouterInput['login'] {
  const { username = '', password = '', snmp, sealed } = login
  return sealed === undefined ? { username, password, ...defined({ snmp }) } : { sealed }
}
