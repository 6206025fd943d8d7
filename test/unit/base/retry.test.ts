import { describe, expect, it } from 'vitest'
import { AppError, isOvertaken, retryOnConflict } from '../../../src/base/index.ts'

const conflict = () => new AppError('conflict', 'the record has changed')

function failing(errors: Error[]): { work(): Promise<string>; done(): number } {
  let done = 0
  return {
    async work() {
      const error = errors[done++]
      if (error !== undefined) throw error
      return 'written'
    },
    done: () => done,
  }
}

describe('retryOnConflict', () => {
  it('does the work again after a conflict', async () => {
    const { work, done } = failing([conflict(), conflict()])
    expect(await retryOnConflict(work, { attempts: 3 })).toBe('written')
    expect(done()).toBe(3)
  })

  it('throws the conflict of the last attempt', async () => {
    const last = conflict()
    const { work, done } = failing([conflict(), last, conflict()])
    await expect(retryOnConflict(work, { attempts: 2 })).rejects.toBe(last)
    expect(done()).toBe(2)
  })

  it('throws any other error at once, unless it is named as one to retry', async () => {
    const missing = new AppError('notFound', 'there is no such device')
    const once = failing([missing])
    await expect(retryOnConflict(once.work, { attempts: 3 })).rejects.toBe(missing)
    expect(once.done()).toBe(1)
    expect(await retryOnConflict(failing([missing]).work, { attempts: 3, isRetryable: isOvertaken })).toBe('written')
  })

  it('pauses between two attempts, and not before the first or after the last', async () => {
    const pauses: number[] = []
    const { work } = failing([conflict(), conflict(), conflict()])
    const pause = async (attempt: number) => void pauses.push(attempt)
    await expect(retryOnConflict(work, { attempts: 3, pause })).rejects.toThrow('the record has changed')
    expect(pauses).toEqual([1, 2])
  })
})
