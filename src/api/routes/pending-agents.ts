import { defined } from '../../base/index.ts'
import {
  admitPendingAgent,
  bindPendingAgent,
  blockPendingAgent,
  deletePendingAgent,
  readPendingAgent,
} from '../../desk/index.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import {
  AdmittedSchema,
  AgentBindingInput,
  PendingAgentPage,
  PendingAgentQuery,
  PendingAgentSchema,
} from '../schemas/agent.ts'
import { IdParam } from '../schemas/common.ts'
import { withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Pending agents'

/** USP Agents that were refused. */
export function pendingAgentRoutes(deps: RouteDeps): Route[] {
  const { pendingAgents } = deps
  return [
    route({
      method: 'get',
      path: '/pending-agents',
      id: 'listPendingAgents',
      tag,
      summary: 'USP Agents that were refused, the newest first',
      description:
        'An Agent is in the list until it is admitted, bound or deleted. The list holds 10,000; ' +
        'beyond that the Agents that were not seen for longest leave it.',
      permission: 'pendingAgents.read',
      query: PendingAgentQuery,
      responses: { 200: { description: 'A page of Agents', schema: PendingAgentPage } },
      async handle({ query }) {
        const found = await pendingAgents.list(defined(query))
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
    route({
      method: 'get',
      path: '/pending-agents/{id}',
      id: 'readPendingAgent',
      tag,
      summary: 'Read one Agent that was refused',
      permission: 'pendingAgents.read',
      params: IdParam,
      responses: { 200: { description: 'The Agent', schema: PendingAgentSchema } },
      handle: async ({ params }) => ({ body: withTimes(await readPendingAgent(pendingAgents, params.id)) }),
    }),
    route({
      method: 'post',
      path: '/pending-agents/{id}/admit',
      id: 'admitPendingAgent',
      tag,
      summary: 'Admit an Agent as the device that it claims to be',
      description:
        'Binds its Endpoint ID to that device with the proof `operator`; a device that was never seen gets its ' +
        'record. 409 when the device is bound to another Endpoint ID. The Agent is admitted when it connects again.',
      permission: 'pendingAgents.write',
      params: IdParam,
      responses: { 200: { description: 'The device of the Agent from now on', schema: AdmittedSchema } },
      handle: async ({ params, principal }) => ({
        body: { deviceId: await admitPendingAgent(deps, params.id, principal) },
      }),
    }),
    route({
      method: 'post',
      path: '/pending-agents/{id}/bind',
      id: 'bindPendingAgent',
      tag,
      summary: 'Admit an Agent as another device',
      description:
        'As PUT /devices/{id}/binding with its Endpoint ID, with any identity that it shows. ' +
        'When it replaces another Agent, the link secret of the device is deleted, because only the other Agent has ' +
        'it; POST /devices/{id}/link-secret gives it a new one. The Agent is admitted when it connects again.',
      permission: 'pendingAgents.write',
      params: IdParam,
      body: AgentBindingInput,
      responses: { 200: { description: 'The device of the Agent from now on', schema: AdmittedSchema } },
      async handle({ params, body, principal }) {
        const deviceId = readDeviceId(body.deviceId)
        await bindPendingAgent(deps, params.id, deviceId, principal)
        return { body: { deviceId } }
      },
    }),
    route({
      method: 'post',
      path: '/pending-agents/{id}/block',
      id: 'blockPendingAgent',
      tag,
      summary: 'Refuse an Agent at once, with any proof',
      description:
        'Until its entry is deleted: at once on this server instance, within a minute on others. A link of this Endpoint ID is closed.',
      permission: 'pendingAgents.write',
      params: IdParam,
      responses: { 204: { description: 'Blocked' } },
      async handle({ params, principal }) {
        await blockPendingAgent(deps, params.id, principal)
        return { status: 204 }
      },
    }),
    route({
      method: 'delete',
      path: '/pending-agents/{id}',
      id: 'deletePendingAgent',
      tag,
      summary: 'Delete an Agent from the list; a blocked one is judged again when it connects',
      permission: 'pendingAgents.write',
      params: IdParam,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, principal }) {
        await deletePendingAgent(deps, params.id, principal)
        return { status: 204 }
      },
    }),
  ]
}
