import { schemaPathOf } from '../datamodel/index.ts'
import type { Operation, Parameter, ParameterStore, ParameterType, Protocol } from '../domain/index.ts'

/** What a box said the types of its parameters are; the model comes second (TR-069 A.3.2.1: a wrong type is refused, 9006). */
export type TypeOf = (path: string) => ParameterType | undefined

// One row tells the types of all rows of its table.
const ROW_LOOK = 200

/**
 * The types of what an operation writes, as the box reported them. CWMP alone puts types on the wire, and only the box knows those of its
 * vendor's parameters.
 */
export async function reportedTypes(
  { deviceId, request }: Operation,
  protocol: Protocol,
  parameters: ParameterStore,
): Promise<TypeOf | undefined> {
  if (protocol !== 'cwmp') return undefined
  let known: Parameter[] = []
  if (request.verb === 'set') {
    known = await parameters.getMany(
      deviceId,
      request.values.filter(({ type }) => type === undefined).map(({ path }) => path),
    )
  } else if (request.verb === 'add' && Object.keys(request.values).length > 0)
    known = (await parameters.list(deviceId, request.object, ROW_LOOK)).items
  const types = new Map<string, ParameterType>()
  for (const { path, type, source } of known) {
    if (source === 'cwmp' && type !== 'unknown') types.set(schemaPathOf(path), type)
  }
  return types.size === 0 ? undefined : (path) => types.get(schemaPathOf(path))
}
