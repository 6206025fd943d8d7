import type { Clock, Log } from '../../base/index.ts'
import { CommandGate, timeoutText } from '../command-gate.ts'
import type {
  RouterCallOptions,
  RouterCommand,
  RouterReply,
  RouterRow,
  RouterStream,
  RouterStreamEvents,
} from '../router-os.ts'
import { RouterOsError } from '../router-os-error.ts'
import type { RouterSession } from '../router-session.ts'
import { wordsOf } from '../words.ts'
import { Call } from './call.ts'
import type { Wire } from './node-routeros.ts'

/** Bounds of replies. */
export interface ReplyLimits {
  /** Rows of one reply at most. */
  rows: number
  /** Bytes of one reply at most. */
  bytes: number
  /** Streams at a time. */
  streams: number
  /** Milliseconds of a call that names no deadline. */
  deadlineMs: number
}

export const REPLY_LIMITS: ReplyLimits = { rows: 50_000, bytes: 16 * 1024 * 1024, streams: 16, deadlineMs: 15_000 }

/** A connection over the RouterOS API that has logged in. */
export class ApiSession implements RouterSession {
  readonly transport: 'api' | 'api-ssl'
  readonly localAddress: string | undefined
  readonly remoteAddress: string | undefined
  readonly ended: Promise<RouterOsError>
  heardAt: number
  private readonly wire: Wire
  private readonly clock: Clock
  private readonly log: Log
  private readonly limits: ReplyLimits
  private readonly gate = new CommandGate()
  /** Calls that wait for their turn or are under way, by the function that ends each when the connection has. */
  private readonly open = new Set<(error: RouterOsError) => void>()
  private streams = 0
  private endError: RouterOsError | undefined
  private resolveEnded: (error: RouterOsError) => void = () => undefined

