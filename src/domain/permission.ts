/** Permissions of routes: `<subject>.<deed>`. */
const ROUTE_PERMISSIONS = [
  'devices.read',
  'devices.write',
  'devices.delete',
  'bindings.write',
  'credentials.write',
  'operations.read',
  'operations.submit',
  'operations.withdraw',
  'groups.read',
  'groups.write',
  'plans.read',
  'plans.write',
  'plans.run',
  'events.read',
  'mappingRows.read',
  'mappingRows.write',
  'supportedModels.read',
  'supportedModels.write',
  'pendingAgents.read',
  'pendingAgents.write',
  'scriptTemplates.read',
  'routerPolicies.read',
  'routerPolicies.write',
  'bridges.read',
  'bridges.write',
  'conflicts.read',
  'conflicts.write',
  'apiKeys.read',
  'apiKeys.write',
  'audit.read',
  'metrics.read',
  'description.read',
] as const

/** Permissions of operation verbs; a request for an operation needs one of them beside that of its route. */
const VERB_PERMISSIONS = [
  'verbs.query',
  'verbs.configure',
  'verbs.command',
  'verbs.firmware',
  'verbs.script',
  'verbs.restart',
  'verbs.reset',
] as const

/** Permissions of the routes that bridges alone use: to register with a token, and to serve with the keys of it. */
const BRIDGE_PERMISSIONS = ['bridge.register', 'bridge.serve'] as const

const PERMISSIONS = [...ROUTE_PERMISSIONS, ...VERB_PERMISSIONS]

/** A right to do one kind of thing. */
export type Permission = (typeof PERMISSIONS)[number] | BridgePermission
export type BridgePermission = (typeof BRIDGE_PERMISSIONS)[number]

/** A name for a set of permissions. */
export type Role = 'reader' | 'writer' | 'newBridge' | 'bridge'

/**
 * Permissions of each role. A reader sees everything except API keys, and asks no device for anything. A bridge has its
 * own routes alone, which no API key opens.
 */
const ROLES: Record<Role, readonly Permission[]> = {
  reader: PERMISSIONS.filter((name) => name.endsWith('.read') && name !== 'apiKeys.read'),
  writer: PERMISSIONS,
  newBridge: ['bridge.register'],
  bridge: ['bridge.serve'],
}

/** Returns true for a permission that only a bridge can have. */
export function isOfBridge(permission: Permission): permission is BridgePermission {
  return BRIDGE_PERMISSIONS.some((name) => name === permission)
}

/** Returns true when a role of a principal has the permission. */
export function may({ roles }: { roles: readonly Role[] }, permission: Permission): boolean {
  return roles.some((role) => ROLES[role].includes(permission))
}
