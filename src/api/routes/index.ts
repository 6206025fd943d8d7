import type { Route } from '../http/route.ts'
import { bindingRoutes } from './bindings.ts'
import { credentialRoutes } from './credentials.ts'
import { deviceRoutes } from './devices.ts'
import { eventRoutes } from './events.ts'
import { groupRoutes } from './groups.ts'
import { linkSecretRoutes } from './link-secrets.ts'
import { operationRoutes } from './operations.ts'
import { pendingAgentRoutes } from './pending-agents.ts'
import { planRoutes } from './plans.ts'
import type { RouteDeps } from './ports.ts'
import { supportedModelRoutes } from './supported-models.ts'
import { systemRoutes } from './system.ts'

/** Every route of the API, in the order of its description. */
export function routesOf(deps: RouteDeps): Route[] {
  return [
    deviceRoutes,
    bindingRoutes,
    credentialRoutes,
    linkSecretRoutes,
    pendingAgentRoutes,
    supportedModelRoutes,
    operationRoutes,
    groupRoutes,
    planRoutes,
    eventRoutes,
    systemRoutes,
  ].flatMap((make) => make(deps))
}
