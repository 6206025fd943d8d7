import { defaultValueOf, type Model, type ModelParameter, parentOf, schemaPathOf } from '../datamodel/index.ts'

/**
 * A change of an instantiated tree, given to its listeners afterwards. Paths are canonical. `by` names the party that
 * made it.
 */
export interface TreeChange {
  kind: 'value' | 'created' | 'deleted'
  path: string
  value?: string
  previous?: string
  by: string
}

/** The whole state of a tree, from which it can be restored. */
export interface TreeSnapshot {
  values: Record<string, string>
  objects: string[]
  next: Record<string, number>
}

/**
 * The instantiated data model of one device: values by full path, rows that are added and deleted. Instance numbers are
 * never given twice. The parameters that an object of the model has are shared by all devices of a kind.
 */
export class InstanceTree {
  /** Parameters that this kind of device has, by schema path of the object. */
  readonly supported: ReadonlyMap<string, readonly string[]>
  readonly #modelOf: (path: string) => Model
  #values = new Map<string, string>()
  #objects = new Set<string>()
  #next = new Map<string, number>()
  readonly #live = new Map<string, () => string>()
  readonly #listeners = new Set<(change: TreeChange) => void>()

  /** `modelOf` names the model that knows a canonical path. */
  constructor(supported: ReadonlyMap<string, readonly string[]>, modelOf: (path: string) => Model) {
    this.supported = supported
    this.#modelOf = modelOf
  }

  onChange(listener: (change: TreeChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The value as it is, secrets included; undefined when there is no such parameter. */
  raw(path: string): string | undefined {
    const value = this.#values.get(path)
    return value === undefined || this.#live.size === 0 ? value : (this.#live.get(path)?.() ?? value)
  }

  /**
   * Adds a parameter that changes by itself, such as UpTime: its value is made when it is read, and it is never
   * reported as a change.
   */
  live(path: string, read: () => string): void {
    this.#live.set(path, read)
  }

  /** Sets a value as the device itself does: without a check of rights. Unknown parameters are created. */
  put(path: string, value: string, by = 'device'): void {
    const previous = this.#values.get(path)
    this.#values.set(path, value)
    if (previous !== value)
      this.#report({ kind: 'value', path, value, by, ...(previous === undefined ? {} : { previous }) })
  }

  hasObject(path: string): boolean {
    return this.#objects.has(path)
  }

  /** All parameter paths, in no order. */
  paths(): Iterable<string> {
    return this.#values.keys()
  }

  objects(): Iterable<string> {
    return this.#objects
  }

  /** Instance paths of a table, by number. */
  instances(table: string): string[] {
    const found: string[] = []
    for (const object of this.#objects) {
      if (object.startsWith(table) && /^\d+\.$/.test(object.slice(table.length))) found.push(object)
    }
    return found.sort((a, b) => Number.parseInt(a.slice(table.length), 10) - Number.parseInt(b.slice(table.length), 10))
  }

  /** Creates an object and its parameters, with the defaults of the model. */
  instantiate(path: string): void {
    this.#objects.add(path)
    const object = this.#modelOf(path).object(path)
    for (const name of this.supported.get(schemaPathOf(path)) ?? []) {
      if (!this.#values.has(path + name)) this.#values.set(path + name, defaultOf(object?.params.get(name)))
    }
  }

  /** Adds a row with its fixed sub-objects and returns its path. */
  addRow(table: string, by: string): string {
    const highest = this.instances(table).reduce(
      (max, path) => Math.max(max, Number.parseInt(path.slice(table.length), 10)),
      0,
    )
    const number = Math.max(this.#next.get(table) ?? 1, highest + 1)
    const row = `${table}${number}.`
    this.makeRow(row)
    this.#report({ kind: 'created', path: row, by })
    return row
  }

  /** Creates a row under its number, without a change for the listeners. */
  makeRow(row: string): void {
    const table = parentOf(row)
    const number = Number.parseInt(row.slice(table.length), 10)
    this.#next.set(table, Math.max(this.#next.get(table) ?? 1, number + 1))
    const schema = schemaPathOf(row)
    this.instantiate(row)
    for (const object of this.supported.keys()) {
      const rest = object.slice(schema.length)
      if (object.startsWith(schema) && rest !== '' && !rest.includes('{i}')) this.instantiate(row + rest)
    }
    if (this.#values.has(`${row}Alias`)) this.#values.set(`${row}Alias`, `cpe-${number}`)
    this.#recount(table)
  }

  /** Deletes a row and everything below it. */
  deleteRow(row: string, by: string): void {
    for (const object of [...this.#objects]) if (object.startsWith(row)) this.#objects.delete(object)
    for (const path of [...this.#values.keys()]) if (path.startsWith(row)) this.#values.delete(path)
    this.#recount(parentOf(row))
    this.#report({ kind: 'deleted', path: row, by })
  }

  snapshot(): TreeSnapshot {
    return {
      values: Object.fromEntries(this.#values),
      objects: [...this.#objects],
      next: Object.fromEntries(this.#next),
    }
  }

  restore(snapshot: TreeSnapshot): void {
    this.#values = new Map(Object.entries(snapshot.values))
    this.#objects = new Set(snapshot.objects)
    this.#next = new Map(Object.entries(snapshot.next))
  }

  #recount(table: string): void {
    const count = this.#modelOf(table).object(table)?.count
    if (count === undefined) return
    const path = parentOf(table) + count
    if (this.#values.has(path)) this.put(path, String(this.instances(table).length))
  }

  #report(change: TreeChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

function defaultOf(parameter: ModelParameter | undefined): string {
  const given = defaultValueOf(parameter)
  if (given !== undefined) return given === '[]' ? '' : given
  switch (parameter?.type) {
    case 'boolean':
      return 'false'
    case 'int':
    case 'long':
    case 'unsignedInt':
    case 'unsignedLong':
    case 'decimal':
      return '0'
    case 'dateTime':
      return '0001-01-01T00:00:00Z'
    default:
      return ''
  }
}
