import { AppError, isConflict } from './errors.ts'

interface ConflictRetry {
  /** Attempts at most. */
  attempts: number
  /** Returns true for an error after which the work is done again. Default: AppError `conflict`. */
  isRetryable?(error: unknown): boolean
  /** Waits before the next attempt; `attempt` is the number of those that failed. Default: no wait. */
  pause?(attempt: number): Promise<void>
}

/**
 * Does work that reads, decides and writes under a guard, and repeats it when another change was faster. `work` reads
 * again each time. Throws the error of the last attempt.
 */
export async function retryOnConflict<T>(work: () => Promise<T>, options: ConflictRetry): Promise<T> {
  const { attempts, isRetryable = isConflict, pause } = options
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error
      await pause?.(attempt)
    }
  }
}

/** Resolves with false when work rejects with AppError `conflict`: what it is about has changed since it was read. */
export async function unlessConflict(work: Promise<void>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (!isConflict(error)) throw error
    return false
  }
}

/**
 * Returns true for an AppError that means that a record has changed since it was read: `conflict`, or `notFound` when
 * it was deleted.
 */
export function isOvertaken(error: unknown): boolean {
  return isConflict(error) || (error instanceof AppError && error.code === 'notFound')
}
