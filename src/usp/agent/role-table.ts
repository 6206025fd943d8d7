import { parsePath } from '../../datamodel/index.ts'
import { Access, FULL_ACCESS, type RolePermissions } from './access/access.ts'
import { Permission, type PermissionRow } from './access/permission.ts'
import { AgentError } from './agent-error.ts'
import type { AgentModel } from './agent-model.ts'
import { CONTROLLERS } from './controller-rows.ts'
import { splitList } from './lists.ts'
import { ModelReader } from './model-reader.ts'
import { resolve } from './resolve.ts'
import { DEFAULT_ROLES, ROLES, type RoleSeed, seedRoles } from './role-seeds.ts'

const TRUST = 'Device.LocalAgent.ControllerTrust.'
const ROLE_SCHEMA = `${ROLES}{i}.`
const PERMISSION = ['Enable', 'Targets', 'Order', 'Param', 'Obj', 'InstantiatedObj', 'CommandEvent'] as const
const CONTROLLER = ['EndpointID', 'AssignedRole', 'InheritedRole'] as const
/** Roles of one Controller that are looked at. */
const MAX_ROLES = 32

/** The defaults of access, where the model of an Agent says nothing. */
export interface AccessPolicy {
  /** Roles that the Agent adds to its model at its start, when it has none of their names; default: DEFAULT_ROLES. */
  roles?: readonly RoleSeed[]
  /**
   * Returns the name of the role of a Controller to which none is assigned; undefined: UntrustedRole is its role, or it
   * may do nothing when there is none.
   */
  roleOf(endpointId: string): string | undefined
}

/** A permission row that is enabled, with its targets; those with search expressions are resolved at each use. */
interface Row {
  values: PermissionRow
  fixed: readonly string[]
  searches: readonly string[]
}

/** A role that is enabled. */
interface Role {
  name: string
  rows: readonly Row[]
}

/** The table as it was read. */
interface Table {
  /** Enabled roles, by their rows without the last dot. */
  roles: ReadonlyMap<string, Role>
  /** Rows of roles, as above, by their names. */
  names: ReadonlyMap<string, string>
  /** By Controller row. */
  controllers: ReadonlyMap<string, { endpointId: string; roles: readonly string[] }>
  untrusted: string
}

/**
 * The rights of Controllers by the roles in the model (TR-181 LocalAgent.ControllerTrust): AssignedRole and
 * InheritedRole of a Controller, UntrustedRole for one that has neither. An Agent whose model has no roles gives full
 * access. The rows are read when they have changed.
 */
export class RoleTable {
  readonly #model: AgentModel
  readonly #policy: AccessPolicy | undefined
  #table: Promise<Table | undefined> | undefined
  readonly #known = new Map<string, Access>()

  constructor(model: AgentModel, policy: AccessPolicy | undefined) {
    this.#model = model
    this.#policy = policy
  }

  /** Adds the roles of the policy that the model does not have yet. */
  async seed(): Promise<void> {
    if (this.#policy !== undefined) await seedRoles(this.#model, this.#policy.roles ?? DEFAULT_ROLES)
  }

  /** Notes that something at a path has changed. */
  changed(path: string): void {
    const isController = path.startsWith(CONTROLLERS) && /\.\d+\.(?:EndpointID|AssignedRole|InheritedRole|)$/.test(path)
    if (isController || path.startsWith(TRUST)) this.forget()
  }

  /** Reads the rows anew at the next use. */
  forget(): void {
    this.#table = undefined
    this.#known.clear()
  }

  /** Resolves with the rights of the Controller of a row, now. Rejects when the rows cannot be read. */
  async accessOf(controller: string): Promise<Access> {
    const known = this.#known.get(controller)
    if (known !== undefined) return known
    return this.#reading((table, reading) => this.#derive(controller, table, reading))
  }

  /** Resolves with the names of the roles that the Controller of a row has now; none where the model has no roles. */
  namesOf(controller: string): Promise<readonly string[]> {
    return this.#reading(async (table) =>
      table === undefined ? [] : this.#rolesOf(controller, table).map(({ name }) => name),
    )
  }

  /** Does something with the table, which is read when that is needed. */
  async #reading<T>(work: (table: Table | undefined, reading: Promise<Table | undefined>) => Promise<T>): Promise<T> {
    const reading = this.#table ?? this.#read()
    this.#table = reading
    try {
      return await work(await reading, reading)
    } catch (error) {
      if (this.#table === reading) this.forget()
      throw error
    }
  }

