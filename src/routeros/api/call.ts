import type { Clock } from '../../base/index.ts'
import type { RouterRow } from '../router-os.ts'
import { RouterOsError } from '../router-os-error.ts'
import type { ReplyEvents, Wire } from './node-routeros.ts'

/** Receiver of one call. */
interface CallSink {
  onRow(row: RouterRow, bytes: number): void
  /** Called once. */
  onEnd(error: RouterOsError | undefined, ret: string | undefined): void
}

/** Milliseconds in which a router ends a command that it was asked to cancel. */
const CANCEL_MS = 10_000
/** Rows that still come in that time, at most. */
const MAX_LATE_ROWS = 50_000
const MAX_TRAPS = 8
const MAX_MESSAGE = 300
const IGNORED: ReplyEvents = { onRow: () => undefined, onTrap: () => undefined, onDone: () => undefined }

/**
 * One sentence that was sent, until the router has ended its reply. Its sink may hear of an end earlier; the call is
 * under way on the router until `onDone`.
 */
export class Call {
  readonly path: string
  private readonly wire: Wire
  private readonly clock: Clock
  private readonly sink: CallSink
  private readonly onDone: () => void
  private readonly tag: string
  private readonly traps: RouterRow[] = []
  private lateRows = 0
  private isEnded = false
  private isDone = false
  private endGrace: (() => void) | undefined

  /** Sends the words. `onDone` is called once, when the reply has ended or the connection has. */
  constructor(wire: Wire, clock: Clock, words: readonly string[], sink: CallSink, onDone: () => void) {
    this.wire = wire
    this.clock = clock
    this.sink = sink
    this.onDone = onDone
    this.path = words[0] ?? ''
    this.tag = wire.send(words, {
      onRow: (row, bytes) => {
        if (!this.isEnded) this.sink.onRow(row, bytes)
        else if (++this.lateRows > MAX_LATE_ROWS) this.destroy()
      },
      onTrap: (trap) => {
        if (this.traps.length < MAX_TRAPS) this.traps.push(trap)
      },
      onDone: (ret) => this.done(this.trapError(), ret),
    })
  }

  /** Asks the router to stop it. With an error the sink hears of that now, otherwise of the end when it comes. */
  cancel(error?: RouterOsError): void {
    if (error !== undefined) this.end(error, undefined)
    if (this.isDone || this.endGrace !== undefined) return
    if (this.wire.isWritable) this.wire.send(['/cancel', `=tag=${this.tag}`], IGNORED)
    this.endGrace = this.clock.after(CANCEL_MS, () => this.destroy())
  }

  private destroy(): void {
    this.wire.destroy(new RouterOsError('timeout', 'the router ends no command; the connection was closed'))
  }

  /** The connection has ended. */
  lost(error: RouterOsError): void {
    this.done(error, undefined)
  }

  private done(error: RouterOsError | undefined, ret: string | undefined): void {
    if (this.isDone) return
    this.isDone = true
    this.endGrace?.()
    this.onDone()
    this.end(error, ret)
  }

  private end(error: RouterOsError | undefined, ret: string | undefined): void {
    if (this.isEnded) return
    this.isEnded = true
    this.sink.onEnd(error, ret)
  }

  private trapError(): RouterOsError | undefined {
    const [first] = this.traps
    if (first === undefined) return undefined
    const all = this.traps.map(({ message = 'an error without a text' }) => message.slice(0, MAX_MESSAGE))
    const category = /^[0-7]$/.test(first.category ?? '') ? Number(first.category) : undefined
    return new RouterOsError('trap', all[0] ?? '', {
      ...(category === undefined ? {} : { category }),
      all,
      context: { path: this.path },
    })
  }
}
