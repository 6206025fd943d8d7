import { AppError } from '../../base/index.ts'
import {
  admitAgent,
  bindEndpoint,
  claimedDevice,
  type Device,
  MAX_DEVICE_ID,
  type PendingAgent,
  REFUSAL_CODES,
  unbindEndpoint,
} from '../../domain/index.ts'
import { audited } from '../../security/index.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import type { ApiDeps } from '../ports.ts'
import { DeviceIdParam, DeviceSchema, IdParam, Paging, page } from '../schemas/schemas.ts'
import { deviceViews, withTimes } from '../views/views.ts'

const PendingAgentSchema = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    address: z.string().describe('Where it came from last'),
    claim: z
      .object({ oui: z.string(), productClass: z.string(), serial: z.string() })
      .optional()
      .describe('The identity that it told: nothing proves it'),
    reason: z.enum(REFUSAL_CODES).describe('Why it was refused last'),
    text: z.string().describe('The reason in a sentence'),
    count: z.number().int().describe('How often it was refused, written about once a minute'),
    firstSeenAt: z.string(),
    lastSeenAt: z.string(),
    blockedAt: z.string().optional(),
    blockedBy: z.string().optional(),
  })
  .openapi('PendingAgent')
const Joined = z.object({ deviceId: z.string() })

