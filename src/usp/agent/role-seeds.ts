import type { PermissionRow } from './access/permission.ts'
import type { AgentModel } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'

export const ROLES = 'Device.LocalAgent.ControllerTrust.Role.'

/** A role as an Agent is delivered with it. */
export interface RoleSeed {
  name: string
  permissions: readonly PermissionRow[]
}

const ALL = { Param: 'rw-n', Obj: 'rw-n', InstantiatedObj: 'rw-n', CommandEvent: 'r-xn' }
const WATCH = { Param: 'r--n', Obj: 'r--n', InstantiatedObj: 'r--n', CommandEvent: 'r--n' }

/** All rights on everything. */
export const MANAGER: RoleSeed = { name: 'Full Access', permissions: [{ Order: '1', Targets: 'Device.', ...ALL }] }

/**
 * Reads and notifications of Wi-Fi, subscriptions to them, and the events of the Agent. It cannot read subscriptions, so
 * that it changes and deletes its own alone: those of other Controllers are in the same table.
 */
export const WIFI_WATCHER: RoleSeed = {
  name: 'Wi-Fi Watcher',
  permissions: [
    { Order: '1', Targets: 'Device.WiFi.', ...WATCH },
    {
      Order: '2',
      Targets: 'Device.LocalAgent.Subscription.',
      Param: '-w--',
      Obj: 'rw--',
      InstantiatedObj: '-w--',
      CommandEvent: '----',
    },
    {
      Order: '3',
      Targets: 'Device.Boot!,Device.LocalAgent.Periodic!',
      Param: '----',
      Obj: '----',
      InstantiatedObj: '----',
      CommandEvent: 'r--n',
    },
  ],
}

/** The roles of an Agent that is told of no others. */
export const DEFAULT_ROLES: readonly RoleSeed[] = [MANAGER, WIFI_WATCHER]

/** Adds the roles that a model does not have yet, by their names. A role that is there stays as it is. */
export async function seedRoles(model: AgentModel, seeds: readonly RoleSeed[]): Promise<void> {
  const reader = await ModelReader.of(model)
  if (reader.supported.object(`${ROLES}{i}.`) === undefined) return
  const known = await reader.textsOf(await reader.rows(ROLES), ['Name'])
  for (const seed of seeds) if (!known.some(({ Name }) => Name === seed.name)) await addRole(model, seed)
}

/** The role gets its name last: one that was cut off on the way grants nothing, and the next start adds another. */
async function addRole(model: AgentModel, { name, permissions }: RoleSeed): Promise<void> {
  const [row = ''] = await model.add([{ table: ROLES, values: {} }], 'agent')
  const rows = permissions.map((permission) => ({
    table: `${row}Permission.`,
    values: { ...permission, Enable: 'true' },
  }))
  await model.add(rows, 'agent')
  const named = { Name: name, Enable: 'true' }
  await model.set(
    Object.entries(named).map(([leaf, value]) => ({ path: row + leaf, value })),
    'agent',
  )
}
