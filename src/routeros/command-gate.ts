/** Commands of one router that run side by side, and writes one at a time. */
interface GateLimits {
  /** Commands under way at most. */
  inFlight: number
  /** Commands that wait at most. */
  waiting: number
}

const GATE_LIMITS: GateLimits = { inFlight: 4, waiting: 256 }

interface Waiter {
  writes: boolean
  start(release: () => void): void
}

/**
 * Lets commands through in order, as many as may be under way. A write waits until the one before it has ended; reads
 * that come after it need not wait for it.
 */
export class CommandGate {
  private readonly limits: GateLimits
  private readonly queue: Waiter[] = []
  private inFlight = 0
  private isWriting = false

  constructor(limits: GateLimits = GATE_LIMITS) {
    this.limits = limits
  }

  /** True when no further command may wait. */
  get isFull(): boolean {
    return this.queue.length >= this.limits.waiting
  }

  /**
   * Calls `start` when the command may be sent, at once where it can be, with the function that ends its turn. The
   * returned function withdraws a command that still waits.
   */
  enter(writes: boolean, start: (release: () => void) => void): () => void {
    const waiter = { writes, start }
    this.queue.push(waiter)
    this.pump()
    return () => {
      const at = this.queue.indexOf(waiter)
      if (at >= 0) this.queue.splice(at, 1)
    }
  }

  private pump(): void {
    while (this.inFlight < this.limits.inFlight) {
      const at = this.queue.findIndex(({ writes }) => !writes || !this.isWriting)
      const [waiter] = at < 0 ? [] : this.queue.splice(at, 1)
      if (waiter === undefined) return
      this.run(waiter)
    }
  }

  private run({ writes, start }: Waiter): void {
    this.inFlight++
    if (writes) this.isWriting = true
    let isReleased = false
    start(() => {
      if (isReleased) return
      isReleased = true
      this.inFlight--
      if (writes) this.isWriting = false
      this.pump()
    })
  }
}

/** Returns the text for a command whose time is over: it has no answer, or its turn did not come. */
export function timeoutText(path: string, deadlineMs: number, wasSent: boolean): string {
  return wasSent
    ? `${path} has no answer after ${deadlineMs} ms`
    : `${path} was not sent in ${deadlineMs} ms: the router has not answered the commands before it`
}