/** USP Agents that were refused, and which Endpoint ID belongs to which device. */
export function pendingAgentRoutes(deps: ApiDeps): Route[] {
  const { audit, clock, devices, pendingAgents } = deps
  const tag = 'Pending agents'
  const read = async (id: string): Promise<PendingAgent> => {
    const agent = await pendingAgents.get(id)
    if (agent === undefined) throw new AppError('notFound', `there is no pending Agent ${id}`)
    return agent
  }
  const readDevice = async (text: string): Promise<Device> => {
    const device = await devices.get(readDeviceId(text))
    if (device === undefined) throw new AppError('notFound', `there is no device ${text}`)
    return device
  }
  return [
    route({
      method: 'get',
      path: '/pending-agents',
      id: 'listPendingAgents',
      tag,
      summary: 'USP Agents that were refused, the newest first',
      description:
        'An Agent is in the list until it is admitted, bound or deleted. The list holds 10,000; beyond that the Agents that were not seen for longest leave it.',
      scope: 'read',
      query: Paging.extend({ reason: z.enum(REFUSAL_CODES).optional() }),
      responses: { 200: { description: 'A page of Agents', schema: page(PendingAgentSchema) } },
      async handle({ query }) {
        const found = await pendingAgents.list({
          limit: query.limit,
          ...(query.reason === undefined ? {} : { reason: query.reason }),
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        })
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
    route({
      method: 'get',
      path: '/pending-agents/{id}',
      id: 'readPendingAgent',
      tag,
      summary: 'Read one Agent that was refused',
      scope: 'read',
      params: IdParam,
      responses: { 200: { description: 'The Agent', schema: PendingAgentSchema } },
      async handle({ params }) {
        return { body: withTimes(await read(params.id)) }
      },
    }),
    route({
      method: 'post',
      path: '/pending-agents/{id}/admit',
      id: 'admitPendingAgent',
      tag,
      summary: 'Let an Agent in as the device that it claims to be',
      description:
        'Binds its Endpoint ID to that device with the proof `operator`; a device that was never seen gets its record. 409 when the device is bound to another Endpoint ID. The Agent is let in when it comes again.',
      scope: 'write',
      params: IdParam,
      responses: { 200: { description: 'The device that it is from now on', schema: Joined } },
      async handle({ params, actor }) {
        const agent = await read(params.id)
        const now = clock.now()
        const deviceId = claimedDevice(agent).id
        const entry = {
          at: now,
          actor,
          action: 'agent.admit',
          target: deviceId,
          after: { endpointId: agent.endpointId, proof: 'operator' },
        }
        await audited(audit, entry, () => admitAgent(agent, deps, now))
        await pendingAgents.delete(agent.id, actor, now)
        return { body: { deviceId } }
      },
    }),
    route({
      method: 'post',
      path: '/pending-agents/{id}/bind',
      id: 'bindPendingAgent',
      tag,
      summary: 'Let an Agent in as another device',
      description:
        'As PUT /devices/{id}/binding with its Endpoint ID, whatever identity it shows. The Agent is let in when it comes again.',
      scope: 'write',
      params: IdParam,
      body: z.strictObject({ deviceId: z.string().max(MAX_DEVICE_ID) }),
      responses: { 200: { description: 'The device that it is from now on', schema: Joined } },
      async handle({ params, body, actor }) {
        const agent = await read(params.id)
        const now = clock.now()
        const { id: deviceId } = await readDevice(body.deviceId)
        const entry = {
          at: now,
          actor,
          action: 'agent.bind',
          target: deviceId,
          after: { endpointId: agent.endpointId, proof: 'operator' },
        }
        await audited(audit, entry, () => bindEndpoint(deviceId, agent.endpointId, deps, now))
        await pendingAgents.delete(agent.id, actor, now)
        return { body: { deviceId } }
      },
    }),
    route({
      method: 'post',
      path: '/pending-agents/{id}/block',
      id: 'blockPendingAgent',
      tag,
      summary: 'Refuse an Agent at once, whatever it shows',
      description:
        'Until its entry is deleted: at once on the instance that is asked, within a minute on others. A link of this Endpoint ID is closed.',
      scope: 'write',
      params: IdParam,
      responses: { 204: { description: 'Blocked' } },
      async handle({ params, actor }) {
        const { id, endpointId } = await read(params.id)
        const at = clock.now()
        await audited(audit, { at, actor, action: 'agent.block', target: endpointId }, () =>
          pendingAgents.block(id, actor, at),
        )
        return { status: 204 }
      },
    }),
    route({
      method: 'delete',
      path: '/pending-agents/{id}',
      id: 'deletePendingAgent',
      tag,
      summary: 'Take an Agent off the list; a blocked one is judged anew when it comes again',
      scope: 'write',
      params: IdParam,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, actor }) {
        const { id, endpointId } = await read(params.id)
        const at = clock.now()
        await audited(audit, { at, actor, action: 'agent.delete', target: endpointId }, () =>
          pendingAgents.delete(id, actor, at),
        )
        return { status: 204 }
      },
    }),
    route({
      method: 'put',
      path: '/devices/{id}/binding',
      id: 'putDeviceBinding',
      tag: 'Devices',
      summary: 'Bind a USP Endpoint ID to a device',
      description:
        'With the proof `operator`: its Agent is this device from now on, whatever identity it shows. Another Endpoint ID that the device had is unbound, and its link is closed. 409 when this one is bound to another device, blocked, or part of a conflict that is open.',
      scope: 'write',
      params: DeviceIdParam,
      body: z.strictObject({ endpointId: z.string().min(1).max(256) }),
      responses: { 200: { description: 'The record', schema: DeviceSchema } },
      async handle({ params, body, actor }) {
        const { id: deviceId, binding } = await readDevice(params.id)
        const endpointId = deps.asEndpointId(body.endpointId)
        const now = clock.now()
        const before = { endpointId: binding?.endpointId }
        const entry = {
          at: now,
          actor,
          action: 'device.bind',
          target: deviceId,
          before,
          after: { endpointId, proof: 'operator' },
        }
        await audited(audit, entry, () => bindEndpoint(deviceId, endpointId, deps, now))
        const device = await readDevice(deviceId)
        const [shown] = await deviceViews([device], deps.groups, clock.now())
        return { headers: { etag: `"${device.revision}"` }, body: shown }
      },
    }),
    route({
      method: 'delete',
      path: '/devices/{id}/binding',
      id: 'deleteDeviceBinding',
      tag: 'Devices',
      summary: 'Take its USP Endpoint ID from a device',
      description: 'Its link is closed, and its Agent is judged anew when it comes again.',
      scope: 'write',
      params: DeviceIdParam,
      responses: { 204: { description: 'The device has no Endpoint ID' } },
      async handle({ params, actor }) {
        const { id: deviceId, binding } = await readDevice(params.id)
        if (binding === undefined) return { status: 204 }
        const now = clock.now()
        const before = { endpointId: binding.endpointId }
        await audited(audit, { at: now, actor, action: 'device.unbind', target: deviceId, before }, () =>
          unbindEndpoint(deviceId, devices, now),
        )
        return { status: 204 }
      },
    }),
  ]
}
