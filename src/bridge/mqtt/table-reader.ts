import type { MqttModel } from './served-router.ts'

/** A row with the values of some of its parameters; those that do not exist are not there. */
interface ReadRow {
  /** Path of the row, with its last dot. */
  readonly path: string
  readonly values: Readonly<Record<string, string | undefined>>
}

/** Rows of one table that are read at most. */
const MAX_ROWS = 500

/** Resolves with the paths of the rows that a path with `*` for instances means; AgentError. */
async function pathsAt(model: Pick<MqttModel, 'instances'>, pattern: string): Promise<readonly string[]> {
  let paths: readonly string[] = ['']
  const parts = pattern.split('*.')
  for (const [index, part] of parts.entries()) {
    const tables = paths.map((path) => path + part)
    paths =
      index === parts.length - 1 ? tables : (await Promise.all(tables.map((table) => model.instances(table)))).flat()
  }
  return paths.slice(0, MAX_ROWS)
}

/** Resolves with rows and values of their parameters, e.g. of `Device.WiFi.SSID.*.`; AgentError. */
export async function readRows(
  model: Pick<MqttModel, 'instances' | 'get'>,
  pattern: string,
  names: readonly string[],
): Promise<readonly ReadRow[]> {
  const paths = await pathsAt(model, pattern)
  if (paths.length === 0) return []
  const values = await model.get(paths.flatMap((path) => names.map((name) => path + name)))
  return paths.map((path) => ({
    path,
    values: Object.fromEntries(names.map((name) => [name, values.get(path + name)])),
  }))
}
