import { defined } from '../../base/index.ts'
import { listScriptTemplates, readRouterPolicy, setRouterPolicy } from '../../desk/index.ts'
import { asDeviceId } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import { DeviceIdParam } from '../schemas/common.ts'
import { RouterPolicySchema, ScriptTemplatesSchema } from '../schemas/router-files.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'MikroTik routers'

/** Scripts for MikroTik routers, and what operators allow on each router over CWMP. */
export function routerFileRoutes(deps: RouteDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/script-templates',
      id: 'listScriptTemplates',
      tag,
      summary: 'The scripts that can be run on MikroTik routers',
      description: 'The verb script runs one: its name is `template`, and its parameters are checked by their types.',
      permission: 'scriptTemplates.read',
      responses: { 200: { description: 'All templates', schema: ScriptTemplatesSchema } },
      handle: async () => ({ body: { items: listScriptTemplates() } }),
    }),
    route({
      method: 'get',
      path: '/devices/{id}/router-policy',
      id: 'readRouterPolicy',
      tag,
      summary: 'What is allowed on a MikroTik router over CWMP',
      description: 'L2 where no policy was set. 404 for a device that is no MikroTik router.',
      permission: 'routerPolicies.read',
      params: DeviceIdParam,
      responses: { 200: { description: 'The policy', schema: RouterPolicySchema } },
      handle: async ({ params }) => ({ body: await readRouterPolicy(deps.devices, asDeviceId(params.id)) }),
    }),
    route({
      method: 'put',
      path: '/devices/{id}/router-policy',
      id: 'setRouterPolicy',
      tag,
      summary: 'Set what is allowed on a MikroTik router over CWMP',
      description:
        'L3 enables the verbs script, upgrade and download on this router; script and upgrade need a confirmation beside that. ' +
        'The policy of the router in a bridge is another one: `/bridges/{id}/routers`.',
      permission: 'routerPolicies.write',
      params: DeviceIdParam,
      body: RouterPolicySchema,
      responses: { 200: { description: 'The policy', schema: RouterPolicySchema } },
      handle: async ({ params, body: { level, packages }, principal }) => ({
        body: await setRouterPolicy(deps, asDeviceId(params.id), { level, ...defined({ packages }) }, principal),
      }),
    }),
  ]
}
