import { parentOf, schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import type { AgentError, ModelProblem, ModelWrite, NewRow } from '../../usp/index.ts'
import { isDerived, type ObjectMapping, type ParameterMapping } from '../mapping/index.ts'
import { isMenuPath, type MenuPath } from '../menus/table.ts'
import type { InstanceNumbers } from '../model/instance-numbers.ts'
import type { RouterModel } from '../model/router-model.ts'
import { type Draft, DraftRefusal } from '../write/draft.ts'
import { type RouterInstance, RouterInstances } from '../write/instances.ts'
import type { ChangedRow } from '../write/object-writer.ts'
import type { RowMatch } from '../write/write-step.ts'
import { writerFor } from './all.ts'
import { collect, type DraftParts, DraftWrites, refuse } from './draft-writes.ts'
import { RowAdding } from './row-adding.ts'

interface ModelWritesParts extends DraftParts {
  numbers: InstanceNumbers
}

/** A value to write, with the declaration that it is of. */
interface Asked {
  readonly path: string
  readonly value: string
  readonly parameter: ParameterMapping
  readonly mapping: ObjectMapping
}

/** A natural key that a row gets. */
interface NewKey {
  readonly table: string
  readonly from: string
  readonly to: string
}

/** Set, Add and Delete of a bridged router: from paths of TR-181 to steps of its menus. */
export class ModelWrites {
  readonly #parts: ModelWritesParts
  readonly #instances: RouterInstances
  readonly #drafts: DraftWrites
  readonly #adding: RowAdding

  constructor(parts: ModelWritesParts) {
    this.#parts = parts
    this.#instances = new RouterInstances(parts.model)
    this.#drafts = new DraftWrites(parts, this.#instances)
    this.#adding = new RowAdding(parts, this.#instances, this.#drafts)
  }

  /** Writes all values or none; ModelRefusal. */
  async set(values: readonly ModelWrite[]): Promise<void> {
    const keys: NewKey[] = []
    await this.#drafts.write(
      'set',
      async (draft) => {
        keys.length = 0
        await this.#planSet(values, draft, keys)
      },
      () => {
        // The values that the answer shows are read while the end of the write goes to the disk. Rows that have another
        // key have no number yet. A reading that fails is done again, and fails, for the answer.
        const paths = values.map(({ path }) => path)
        if (keys.length === 0) this.#parts.model.get(paths).catch(() => undefined)
      },
    )
    for (const { table, from, to } of keys) await this.#parts.numbers.rename({ table, key: from }, to)
  }

  /** Adds all rows or none and resolves with their paths, in order; ModelRefusal. */
  add(rows: readonly NewRow[]): Promise<readonly string[]> {
    return this.#adding.add(rows)
  }

  /** Adds each row for itself; resolves with their paths, or with the errors for which they were not added, in order. */
  addEach(rows: readonly NewRow[]): Promise<readonly (string | AgentError)[]> {
    return this.#adding.addEach(rows)
  }

  /** Deletes all rows or none; ModelRefusal. A row that is not there counts as deleted. */
  async delete(paths: readonly string[]): Promise<void> {
    await this.#drafts.write('delete', async (draft) => {
      const problems: ModelProblem[] = []
      for (const path of paths)
        await collect(problems, undefined, async () => {
          const instance = await this.#instances.at(path)
          if (instance === undefined) return
          const writer = writerFor(schemaPathOf(path))
          if (writer?.remove === undefined || !instance.mayChange)
            throw new DraftRefusal(path, 7024, 'the bridge does not delete this row')
          await writer.remove({ path, instance }, draft)
        })
      refuse(problems)
    })
  }

  async #planSet(values: readonly ModelWrite[], draft: Draft, keys: NewKey[]): Promise<void> {
    const problems: ModelProblem[] = []
    const { supported } = await this.#parts.model.found()
    const groups = new Map<string, ModelWrite[]>()
    for (const write of values) {
      const row = rowPathOf(supported.origin(write.path), write.path)
      groups.set(row, [...(groups.get(row) ?? []), write])
    }
    for (const [row, some] of groups)
      await collect(problems, undefined, async () => {
        const instance = row.endsWith('{single}') ? undefined : await this.#instances.at(row)
        if (instance === undefined && !row.endsWith('{single}'))
          throw new DraftRefusal(some[0]?.path ?? row, 7016, 'the row is not there any more')
        if (instance?.mayChange === false && writerFor(schemaPathOf(row))?.checksRow !== true)
          throw new DraftRefusal(some[0]?.path ?? row, 7013, 'the router, or somebody else, has made this row')
        await this.#planRow(row, instance, some, draft, keys, problems)
      })
    refuse(problems)
  }

  async #planRow(
    path: string,
    instance: RouterInstance | undefined,
    values: readonly ModelWrite[],
    draft: Draft,
    keys: NewKey[],
    problems: ModelProblem[],
  ): Promise<void> {
    const { supported } = await this.#parts.model.found()
    const writer = instance === undefined ? undefined : writerFor(schemaPathOf(path))
    const own = values.filter((write) => writer?.parameters.includes(write.path.slice(path.length)) === true)
    for (const write of values.filter((one) => !own.includes(one)))
      await collect(problems, undefined, async () => {
        const origin = supported.origin(write.path)
        const places = origin !== undefined && 'places' in origin ? origin.places : []
        const place = places.find(({ mapping }) => instance === undefined || mapping === instance.mapping)
        if (place === undefined) throw new DraftRefusal(write.path, 7013, 'the bridge does not write this parameter')
        await this.#planValue({ ...write, ...place }, instance, draft, keys, parentOf(path))
      })
    if (instance === undefined || writer?.set === undefined || own.length === 0) return
    const given = Object.fromEntries(own.map((write) => [write.path.slice(path.length), write.value]))
    const now = await this.#parts.model.get(writer.parameters.concat(BESIDE).map((name) => path + name))
    const shown = Object.fromEntries([...now].map(([name, value]) => [name.slice(path.length), value]))
    const row: ChangedRow = { path, instance, given, values: { ...shown, ...given } }
    const key = await writer.set(row, draft)
    if (key !== undefined && key !== instance.key) keys.push({ table: parentOf(path), from: instance.key, to: key })
  }

  /** A value that is properties of one row, as its declaration says. */
  async #planValue(
    { path, value, parameter, mapping }: Asked,
    instance: RouterInstance | undefined,
    draft: Draft,
    keys: NewKey[],
    table: string,
  ): Promise<void> {
    const { write, refers } = parameter
    if (write === undefined) throw new DraftRefusal(path, 7013, 'the bridge does not write this parameter')
    const text = refers === undefined ? value : await draft.nameAt(value, path, refers)
    const properties = write.properties(text)
    if (properties === undefined) throw new DraftRefusal(path, 7012, 'the router cannot have this value')
    const target = targetOf(mapping, write.join, instance)
    if (target === undefined) throw new DraftRefusal(path, 7013, 'this row is made of several rows of the router')
    const paths = Object.fromEntries(Object.keys(properties).map((name) => [name, path]))
    draft.change(target.menu, target.match, properties, { path, paths })
    if (instance === undefined || write.join !== undefined) return
    const key = mapping.table?.key.of({ ...instance.row, ...properties })
    if (key !== undefined && key !== mapping.table?.key.of(instance.row))
      keys.push({ table, from: instance.key, to: key })
  }
}

