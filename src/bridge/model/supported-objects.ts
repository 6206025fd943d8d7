import {
  type Model,
  type ModelCommand,
  type ModelObject,
  type ModelParameter,
  ownParameter,
  parentOf,
  schemaPathOf,
  splitLeaf,
} from '../../datamodel/index.ts'
import type { SupportedModel } from '../../usp/index.ts'
import {
  isDerived,
  isVendors,
  type MenuReading,
  needsJoined,
  needsOwn,
  type ObjectMapping,
  ownProperties,
  type ParameterMapping,
  readingId,
} from '../mapping/index.ts'
import type { RouterFacts } from './router-facts.ts'

/** A parameter in one declaration. Several declarations may have it: each is about other rows. */
export interface Place {
  readonly mapping: ObjectMapping
  readonly parameter: ParameterMapping
}

/** A parameter of the supported model with what it comes from. */
type Origin = { readonly places: readonly Place[] } | { readonly countOf: string }

type ObjectKind = NonNullable<ReturnType<SupportedModel['object']>>
type Keyless = Omit<ObjectKind, 'keys'>

interface SupportedObject {
  readonly kind: Keyless
  readonly parameters: Map<string, { readonly parameter: ModelParameter; readonly origin: Origin }>
}

/** Parts of the supported model that the bridge has code for beside the mapping, by schema path of the object. */
export interface Served {
  /** Returns the commands of an object on a router with these menus; `standard` are those of TR-181. */
  commands(
    schema: string,
    standard: ReadonlyMap<string, ModelCommand>,
    menus: ReadonlySet<string>,
  ): readonly ModelCommand[]
  events(schema: string): readonly string[]
  /** Returns the events of the vendor, with the names of their arguments. */
  vendorEvents?(schema: string): ReadonlyMap<string, readonly string[]>
  /** Returns the names of parameters that are written though no property is theirs alone. */
  writes?(schema: string): readonly string[]
  /** Returns true for a table to which rows are added, as far as the model allows it. */
  grows?(schema: string): boolean
  /** Returns the schema paths of objects that have commands. */
  objects?(): readonly string[]
}

/** The supported model of one router: what the mapping has of the menus that the router has. */
export class SupportedObjects implements SupportedModel {
  readonly uri: string
  readonly #model: Model
  readonly #served: Served
  readonly #menus: ReadonlySet<string>
  readonly #objects = new Map<string, SupportedObject>()
  readonly #tables = new Map<string, ObjectMapping[]>()
  readonly #growing = new Set<string>()
  #together: ReadonlyMap<string, ReadonlySet<string>> | undefined
  readonly #parameters = new Map<ObjectMapping, ParameterMapping[]>()

  constructor(model: Model, mappings: readonly ObjectMapping[], facts: RouterFacts, served: Served) {
    this.uri = model.uri
    this.#model = model
    this.#served = served
    this.#menus = facts.menus
    for (const mapping of mappings)
      if (mapping.needs.every((menu) => facts.menus.has(menu)) && !facts.lacking.has(mapping.object))
        this.#take(mapping, facts.menus)
    for (const schema of served.objects?.() ?? []) this.#takeCommands(schema)
  }

  objects(): Iterable<string> {
    return this.#objects.keys()
  }

  object(schema: string): ObjectKind | undefined {
    const found = this.#objects.get(schema)
    // A key whose parameters are not all supported tells no rows apart.
    const keys = this.#model.objects.get(schema)?.keys.filter((key) => key.every((name) => found?.parameters.has(name)))
    return found === undefined ? undefined : { ...found.kind, keys: keys ?? [] }
  }

