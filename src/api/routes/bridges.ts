import { defined } from '../../base/index.ts'
import { changeBridge, createBridge, deleteBridge, readBridge, renewBridgeToken } from '../../desk/index.ts'
import { MAX_ROUTERS } from '../../domain/index.ts'
import { deleteIfMatch, withIfMatch } from '../http/if-match.ts'
import { type Route, route } from '../http/route.ts'
import {
  BridgeChange,
  BridgeInput,
  BridgePage,
  BridgeSchema,
  BridgeTokenInput,
  BridgeWithTokenSchema,
  SizedBridgeSchema,
} from '../schemas/bridge.ts'
import { IdParam, IF_MATCH, Paging } from '../schemas/common.ts'
import { bridgeView } from '../views/bridges.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Bridges'

/** Processes that speak for routers without an Agent of their own. */
export function bridgeRoutes(deps: RouteDeps): Route[] {
  const { bridges, clock } = deps
  return [
    route({
      method: 'post',
      path: '/bridges',
      id: 'createBridge',
      tag,
      summary: 'Make a bridge and the token that its process registers with',
      description:
        'The token is in this answer and in no other. One process registers with it, within its time. A token that is lost ' +
        'is replaced: POST /bridges/{id}/token.',
      permission: 'bridges.write',
      body: BridgeInput,
      responses: { 201: { description: 'The bridge with its token', schema: BridgeWithTokenSchema } },
      async handle({ body, principal }) {
        const { name, description, tokenSeconds } = body
        const input = { name, ...defined({ description }), tokenSeconds }
        const { bridge, token } = await createBridge(deps, input, principal)
        const headers = { etag: `"${bridge.revision}"`, location: `/api/v1/bridges/${bridge.id}` }
        return { status: 201, headers, body: { ...bridgeView(bridge, clock.now()), token } }
      },
    }),
    route({
      method: 'get',
      path: '/bridges',
      id: 'listBridges',
      tag,
      summary: 'List bridges',
      permission: 'bridges.read',
      query: Paging,
      responses: { 200: { description: 'A page of bridges', schema: BridgePage } },
      async handle({ query }) {
        const found = await bridges.list(defined(query))
        return { body: { ...found, items: found.items.map((bridge) => bridgeView(bridge, clock.now())) } }
      },
    }),
    route({
      method: 'get',
      path: '/bridges/{id}',
      id: 'readBridge',
      tag,
      summary: 'Read a bridge with the number of its routers',
      permission: 'bridges.read',
      params: IdParam,
      responses: { 200: { description: 'The bridge', schema: SizedBridgeSchema } },
      async handle({ params }) {
        const bridge = await readBridge(deps, params.id)
        const routers = await bridges.countRouters(bridge.id, MAX_ROUTERS + 1)
        return { headers: { etag: `"${bridge.revision}"` }, body: { ...bridgeView(bridge, clock.now()), routers } }
      },
    }),
    route({
      method: 'patch',
      path: '/bridges/{id}',
      id: 'updateBridge',
      tag,
      summary: 'Change the name or the description of a bridge',
      permission: 'bridges.write',
      params: IdParam,
      headers: IF_MATCH,
      body: BridgeChange,
      responses: { 200: { description: 'The bridge', schema: BridgeSchema } },
      async handle({ params, body, header, principal }) {
        const bridge = await withIfMatch(
          header('if-match'),
          async () => (await readBridge(deps, params.id)).revision,
          (revision) => changeBridge(deps, params.id, { change: defined(body), revision }, principal),
        )
        return { headers: { etag: `"${bridge.revision}"` }, body: bridgeView(bridge, clock.now()) }
      },
    }),
    route({
      method: 'post',
      path: '/bridges/{id}/token',
      id: 'renewBridgeToken',
      tag,
      summary: 'Make a new token, for a process that replaces a lost one',
      description:
        'The process that is registered goes on until another one registers with the token: then its certificates are ' +
        'revoked, and logins of routers have to be sent again, because they were sealed to its key.',
      permission: 'bridges.write',
      params: IdParam,
      body: BridgeTokenInput,
      responses: { 200: { description: 'The bridge with its token', schema: BridgeWithTokenSchema } },
      async handle({ params, body, principal }) {
        const { bridge, token } = await renewBridgeToken(deps, params.id, body.tokenSeconds, principal)
        return { headers: { etag: `"${bridge.revision}"` }, body: { ...bridgeView(bridge, clock.now()), token } }
      },
    }),
    route({
      method: 'delete',
      path: '/bridges/{id}',
      id: 'deleteBridge',
      tag,
      summary: 'Delete a bridge with its routers, and revoke its certificates',
      description: 'Its links end within a minute. The records of the devices stay.',
      permission: 'bridges.write',
      params: IdParam,
      headers: IF_MATCH,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, header, principal }) {
        await deleteIfMatch(
          header('if-match'),
          async () => (await readBridge(deps, params.id)).revision,
          () => deleteBridge(deps, params.id, principal),
        )
        return { status: 204 }
      },
    }),
  ]
}