  async #derive(controller: string, table: Table | undefined, reading: Promise<Table | undefined>): Promise<Access> {
    if (table === undefined) return FULL_ACCESS
    const rows = this.#rolesOf(controller, table).map((role) => role.rows)
    const searches = [...new Set(rows.flat().flatMap((row) => row.searches))]
    const found = await this.#resolve(searches)
    const roles = rows.map((role): RolePermissions => {
      return role.map(({ values, fixed, searches }) => {
        return new Permission(values, [...fixed, ...searches.flatMap((path) => found.get(path) ?? [])])
      })
    })
    const access = new Access(roles)
    // A search finds other rows later, and a table that has changed since is read again.
    if (searches.length === 0 && this.#table === reading) this.#known.set(controller, access)
    return access
  }

  #rolesOf(controller: string, { controllers, roles, names, untrusted }: Table): Role[] {
    const one = controllers.get(controller)
    if (one === undefined) return []
    if (one.roles.length > 0) return one.roles.slice(0, MAX_ROLES).flatMap((role) => roles.get(role) ?? [])
    const name = this.#policy?.roleOf(one.endpointId)
    const role = roles.get((name === undefined ? undefined : names.get(name)) ?? untrusted)
    return role === undefined ? [] : [role]
  }

  async #resolve(searches: readonly string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>()
    if (searches.length === 0) return found
    const reader = await ModelReader.of(this.#model)
    for (const path of searches) {
      // A target that the model does not have means nothing.
      const { objects, leaf } = await resolve(reader, path).catch((error: unknown) => {
        if (error instanceof AgentError) return { objects: [], leaf: '' }
        throw error
      })
      found.set(
        path,
        objects.map((object) => object + leaf),
      )
    }
    return found
  }

  /** Resolves with undefined when the model has no roles. */
  async #read(): Promise<Table | undefined> {
    const reader = await ModelReader.of(this.#model)
    if (reader.supported.object(ROLE_SCHEMA) === undefined) return undefined
    const [controllers, roles] = await Promise.all([reader.rows(CONTROLLERS), reader.rows(ROLES)])
    const permissions = await Promise.all(roles.map((role) => reader.rows(`${role}Permission.`)))
    const values = await reader.values([
      `${TRUST}UntrustedRole`,
      ...controllers.flatMap((row) => CONTROLLER.map((name) => row + name)),
      ...roles.flatMap((role) => [`${role}Enable`, `${role}Name`]),
      ...permissions.flat().flatMap((row) => PERMISSION.map((name) => row + name)),
    ])
    const text = (path: string) => values.get(path) ?? ''
    const rowsOf = (rows: readonly string[]) =>
      rows
        .filter((row) => text(`${row}Enable`) === 'true')
        .map((row) =>
          rowOf({
            Targets: text(`${row}Targets`),
            Order: text(`${row}Order`),
            Param: text(`${row}Param`),
            Obj: text(`${row}Obj`),
            InstantiatedObj: text(`${row}InstantiatedObj`),
            CommandEvent: text(`${row}CommandEvent`),
          }),
        )
    return {
      untrusted: trimmed(text(`${TRUST}UntrustedRole`)),
      roles: new Map(
        roles.flatMap((role, i): [string, Role][] =>
          text(`${role}Enable`) === 'true'
            ? [[trimmed(role), { name: text(`${role}Name`), rows: rowsOf(permissions[i] ?? []) }]]
            : [],
        ),
      ),
      names: new Map(roles.map((role) => [text(`${role}Name`), trimmed(role)])),
      controllers: new Map(
        controllers.map((row) => {
          const roles = [`${row}AssignedRole`, `${row}InheritedRole`].flatMap((path) => splitList(text(path)))
          return [row, { endpointId: text(`${row}EndpointID`), roles: roles.map(trimmed) }]
        }),
      ),
    }
  }
}

function rowOf(values: PermissionRow): Row {
  const targets = splitList(values.Targets).filter(isPath)
  return {
    values,
    fixed: targets.filter((target) => !/[[+]/.test(target)),
    searches: targets.filter((target) => /[[+]/.test(target)),
  }
}

/** An object may be named without its last dot; a target that is no path means nothing. */
function isPath(target: string): boolean {
  try {
    parsePath(target)
    return true
  } catch {
    return false
  }
}

/** A reference has no last dot; some Controllers write one. */
function trimmed(reference: string): string {
  return reference.replace(/\.$/, '')
}
