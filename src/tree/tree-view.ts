import { checkValue, type Model, type ModelParameter, parentOf, readsEmpty, schemaPathOf } from '../datamodel/index.ts'
import type { InstanceTree } from './instance-tree.ts'

/** The reason of a refused write. */
export interface WriteError {
  path: string
  kind: 'unknown' | 'notWritable' | 'type' | 'value' | 'notTable' | 'notCreatable' | 'duplicateKey'
  text: string
}

/** The view that one protocol has of a tree: its model, its names for shared rows, and its rights. */
export class TreeView {
  readonly tree: InstanceTree
  readonly model: Model
  /** Own prefix -> canonical prefix. */
  readonly #names: [string, string][]

  constructor(tree: InstanceTree, model: Model, names: [string, string][] = []) {
    this.tree = tree
    this.model = model
    this.#names = names
  }

  toCanonical(path: string): string {
    for (const [own, canonical] of this.#names) if (path.startsWith(own)) return canonical + path.slice(own.length)
    return path
  }

  fromCanonical(path: string): string {
    for (const [own, canonical] of this.#names)
      if (path.startsWith(canonical)) return own + path.slice(canonical.length)
    return path
  }

  /** Returns the parameter of this protocol's model; undefined when the protocol does not show it. */
  parameter(path: string): ModelParameter | undefined {
    return this.model.parameter(path)
  }

  /** Returns the value as a reader gets it: hidden and secured values are empty. */
  get(path: string): string | undefined {
    const parameter = this.parameter(path)
    const value = this.tree.raw(this.toCanonical(path))
    if (parameter === undefined || value === undefined) return undefined
    return readsEmpty(parameter) ? '' : this.#renamed(value, ([own, canonical]) => [canonical, own])
  }

  hasObject(path: string): boolean {
    return this.model.object(path) !== undefined && (this.tree.hasObject(this.toCanonical(path)) || this.isTable(path))
  }

  /** Returns true when a path names a table itself (without instance) that this device has. */
  isTable(path: string): boolean {
    const object = this.model.object(`${path}{i}.`)
    return (
      object?.table === true &&
      this.tree.hasObject(this.toCanonical(parentOf(path))) &&
      this.tree.supported.has(schemaPathOf(`${this.toCanonical(path)}{i}.`))
    )
  }

  /** Returns parameter paths at and below an object, in order. */
  parametersBelow(object: string): string[] {
    const found: string[] = []
    for (const path of this.tree.paths()) {
      const own = this.fromCanonical(path)
      if (own.startsWith(object) && this.parameter(own) !== undefined) found.push(own)
    }
    return found.sort()
  }

  /** Returns object paths below an object, in order; tables themselves are not instantiated and not listed. */
  objectsBelow(object: string): string[] {
    const found: string[] = []
    for (const path of this.tree.objects()) {
      const own = this.fromCanonical(path)
      if (own.startsWith(object) && own !== object && this.model.object(own) !== undefined) found.push(own)
    }
    return found.sort()
  }

  instances(table: string): string[] {
    return this.tree.instances(this.toCanonical(table)).map((path) => this.fromCanonical(path))
  }

  /**
   * Returns the reason for which a value cannot be written; undefined when it can. `creating` allows parameters that
   * can be set at creation only.
   */
  check(path: string, value: string, creating = false): WriteError | undefined {
    const parameter = this.parameter(path)
    if (parameter === undefined || this.tree.raw(this.toCanonical(path)) === undefined)
      return { path, kind: 'unknown', text: 'there is no such parameter' }
    if (parameter.access === 'r' || (parameter.access === 'o' && !creating))
      return { path, kind: 'notWritable', text: 'the parameter is read only' }
    const wrong = checkValue(parameter, value)
    return wrong === undefined
      ? undefined
      : { path, kind: wrong.kind, text: `${JSON.stringify(value.slice(0, 80))} ${wrong.text}` }
  }

  /** Writes without a check: call `check` first. Booleans are kept as true and false. */
  write(path: string, value: string, by: string): void {
    const type = this.parameter(path)?.type
    const kept = type === 'boolean' ? (value === '1' || value.toLowerCase() === 'true' ? 'true' : 'false') : value
    this.tree.put(
      this.toCanonical(path),
      this.#renamed(kept, (names) => names),
      by,
    )
  }

  /** Returns a value with the references in it under their names in the other view. */
  #renamed(value: string, order: (names: [string, string]) => [string, string]): string {
    if (this.#names.length === 0 || !value.includes('Device.')) return value
    const items = value.split(',').map((item) => {
      for (const [from, to] of this.#names.map(order)) if (item.startsWith(from)) return to + item.slice(from.length)
      return item
    })
    return items.join(',')
  }

  /** Adds a row to a table (path ends in a dot, no instance). Returns its path, or the reason why it was not added. */
  add(table: string, by: string): { row: string } | WriteError {
    if (!this.isTable(table)) {
      return this.hasObject(table) || this.model.object(table) !== undefined
        ? { path: table, kind: 'notTable', text: 'the object is no table here' }
        : { path: table, kind: 'unknown', text: 'there is no such table' }
    }
    if (this.model.object(`${table}{i}.`)?.access !== 'w')
      return { path: table, kind: 'notCreatable', text: 'rows cannot be added' }
    return { row: this.fromCanonical(this.tree.addRow(this.toCanonical(table), by)) }
  }

  /** Deletes a row. Returns the reason why it was not deleted. */
  remove(row: string, by: string): WriteError | undefined {
    const object = this.model.object(row)
    if (object === undefined || !this.tree.hasObject(this.toCanonical(row)))
      return { path: row, kind: 'unknown', text: 'there is no such object' }
    if (!object.table || object.access !== 'w')
      return { path: row, kind: 'notWritable', text: 'the object cannot be deleted' }
    this.tree.deleteRow(this.toCanonical(row), by)
    return undefined
  }
}
