import { schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import type { SupportedModel } from '../../usp/index.ts'
import { readingsOf } from '../mapping/index.ts'
import type { RouterReads } from '../model/bridged-model.ts'
import type { SupportedObjects } from '../model/supported-objects.ts'

/** Paths to look at: `rows` of tables, or `values` of parameters. `*` stands for any instance. */
export interface Look {
  readonly rows: readonly string[]
  readonly values: readonly string[]
}

/** The rows and parameters that a look means now. */
export interface Places {
  /** Paths of rows, by the path of their table. */
  readonly tables: ReadonlyMap<string, ReadonlySet<string>>
  readonly parameters: ReadonlySet<string>
}

/** Parameters of one router that are looked at, at most; those behind it are left out. */
export const MAX_PARAMETERS = 5000

/** Resolves with the places that a look means; rejects when the router does not answer. */
export async function placesOf(reads: RouterReads, { rows, values }: Look): Promise<Places> {
  const supported = await reads.supported()
  const tables = new Map<string, ReadonlySet<string>>()
  await Promise.all(
    rows.flatMap((pattern) =>
      tablePatterns(supported, pattern).map(async (table) => {
        for (const path of await objectsAt(reads, table)) tables.set(path, new Set(await reads.instances(path)))
      }),
    ),
  )
  const parameters = new Set<string>()
  for (const found of await Promise.all(values.map((pattern) => parametersAt(reads, supported, pattern))))
    for (const path of found) if (parameters.size < MAX_PARAMETERS) parameters.add(path)
  return { tables, parameters }
}

/** Returns the schema paths of the objects that places are of. */
export function objectsOf({ tables, parameters }: Places): ReadonlySet<string> {
  return new Set([
    ...[...tables.keys()].map((table) => `${schemaPathOf(table)}{i}.`),
    ...[...parameters].map((path) => schemaPathOf(splitLeaf(path).object)),
  ])
}

/** Returns the menus of the router that objects are read from, by their schema paths. */
export function menusOf(objects: ReadonlySet<string>, supported: SupportedObjects): ReadonlySet<string> {
  const readings = [...objects].flatMap((schema) => supported.tablesAt(schema)).flatMap(readingsOf)
  return new Set(readings.map(({ menu }) => menu))
}

/** Returns the patterns of the tables at and below a pattern; for a row, that of its table. */
function tablePatterns(supported: SupportedModel, pattern: string): string[] {
  const table = pattern.replace(/(\.)(?:\d+|\*)\.$/, '$1')
  const above = schemaPathOf(table)
  return [...supported.objects()]
    .filter((schema) => schema.endsWith('{i}.'))
    .flatMap((schema) => {
      const below = restBelow(above, schema.slice(0, -'{i}.'.length))
      return below === undefined ? [] : table + below
    })
}

async function parametersAt(reads: RouterReads, supported: SupportedModel, pattern: string): Promise<string[]> {
  if (!pattern.endsWith('.')) {
    const { object, leaf } = splitLeaf(pattern)
    if (supported.parameter(pattern) === undefined) return []
    return (await objectsAt(reads, object)).map((path) => path + leaf)
  }
  const above = schemaPathOf(pattern)
  const found = await Promise.all(
    [...supported.objects()].map(async (schema) => {
      const below = restBelow(above, schema)
      const names = supported.parameters(schema)
      if (below === undefined || names.length === 0) return []
      return (await objectsAt(reads, pattern + below)).flatMap((path) => names.map((name) => path + name))
    }),
  )
  return found.flat()
}

/** Returns the rest of a schema path below another, with `*` for each `{i}`; undefined when it is not below. */
function restBelow(above: string, schema: string): string | undefined {
  return schema.startsWith(above) ? schema.slice(above.length).replaceAll('{i}', '*') : undefined
}

/** Resolves with the objects that a pattern means now, each with its last dot. */
async function objectsAt(reads: RouterReads, pattern: string): Promise<readonly string[]> {
  let objects: readonly string[] = ['']
  for (const name of pattern.split('.').slice(0, -1)) {
    if (name !== '*' && !/^\d+$/.test(name)) objects = objects.map((object) => `${object}${name}.`)
    else {
      const rows = (await Promise.all(objects.map((table) => reads.instances(table)))).flat()
      objects = name === '*' ? rows : rows.filter((row) => row.endsWith(`.${name}.`))
    }
  }
  return objects
}