  constructor(wire: Wire, transport: 'api' | 'api-ssl', clock: Clock, log: Log, limits: ReplyLimits = REPLY_LIMITS) {
    this.wire = wire
    this.transport = transport
    this.clock = clock
    this.log = log
    this.limits = limits
    this.heardAt = clock.now()
    this.localAddress = wire.socket.localAddress
    this.remoteAddress = wire.socket.remoteAddress
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve
    })
  }

  async command(command: RouterCommand, options: RouterCallOptions = {}): Promise<RouterReply> {
    const words = wordsOf(command)
    const { signal, deadlineMs = this.limits.deadlineMs } = options
    this.checkOpen(command.path, signal)
    if (this.gate.isFull)
      throw new RouterOsError('busy', `${command.path} was not sent: too many commands wait for this router`, {
        sent: false,
      })
    return new Promise((resolve, reject) => {
      const rows: RouterRow[] = []
      let bytes = 0
      let call: Call | undefined
      const finish = (error: RouterOsError | undefined, ret?: string): void => {
        stopDeadline()
        signal?.removeEventListener('abort', onAbort)
        if (call === undefined) this.open.delete(lost)
        if (error !== undefined) reject(error)
        else resolve(ret === undefined ? { rows } : { rows, ret })
      }
      const fail = (kind: 'timeout' | 'cancelled' | 'tooLarge', message: string): void => {
        const error = new RouterOsError(kind, message, { sent: call !== undefined, context: { path: command.path } })
        withdraw()
        if (call === undefined) finish(error)
        else call.cancel(error)
      }
      const onAbort = (): void => fail('cancelled', `${command.path} was cancelled`)
      const stopDeadline = this.clock.after(deadlineMs, () =>
        fail('timeout', timeoutText(command.path, deadlineMs, call !== undefined)),
      )
      const lost = (error: RouterOsError): void => {
        if (call !== undefined) return call.lost(error)
        withdraw()
        finish(unsent(error))
      }
      this.open.add(lost)
      signal?.addEventListener('abort', onAbort, { once: true })
      const withdraw = this.gate.enter(command.writes === true, (release) => {
        // The end of such a connection is known in a moment; it ends this call as one that was not sent.
        if (!this.wire.isWritable) return
        call = new Call(
          this.wire,
          this.clock,
          words,
          {
            onRow: (row, size) => {
              bytes += size
              if (rows.length >= this.limits.rows || bytes > this.limits.bytes)
                fail('tooLarge', `the reply to ${command.path} is too large`)
              else rows.push(row)
            },
            onEnd: finish,
          },
          () => {
            this.open.delete(lost)
            release()
          },
        )
      })
    })
  }

  stream(command: RouterCommand, events: RouterStreamEvents, options: RouterCallOptions = {}): RouterStream {
    const { signal, deadlineMs } = options
    let call: Call
    try {
      const words = wordsOf(command)
      this.checkOpen(command.path, signal)
      if (this.streams >= this.limits.streams)
        throw new RouterOsError('busy', `${command.path} was not sent: too many streams of this router`, {
          sent: false,
        })
      call = new Call(this.wire, this.clock, words, { onRow: give, onEnd: finish }, () => {
        this.open.delete(lost)
        this.streams--
      })
      this.streams++
    } catch (error) {
      queueMicrotask(() => events.onEnd(asRouterOsError(error)))
      return { stop: () => Promise.resolve() }
    }
    const { log } = this
    let isStopping = false
    let resolveStopped: () => void = () => undefined
    const stopped = new Promise<void>((resolve) => {
      resolveStopped = resolve
    })
    const lost = (error: RouterOsError): void => call.lost(error)
    const stop = (): Promise<void> => {
      isStopping = true
      call.cancel()
      return stopped
    }
    const onAbort = (): void => void stop()
    const stopDeadline =
      deadlineMs === undefined
        ? () => undefined
        : this.clock.after(deadlineMs, () =>
            call.cancel(new RouterOsError('timeout', `${command.path} was ended after ${deadlineMs} ms`)),
          )
    this.open.add(lost)
    signal?.addEventListener('abort', onAbort, { once: true })
    return { stop }

    function give(row: RouterRow): void {
      if (isStopping) return
      try {
        events.onRow(row)
      } catch (cause) {
        call.cancel(new RouterOsError('cancelled', `a row of ${command.path} could not be handled`, { cause }))
      }
    }
    function finish(error: RouterOsError | undefined): void {
      stopDeadline()
      signal?.removeEventListener('abort', onAbort)
      resolveStopped()
      try {
        events.onEnd(isStopping ? undefined : error)
      } catch (err) {
        log.error({ err, path: command.path }, 'the end of a stream could not be handled')
      }
    }
  }

  async close(): Promise<void> {
    this.wire.destroy(new RouterOsError('closed', 'the connection was closed by this side'))
    await this.ended
  }

  end(error: RouterOsError): void {
    this.wire.destroy(error)
  }

  /** Bytes of the router have arrived. */
  heard(): void {
    this.heardAt = this.clock.now()
  }

  /** The connection has ended: each call ends with its error. */
  lost(error: RouterOsError): void {
    this.endError = error
    for (const lost of [...this.open]) lost(error)
    this.resolveEnded(error)
  }

  private checkOpen(path: string, signal: AbortSignal | undefined): void {
    if (this.endError !== undefined) throw unsent(this.endError)
    if (!this.wire.isWritable) throw new RouterOsError('closed', 'the connection has ended', { sent: false })
    if (signal?.aborted) throw new RouterOsError('cancelled', `${path} was cancelled`, { sent: false })
  }
}

/** The error of a connection for a call that never left. */
function unsent(error: RouterOsError): RouterOsError {
  return new RouterOsError(error.kind === 'fatal' ? 'fatal' : 'closed', error.message, { sent: false, cause: error })
}

function asRouterOsError(error: unknown): RouterOsError {
  return error instanceof RouterOsError ? error : new RouterOsError('protocol', 'a command failed', { cause: error })
}
