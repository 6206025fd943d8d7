import type { Route } from '../http/route.ts'
import { apiKeyRoutes } from './api-keys.ts'
import { auditRoutes } from './audit.ts'
import { bindingRoutes } from './bindings.ts'
import { bridgeRouterRoutes } from './bridge-routers.ts'
import { bridgeRoutes } from './bridges.ts'
import { conflictRoutes } from './conflicts.ts'
import { credentialRoutes } from './credentials.ts'
import { deviceRoutes } from './devices.ts'
import { eventRoutes } from './events.ts'
import { groupMemberRoutes } from './group-members.ts'
import { groupStatusRoutes } from './group-status.ts'
import { groupRoutes } from './groups.ts'
import { linkSecretRoutes } from './link-secrets.ts'
import { mappingRowRoutes } from './mapping-rows.ts'
import { memberRoutes } from './members.ts'
import { modelRoutes } from './models.ts'
import { operationRoutes } from './operations.ts'
import { ownBridgeRoutes } from './own-bridge.ts'
import { parameterRoutes } from './parameters.ts'
import { pendingAgentRoutes } from './pending-agents.ts'
import { planActionRoutes } from './plan-actions.ts'
import { planRoutes } from './plans.ts'
import type { RouteDeps } from './ports.ts'
import { routerFileRoutes } from './router-files.ts'
import { supportedModelRoutes } from './supported-models.ts'

/** Every route of the API, in the order of its description. */
export function routesOf(deps: RouteDeps): Route[] {
  return [
    deviceRoutes,
    modelRoutes,
    parameterRoutes,
    bindingRoutes,
    credentialRoutes,
    linkSecretRoutes,
    pendingAgentRoutes,
    supportedModelRoutes,
    mappingRowRoutes,
    operationRoutes,
    routerFileRoutes,
    groupRoutes,
    groupMemberRoutes,
    groupStatusRoutes,
    planRoutes,
    planActionRoutes,
    memberRoutes,
    bridgeRoutes,
    bridgeRouterRoutes,
    ownBridgeRoutes,
    eventRoutes,
    conflictRoutes,
    apiKeyRoutes,
    auditRoutes,
  ].flatMap((make) => make(deps))
}
