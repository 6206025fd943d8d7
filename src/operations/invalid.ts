import { AppError } from '../base/index.ts'
import { MASK, shownValue } from '../domain/index.ts'

/** Returns an AppError `invalid` about a path or field. */
export function invalid(path: string, reason: string, cause?: unknown): AppError {
  const shown = path.length > 120 ? `${path.slice(0, 120)}...` : path
  return new AppError('invalid', reason.startsWith('path ') ? reason : `${shown} ${reason}`, {
    context: { path: shown, reason },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Returns a value for a refusal, by its path or the name of its argument: the audit log keeps that, and no secret. */
export function namedValue(path: string, value: string): string {
  const shown = shownValue(path, value)
  return shown === MASK ? `value ${MASK}` : `value ${JSON.stringify(shown.slice(0, 60))}`
}
