import { type Column, Permission, type Right } from './permission.ts'

/** The permissions of one role. */
export type RolePermissions = readonly Permission[]

/**
 * The rights of one Controller (TR-369 R-SEC.1). In each of its roles the permission with the highest Order among those
 * that mean an element decides; the right is there when one role grants it.
 */
export class Access {
  readonly #roles: readonly RolePermissions[]
  /** True when a permission with rights decides on everything. */
  readonly #seesAll: boolean

  constructor(roles: readonly RolePermissions[]) {
    this.#roles = roles.map((permissions) => [...permissions].sort((a, b) => b.order - a.order))
    this.#seesAll = this.#roles.some(([first]) => first?.grantsSome === true && first.means('Device.'))
  }

  /** Returns true when a parameter may be read. */
  mayRead(parameter: string): boolean {
    return this.has('Param', 'r', parameter)
  }

  /** `{i}` in the path of an element stands for every instance, also one that is made later. */
  has(column: Column, right: Right, path: string): boolean {
    return this.#roles.some((permissions) => permissions.find((one) => one.means(path))?.grants(column, right) === true)
  }

  /** Returns true for an element of the supported model when the right is there for some instance. */
  hasForSome(column: Column, right: Right, schema: string): boolean {
    return this.#roles.some((permissions) => {
      for (const one of permissions) {
        if (!one.mayMean(schema)) continue
        if (one.grants(column, right)) return true
        if (one.means(schema)) return false
      }
      return false
    })
  }

  /** Returns true when the right may be there for something at or below a path. */
  reaches(columns: readonly Column[], right: Right, path: string): boolean {
    return this.#grantsBelow(path, (one) => columns.some((column) => one.grants(column, right)))
  }

  /** Returns true when any right is there for something at or below a path. */
  sees(path: string): boolean {
    return this.#seesAll || this.#grantsBelow(path, (one) => one.grantsSome)
  }

  #grantsBelow(path: string, grants: (one: Permission) => boolean): boolean {
    return this.#roles.some((permissions) => {
      for (const one of permissions) {
        if (grants(one) && one.reaches(path)) return true
        // It decides on all below the path: those of a lower Order have no say there.
        if (one.means(path)) return false
      }
      return false
    })
  }
}

/** All rights on everything: of the Agent itself, and of Controllers of an Agent that has no roles. */
export const FULL_ACCESS = new Access([
  [
    new Permission(
      { Targets: '', Order: '0', Param: 'rwxn', Obj: 'rwxn', InstantiatedObj: 'rwxn', CommandEvent: 'rwxn' },
      ['Device.'],
    ),
  ],
])