/** Parameters that writers look at beside those that they write. */
const BESIDE = ['OperatingFrequencyBand']

type Origin = ReturnType<Awaited<ReturnType<RouterModel['found']>>['supported']['origin']>

/** The row that a parameter belongs to, which may be above its object; `{single}` for an object that is no table. */
function rowPathOf(origin: Origin, path: string): string {
  const mapping = origin !== undefined && 'places' in origin ? origin.places[0]?.mapping : undefined
  if (mapping?.table === undefined) return `${splitLeaf(path).object}{single}`
  const depth = mapping.object.split('.').length - 1
  return `${path.split('.').slice(0, depth).join('.')}.`
}

/** The row of the router that has the properties of a parameter. */
function targetOf(
  { source, joins = {} }: ObjectMapping,
  join: string | undefined,
  instance: RouterInstance | undefined,
): { menu: MenuPath; match: RowMatch } | undefined {
  if (join === undefined) {
    const menu = instance?.menu ?? (isDerived(source) ? '' : source.menu)
    return isMenuPath(menu) ? { menu, match: instance?.match ?? { properties: {} } } : undefined
  }
  const { menu = '', match } = joins[join] ?? {}
  if (!isMenuPath(menu)) return undefined
  const text = match === undefined ? undefined : instance?.row[match.own]
  if (match !== undefined && text === undefined) return undefined
  return { menu, match: { properties: match === undefined ? {} : { [match.theirs]: text ?? '' } } }
}
