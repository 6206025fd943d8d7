/** One row of Role.{i}.Permission.{i} (TR-181 LocalAgent.ControllerTrust), as its values are. */
export interface PermissionRow {
  /** A list of paths with commas; wildcards stand for any instance. */
  Targets: string
  /** The highest one among those that mean an element decides for its role. */
  Order: string
  /** Four characters each, `rwxn` or `-` in their places. */
  Param: string
  Obj: string
  InstantiatedObj: string
  CommandEvent: string
}

/** The four columns of a permission: parameters, objects, instances, commands and events. */
export type Column = 'Param' | 'Obj' | 'InstantiatedObj' | 'CommandEvent'
/**
 * The characters of a column. Read, write: Get and Set of a parameter; GetSupportedDM and Add of an object;
 * GetInstances and Delete of an instance. Execute: Operate. Notify: its notifications.
 */
export type Right = 'r' | 'w' | 'x' | 'n'

const RIGHTS = 'rwxn'
/** A part of a path that means one instance, or any. */
const INSTANCE = /^(?:\d+|\*|\{i\})$/

interface Target {
  path: string
  /** For paths with wildcards. */
  pattern: RegExp | undefined
  /** As `pattern`, and `{i}` in a path fits any instance of the target. */
  loose: RegExp
}

/** A permission in force: bits by column, and the elements it is for. */
export class Permission {
  readonly order: number
  readonly #bits: Readonly<Record<Column, number>>
  readonly #targets: readonly Target[]

  /** `targets` are the paths that `Targets` names, search expressions resolved. */
  constructor(row: PermissionRow, targets: readonly string[]) {
    this.order = Number(row.Order) || 0
    const { Param, Obj, InstantiatedObj, CommandEvent } = row
    this.#bits = {
      Param: bitsOf(Param),
      Obj: bitsOf(Obj),
      InstantiatedObj: bitsOf(InstantiatedObj),
      CommandEvent: bitsOf(CommandEvent),
    }
    this.#targets = targets.map(targetOf)
  }

  grants(column: Column, right: Right): boolean {
    return (this.#bits[column] & bitOf(right)) !== 0
  }

  /** True when it grants any right in any column. */
  get grantsSome(): boolean {
    return Object.values(this.#bits).some((bits) => bits !== 0)
  }

  /** Returns true when a target means an element; `{i}` in its path stands for every instance. */
  means(path: string): boolean {
    return this.#targets.some((target) =>
      target.pattern === undefined ? isBelow(target.path, path) : target.pattern.test(path),
    )
  }

  /** Returns true when a target means an element, or with `{i}` in its path an instance of it. */
  mayMean(path: string): boolean {
    return this.#targets.some(({ loose }) => loose.test(path))
  }

  /** Returns true when a target means something at or below a path. */
  reaches(path: string): boolean {
    return this.mayMean(path) || this.#targets.some((target) => isAbove(path, target.path))
  }
}

function bitsOf(text: string): number {
  let bits = 0
  for (const [i, right] of [...RIGHTS].entries()) if (text[i] === right) bits |= 1 << i
  return bits
}

function bitOf(right: Right): number {
  return 1 << RIGHTS.indexOf(right)
}

function targetOf(path: string): Target {
  const wild = /\.(?:\*|\{i\})(?=\.|$)/
  return {
    path,
    pattern: wild.test(path) ? patternOf(path, '(?:\\d+|\\*|\\{i\\})', (digits) => digits) : undefined,
    loose: patternOf(path, '(?:\\d+|\\*|\\{i\\})', (digits) => `(?:${digits}|\\*|\\{i\\})`),
  }
}

/** An object target means everything below it, with its last dot or without. */
function patternOf(path: string, wild: string, instance: (digits: string) => string): RegExp {
  const parts = path.split('.').map((part) => {
    if (part === '*' || part === '{i}') return wild
    return /^\d+$/.test(part) ? instance(part) : part.replace(/[^\w]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('\\.')}${path.endsWith('.') ? '' : '(?:\\.|$)'}`)
}

/** Returns true for an object that something at a target is below, in some instance. */
function isAbove(path: string, target: string): boolean {
  if (target.startsWith(path)) return true
  if (!path.endsWith('.')) return false
  const parts = target.split('.')
  return path
    .slice(0, -1)
    .split('.')
    .every((part, i) => part === parts[i] || meet(part, parts[i] ?? ''))
}

/** Returns true for two parts of which one stands for any instance, and the other for some. */
function meet(a: string, b: string): boolean {
  return INSTANCE.test(a) && INSTANCE.test(b) && !(/^\d/.test(a) && /^\d/.test(b))
}

function isBelow(target: string, path: string): boolean {
  if (!path.startsWith(target)) return false
  return target.endsWith('.') || path.length === target.length || path[target.length] === '.'
}
