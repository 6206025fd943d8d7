import { BoundedSet } from '../base/index.ts'

const MAX = 20_000

/** Operations that were submitted to this process and have not ended here; the oldest are forgotten when there are too many. */
interface Fresh {
  add(operationId: string): void
  has(operationId: string): boolean
  remove(operationId: string): void
}

export function createFresh(): Fresh {
  const ids = new BoundedSet<string>(MAX)
  return {
    add: (operationId) => void ids.add(operationId),
    has: (operationId) => ids.has(operationId),
    remove: (operationId) => {
      ids.delete(operationId)
    },
  }
}