  parameters(schema: string): readonly string[] {
    return [...(this.#objects.get(schema)?.parameters.keys() ?? [])]
  }

  parameter(path: string): ModelParameter | undefined {
    return this.#find(path)?.parameter
  }

  /** Returns the origin of the values of a parameter; undefined when it is not supported. */
  origin(path: string): Origin | undefined {
    return this.#find(path)?.origin
  }

  /** Returns the declarations whose rows make up a table. */
  tablesAt(schema: string): readonly ObjectMapping[] {
    return this.#tables.get(schema) ?? []
  }

  /** Returns the properties of the rows of a table that its supported parameters need. */
  propertiesOf(mapping: ObjectMapping): readonly string[] {
    return (this.#parameters.get(mapping) ?? []).flatMap(needsOwn)
  }

  /**
   * Returns the properties of readings that tables are made of, by the id of the reading: those that any table needs.
   * Raw values are not among them.
   */
  together(): ReadonlyMap<string, ReadonlySet<string>> {
    this.#together ??= this.#findTogether()
    return this.#together
  }

  #findTogether(): ReadonlyMap<string, ReadonlySet<string>> {
    const found = new Map<string, Set<string>>()
    const note = (reading: MenuReading, properties: readonly string[]) => {
      const id = readingId(reading)
      found.set(id, new Set([...(found.get(id) ?? []), ...properties]))
    }
    for (const [mapping, parameters] of this.#parameters) {
      if (mapping.table === undefined || isVendors(mapping)) continue
      const { source } = mapping
      if (isDerived(source)) for (const reading of Object.values(source.readings)) note(reading, reading.properties)
      else note(source, [...ownProperties(mapping), ...parameters.flatMap(needsOwn)])
    }
    return found
  }

  #find(path: string) {
    const { object, leaf } = splitLeaf(path)
    return this.#objects.get(schemaPathOf(object))?.parameters.get(leaf)
  }

  #take(mapping: ObjectMapping, menus: ReadonlySet<string>): void {
    const { object, table, parameters } = mapping
    if (table?.grows === true || this.#served.grows?.(object) === true) this.#growing.add(object)
    const written = new Set(this.#served.writes?.(object))
    const known: ParameterMapping[] = []
    this.#parameters.set(mapping, known)
    this.#ensure(object)
    if (table !== undefined) this.#tables.set(object, [...(this.#tables.get(object) ?? []), mapping])
    for (const [name, parameter] of Object.entries(parameters)) {
      if (!isThere(mapping, parameter, menus)) continue
      known.push(parameter)
      const { object: schema, leaf } = splitLeaf(object + name)
      this.#add(this.#ensure(schema), schema, leaf, { mapping, parameter }, written.has(name))
    }
  }

  #add({ parameters }: SupportedObject, schema: string, leaf: string, place: Place, isWritten: boolean): void {
    const before = parameters.get(leaf)
    const places = before !== undefined && 'places' in before.origin ? before.origin.places : []
    const standard = this.#model.objects.get(schema)?.params.get(leaf) ?? ownParameter(leaf, 'string', false)
    const isWritable =
      isWritten || place.parameter.write !== undefined || (before !== undefined && before.parameter.access !== 'r')
    const parameter: ModelParameter = isWritable ? standard : { ...standard, access: 'r' }
    parameters.set(leaf, { parameter, origin: { places: [...places, place] } })
  }

  /** An object that has commands and nothing else, below objects that are there. */
  #takeCommands(schema: string): void {
    const rows = /^(.*\{i\}\.)[^{]*$/.exec(schema)?.[1]
    const hasRows = rows === undefined || this.#objects.has(rows)
    if (hasRows && this.#kindOf(schema, this.#model.objects.get(schema)).commands.size > 0) this.#ensure(schema)
  }

  /** The object at a schema path, with the objects above it. A table is counted by the object above it. */
  #ensure(schema: string): SupportedObject {
    const known = this.#objects.get(schema)
    if (known !== undefined) return known
    const standard = this.#model.objects.get(schema)
    const made: SupportedObject = { kind: this.#kindOf(schema, standard), parameters: new Map() }
    this.#objects.set(schema, made)
    const above = parentOf(schema.replace(/\{i\}\.$/, ''))
    if (above === '') return made
    const { parameters } = this.#ensure(above)
    const count = standard?.count
    const parameter = count === undefined ? undefined : this.#model.objects.get(above)?.params.get(count)
    if (parameter !== undefined) parameters.set(parameter.name, { parameter, origin: { countOf: schema } })
    return made
  }

  #kindOf(path: string, standard: ModelObject | undefined): Keyless {
    const commands = this.#served.commands(path, standard?.commands ?? new Map(), this.#menus)
    const sent = new Set(this.#served.events(path))
    return {
      path,
      table: path.endsWith('{i}.'),
      access: this.#growing.has(path) ? (standard?.access ?? 'r') : 'r',
      commands: new Map(commands.map((command) => [command.name, command])),
      events: new Map([
        ...[...(standard?.events ?? [])].filter(([name]) => sent.has(name)),
        ...[...(this.#served.vendorEvents?.(path) ?? [])].map(([name, args]): [string, string[]] => [name, [...args]]),
      ]),
    }
  }
}

/** A parameter is there when the router has one of the menus that it comes from, or when it comes from none. */
function isThere(
  { source, joins = {} }: ObjectMapping,
  parameter: ParameterMapping,
  menus: ReadonlySet<string>,
): boolean {
  if (parameter.from.length === 0) return true
  if (needsOwn(parameter).length > 0 && (isDerived(source) || menus.has(source.menu))) return true
  return needsJoined(parameter).some(({ join }) => menus.has(joins[join]?.menu ?? ''))
}
