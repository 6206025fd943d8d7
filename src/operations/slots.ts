/** Places for executions: so many run at once, the others wait in the order they came. */
export interface Slots {
  /** Resolves with the function that gives the place back (once), or with undefined when the signal aborted first. */
  take(signal: AbortSignal): Promise<(() => void) | undefined>
  readonly taken: number
  readonly waiting: number
}

export function createSlots(limit: number, onChange: (taken: number, waiting: number) => void): Slots {
  const queue = new Set<() => void>()
  let taken = 0

  const release = () => {
    let given = false
    return () => {
      if (given) return
      given = true
      taken--
      const [next] = queue
      if (next !== undefined) {
        queue.delete(next)
        next()
      } else onChange(taken, queue.size)
    }
  }
  const occupy = () => {
    taken++
    onChange(taken, queue.size)
    return release()
  }

  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(undefined)
      if (taken < limit) return Promise.resolve(occupy())
      return new Promise((resolve) => {
        const onAbort = () => {
          queue.delete(go)
          onChange(taken, queue.size)
          resolve(undefined)
        }
        const go = () => {
          signal.removeEventListener('abort', onAbort)
          resolve(occupy())
        }
        signal.addEventListener('abort', onAbort, { once: true })
        queue.add(go)
        onChange(taken, queue.size)
      })
    },
    get taken() {
      return taken
    },
    get waiting() {
      return queue.size
    },
  }
}
