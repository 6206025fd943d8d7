import type { RouterReads } from '../../src/bridge/index.ts'
import { schemaPathOf } from '../../src/datamodel/index.ts'

/** Resolves with the values of all parameters of a model below an object, and with the paths of all its rows. */
export async function readEverything(
  model: RouterReads,
  below = '',
): Promise<{ values: ReadonlyMap<string, string>; rows: readonly string[] }> {
  const supported = await model.supported()
  const rows: string[] = []
  const expand = async (object: string, rest: string): Promise<string[]> => {
    const at = rest.indexOf('{i}.')
    if (at < 0) return [object + rest]
    const instances = await model.instances(object + rest.slice(0, at))
    rows.push(...instances)
    return (await Promise.all(instances.map((row) => expand(row, rest.slice(at + 4))))).flat()
  }
  const schemas = [...supported.objects()].filter((schema) => schema.startsWith(below))
  const objects = (await Promise.all(schemas.map((schema) => expand('', schema)))).flat()
  const paths = objects.flatMap((object) => supported.parameters(schemaPathOf(object)).map((name) => object + name))
  return { values: await model.get(paths), rows: [...new Set(rows)].sort() }
}
