import { AppError } from '../base/index.ts'
import { type Actor, isMasked, MASK, type OperationRequest, rowsToAdd } from '../domain/index.ts'
import { isTrusted } from './verbs.ts'

/**
 * Refuses a request that would write the mask of a secret in place of the secret, as a client does that writes what it
 * has read: AppError `invalid`, naming the path. Requests of the server itself pass: they put the secret in its place.
 */
export function refuseMasks(actor: Actor, request: OperationRequest): void {
  if (isTrusted(actor)) return
  const found = writtenValues(request).find(([path, value]) => isMasked(path, value))
  if (found === undefined) return
  const reason = `has ${MASK}, which stands for a secret that is not shown; give the value itself, or leave it out`
  throw new AppError('invalid', `${found[0]} ${reason}`, { context: { path: found[0], reason } })
}

/** Returns the values that a request gives to the device, each with its path or the name of its argument. */
function writtenValues(request: OperationRequest): [string, string][] {
  switch (request.verb) {
    case 'set':
      return request.values.map(({ path, value }) => [path, value])
    case 'add':
      return rowsToAdd(request).flatMap(({ object, values }) =>
        Object.entries(values).map(([name, value]): [string, string] => [`${object}{i}.${name}`, value]),
      )
    case 'operate':
      return Object.entries(request.input)
    case 'script':
      return Object.entries(request.parameters)
    case 'download':
      return [['Password', request.password ?? '']]
    default:
      return []
  }
}
