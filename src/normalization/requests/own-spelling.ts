import { inShownSpelling } from '../../datamodel/index.ts'
import type { DeviceId, ExecuteHooks, Operation } from '../../domain/index.ts'
import type { RecentTrees } from '../tree/recent-trees.ts'
import { StoredTree } from '../tree/stored-tree.ts'

/**
 * Returns a write by own paths with its booleans in the spelling that the device shows, where it has another type for
 * them. A value with a type stays as it was asked for, and so does any other operation.
 */
export async function withOwnSpelling(
  operation: Operation,
  deviceId: DeviceId,
  { typeOf }: ExecuteHooks,
  trees: RecentTrees,
): Promise<Operation> {
  const { request } = operation
  if (request.verb !== 'set' || typeOf === undefined) return operation
  const tree = new StoredTree(trees.of(deviceId))
  const values = await tree.whenRead(() =>
    request.values.map((asked) => {
      const type = asked.type === undefined ? typeOf(asked.path) : undefined
      if (type === undefined || type === 'boolean') return asked
      return { ...asked, value: inShownSpelling(asked, type, tree.value(asked.path)) }
    }),
  )
  return { ...operation, request: { ...request, values } }
}
