import { schemaPathOf } from '../../datamodel/index.ts'
import type { RouterRow } from '../../routeros/index.ts'
import type { MenuPath } from '../menus/table.ts'
import type { RouterInstance, RouterInstances } from './instances.ts'
import type { RouterRows } from './router-rows.ts'
import type { AddStep, RemoveStep, RowMatch, SetStep, WriteStep } from './write-step.ts'

/** A value, or a row, that a router cannot have, before anything was sent. */
export class DraftRefusal extends Error {
  /** Path of the parameter, row or table that it is about. */
  readonly path: string
  readonly code: number

  constructor(path: string, code: number, text: string) {
    super(text)
    this.path = path
    this.code = code
  }
}

/** Values to set by property; null puts one back to what it is without a setting. */
export type Change = Readonly<Record<string, string | null>>
/** Paths of TR-181 that a change is about. */
type ChangeSubject = Pick<SetStep, 'path' | 'paths' | 'row'>

type OpenSet = SetStep & { values: Record<string, string>; unset: string[]; paths: Record<string, string> }

/** The steps of one request as they come together: changes of one row become one command. */
export class Draft {
  readonly rows: RouterRows
  readonly instances: RouterInstances
  /** Number of the version of RouterOS. */
  readonly version: string
  readonly #steps: WriteStep[] = []
  readonly #sets = new Map<string, OpenSet>()
  readonly #lists = new Map<string, string[]>()

  constructor(rows: RouterRows, instances: RouterInstances, version: string) {
    this.rows = rows
    this.instances = instances
    this.version = version
  }

  get steps(): readonly WriteStep[] {
    return this.#steps
  }

  /** Changes a row. DraftRefusal when two parameters of the request want different values of one property. */
  change(menu: MenuPath, match: RowMatch, change: Change, subject: ChangeSubject): void {
    const step = this.#open(menu, match, subject)
    for (const [name, value] of Object.entries(change)) {
      const path = subject.paths?.[name] ?? subject.path
      const known = step.unset.includes(name) ? null : step.values[name]
      if (known !== undefined && known !== value)
        throw new DraftRefusal(path, 7012, 'another parameter of the request wants another value of the same setting')
      if (value !== null) step.values[name] = value
      else if (known === undefined) step.unset.push(name)
      step.paths[name] = path
    }
  }

  add(step: Omit<AddStep, 'kind'>): void {
    this.#steps.push({ kind: 'add', ...step })
  }

  remove(step: Omit<RemoveStep, 'kind'>): void {
    this.#steps.push({ kind: 'remove', ...step })
  }

  /** Changes a property that is a list; several changes of one list become one. */
  async edit(
    menu: MenuPath,
    match: RowMatch,
    property: string,
    subject: ChangeSubject,
    change: (items: readonly string[]) => readonly string[],
  ): Promise<void> {
    const id = `${keyOf(menu, match)} ${property}`
    const items = this.#lists.get(id) ?? (await this.#items(menu, match, property, subject))
    const changed = [...change(items)]
    this.#lists.set(id, changed)
    const step = this.#open(menu, match, subject)
    step.values[property] = changed.join(',')
    step.paths[property] ??= subject.paths?.[property] ?? subject.path
  }

  /**
   * Resolves with the name of the row that a reference means; '' for an empty reference. `tables` are the schema paths
   * that it may be in. DraftRefusal.
   */
  async nameAt(reference: string, path: string, tables: readonly string[]): Promise<string> {
    if (reference === '') return ''
    const row = reference.endsWith('.') ? reference : `${reference}.`
    const known = /^Device(\.[A-Za-z0-9_]+)+\.$/.test(row) && tables.includes(schemaPathOf(row))
    const found = known ? await this.instances.at(row) : undefined
    if (found?.called === undefined) throw new DraftRefusal(path, 7012, 'refers to no row that it may refer to')
    return found.called
  }

  /** Resolves with a row as it is now; DraftRefusal 7016. */
  async row(
    { match }: Pick<RouterInstance, 'match'>,
    menu: MenuPath,
    path: string,
    names: readonly string[],
  ): Promise<RouterRow> {
    const row = await this.rows.find(menu, match, names)
    if (row === undefined) throw new DraftRefusal(path, 7016, 'the row is not there any more')
    return row
  }

  async #items(menu: MenuPath, match: RowMatch, property: string, { path }: ChangeSubject): Promise<string[]> {
    const row = await this.row({ match }, menu, path, [property])
    return (row[property] ?? '').split(',').filter((item) => item !== '')
  }

  #open(menu: MenuPath, match: RowMatch, subject: ChangeSubject): OpenSet {
    const key = keyOf(menu, match)
    const known = this.#sets.get(key)
    if (known !== undefined) return known
    const { path, row } = subject
    const step: OpenSet = {
      kind: 'set',
      menu,
      match,
      path,
      values: {},
      unset: [],
      paths: {},
      ...(row === undefined ? {} : { row }),
    }
    this.#sets.set(key, step)
    this.#steps.push(step)
    return step
  }
}

function keyOf(menu: MenuPath, { properties, id = '' }: RowMatch): string {
  return JSON.stringify([menu, id, Object.entries(properties).sort()])
}
