import { commandUnder, defaultArgument, loadModel } from '../datamodel/index.ts'
import { type Operation, type OperationRequest, type OperationStore, restartOf } from '../domain/index.ts'

/** Former operations of a device that are looked at. */
const LOOK = 100

/**
 * Returns a diagnostic for a CPE with the defaults of all arguments that it leaves out and that former requests have set.
 * A CPE keeps the arguments of a diagnostic as parameters: the interface of one ping would be that of the next. An
 * argument that no request of this server has set is left to the CPE, whose own default it is.
 */
export async function withoutFormerArguments(
  operation: Operation,
  store: Pick<OperationStore, 'list'>,
): Promise<Operation> {
  const { request, deviceId, id } = operation
  if (request.verb !== 'operate' || restartOf(request.command) !== undefined) return operation
  const command = commandUnder('Device.', request.command)
  const inputs = loadModel('tr181-usp').command(command)?.input
  if (inputs === undefined || inputs.length === 0) return operation
  const { items } = await store.list({ deviceId, limit: LOOK })
  const former = new Set(
    items.filter((other) => other.id < id && hasSet(other, command)).flatMap((other) => namesIn(other.request)),
  )
  const left = inputs.flatMap(({ name, type }) => {
    const value = former.has(name) && !(name in request.input) ? defaultArgument(name, type) : undefined
    return value === undefined ? [] : [[name, value] as const]
  })
  if (left.length === 0) return operation
  return { ...operation, request: { ...request, input: { ...Object.fromEntries(left), ...request.input } } }
}

/** Returns true for an operation that may have written arguments of the command on the CPE: a fault leaves all as it was. */
function hasSet({ request, sentVia, result }: Operation, command: string): boolean {
  if (request.verb !== 'operate' || sentVia !== 'cwmp' || commandUnder('Device.', request.command) !== command)
    return false
  return !/^9\d{3}$/.test(result?.error?.code ?? '')
}

function namesIn(request: OperationRequest): string[] {
  return request.verb === 'operate' ? Object.keys(request.input) : []
}
