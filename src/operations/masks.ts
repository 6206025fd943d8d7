import { AppError } from '../base/index.ts'
import { type Actor, isMasked, MASK, type OperationRequest, secretTextMask, writtenValues } from '../domain/index.ts'
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

/**
 * Returns a refusal of a request without the secrets that the request has, for the answer and the audit log. The same
 * object when it had none.
 */
export function refusalWithoutSecrets(error: AppError, request: OperationRequest): AppError {
  const mask = secretTextMask(request)
  const context = Object.fromEntries(
    Object.entries(error.context).map(([name, value]) => [name, typeof value === 'string' ? mask(value) : value]),
  )
  const message = mask(error.message)
  const isSame =
    message === error.message && Object.entries(context).every(([name, value]) => value === error.context[name])
  // The cause has the text that is masked here.
  return isSame ? error : new AppError(error.code, message, { context })
}
