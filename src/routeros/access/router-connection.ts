import type { Clock, Log, Random } from '../../base/index.ts'
import type {
  RouterCallOptions,
  RouterCommand,
  RouterOs,
  RouterReply,
  RouterStream,
  RouterStreamEvents,
} from '../router-os.ts'
import { RouterOsError } from '../router-os-error.ts'
import type { RouterSession } from '../router-session.ts'
import { reconnectDelay } from './reconnect-delay.ts'

/** State of a connection that is kept up. Times are those of the clock. */
type ConnectionState =
  | { kind: 'connecting'; lastError?: RouterOsError }
  | { kind: 'up'; session: RouterSession; since: number }
  | { kind: 'waiting'; lastError: RouterOsError; until: number }
  | { kind: 'closed' }

/** Parts of a connection. */
interface ConnectionParts {
  /** Opens one session. RouterOsError. */
  open(signal: AbortSignal): Promise<RouterSession>
  clock: Clock
  random: Random
  log: Log
  /** A session is up; what was known of the router may have changed. */
  onUp?(session: RouterSession): void
  /** The session ended, or an attempt failed; the next one is at `until`. */
  onDown?(error: RouterOsError, until: number): void
}

/** A session that lasted as long is no failure in a row. */
const STABLE_MS = 30_000
/** Silence after which a router is asked for a sign of life, and the time it has for that. */
const SILENCE_MS = 30_000
const PROBE_MS = 10_000
/** Between two looks at the silence, at least. */
const LOOK_MS = 5000
const SIGN_OF_LIFE: RouterCommand = { path: '/system/identity/print', proplist: ['name'] }
const MAX_WAITING = 256
/** Subsystems that were busy: `std failure: timeout (13)`, `action timed out - try again..(13)`. */
const BUSY = /\(13\)/

/**
 * Keeps a connection to one router up: connects again with growing pauses, and ends a session whose router is silent. A
 * command that comes while it connects waits for the outcome; one that comes in a pause fails at once, and was not sent.
 * None is sent twice, except a `print` that a busy subsystem did not answer.
 */
export class RouterConnection implements RouterOs {
  private readonly parts: ConnectionParts
  private readonly stopped = new AbortController()
  private readonly waiting = new Set<() => void>()
  private current: ConnectionState = { kind: 'connecting' }
  private failures = 0
  private cancelTimer: () => void = () => undefined
  private hasStarted = false

  constructor(parts: ConnectionParts) {
    this.parts = parts
  }

  /** Begins to connect, after a pause where one is given. */
  start(delayMs = 0): void {
    if (this.hasStarted) return
    this.hasStarted = true
    if (delayMs === 0) this.connect()
    else this.cancelTimer = this.parts.clock.after(delayMs, () => this.connect())
  }

  get state(): ConnectionState {
    return this.current
  }

  get localAddress(): string | undefined {
    return this.current.kind === 'up' ? this.current.session.localAddress : undefined
  }

  get remoteAddress(): string | undefined {
    return this.current.kind === 'up' ? this.current.session.remoteAddress : undefined
  }

  async command(command: RouterCommand, options: RouterCallOptions = {}): Promise<RouterReply> {
    const begin = this.parts.clock.now()
    const session = await this.session(command.path, options)
    const rest = (): RouterCallOptions => {
      if (options.deadlineMs === undefined) return options
      return { ...options, deadlineMs: Math.max(0, options.deadlineMs - (this.parts.clock.now() - begin)) }
    }
    try {
      return await session.command(command, rest())
    } catch (error) {
      if (!isBusyRead(command, error)) throw error
      return await session.command(command, rest())
    }
  }

  stream(command: RouterCommand, events: RouterStreamEvents, options: RouterCallOptions = {}): RouterStream {
    if (this.current.kind === 'up') return this.current.session.stream(command, events, options)
    const error = this.notUp(command.path)
    queueMicrotask(() => events.onEnd(error))
    return { stop: () => Promise.resolve() }
  }

  async close(): Promise<void> {
    const { current } = this
    if (current.kind === 'closed') return
    this.become({ kind: 'closed' })
    this.cancelTimer()
    this.stopped.abort()
    if (current.kind === 'up') await current.session.close()
  }

  /** The session that is up, waiting for one that is being opened. RouterOsError, not sent. */
  private session(path: string, { signal, deadlineMs }: RouterCallOptions): Promise<RouterSession> {
    const { current } = this
    if (current.kind === 'up') return Promise.resolve(current.session)
    if (current.kind !== 'connecting') return Promise.reject(this.notUp(path))
    if (this.waiting.size >= MAX_WAITING) return Promise.reject(unsent('busy', path, 'too many commands wait'))
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.waiting.delete(onChange)
        signal?.removeEventListener('abort', onAbort)
        stopDeadline()
      }
      const onChange = (): void => {
        settle()
        if (this.current.kind === 'up') resolve(this.current.session)
        else reject(this.notUp(path))
      }
      const onAbort = (): void => {
        settle()
        reject(unsent('cancelled', path, 'it was cancelled'))
      }
      const stopDeadline =
        deadlineMs === undefined
          ? () => undefined
          : this.parts.clock.after(deadlineMs, () => {
              settle()
              reject(unsent('timeout', path, `the router is not connected after ${deadlineMs} ms`))
            })
      this.waiting.add(onChange)
      if (signal?.aborted) onAbort()
      else signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  private notUp(path: string): RouterOsError {
    const { current } = this
    if (current.kind === 'closed') return unsent('closed', path, 'the connection was closed by this side')
    const lastError = current.kind === 'up' ? undefined : current.lastError
    return unsent('unreachable', path, lastError?.message ?? 'the router is not connected yet', lastError)
  }

  private become(state: ConnectionState): void {
    this.current = state
    if (state.kind === 'connecting') return
    for (const onChange of [...this.waiting]) onChange()
  }

  private connect(): void {
    const lastError = this.current.kind === 'waiting' ? this.current.lastError : undefined
    this.become(lastError === undefined ? { kind: 'connecting' } : { kind: 'connecting', lastError })
    void this.parts.open(this.stopped.signal).then(
      (session) => this.up(session),
      (error: unknown) =>
        this.down(
          error instanceof RouterOsError
            ? error
            : new RouterOsError('unreachable', 'connecting failed by a defect', { sent: false, cause: error }),
        ),
    )
  }

  private up(session: RouterSession): void {
    if (this.current.kind === 'closed') {
      void session.close()
      return
    }
    const since = this.parts.clock.now()
    this.become({ kind: 'up', session, since })
    this.watch(session)
    void session.ended.then((error) => {
      this.cancelTimer()
      if (this.parts.clock.now() - since >= STABLE_MS) this.failures = 0
      this.down(error)
    })
    this.parts.onUp?.(session)
  }

  private down(error: RouterOsError): void {
    if (this.current.kind === 'closed') return
    this.failures++
    const { clock, random, log } = this.parts
    const delay = reconnectDelay(error.kind, this.failures, random)
    const until = clock.now() + delay
    log.info({ err: error, failures: this.failures, delayMs: Math.round(delay) }, 'a router is not connected')
    this.become({ kind: 'waiting', lastError: error, until })
    this.cancelTimer = clock.after(delay, () => this.connect())
    this.parts.onDown?.(error, until)
  }

  /** Asks a silent router for a sign of life, again and again while the session lasts. */
  private watch(session: RouterSession): void {
    const { clock } = this.parts
    this.cancelTimer = clock.after(Math.max(LOOK_MS, session.heardAt + SILENCE_MS - clock.now()), () => {
      if (clock.now() - session.heardAt < SILENCE_MS) return this.watch(session)
      void session.command(SIGN_OF_LIFE, { deadlineMs: PROBE_MS }).then(
        () => this.watchAgain(session),
        (error: unknown) => {
          const isSilent = error instanceof RouterOsError && error.kind === 'timeout' && error.sent
          if (isSilent) session.end(new RouterOsError('closed', 'the router gave no sign of life', { cause: error }))
          else this.watchAgain(session)
        },
      )
    })
  }

  private watchAgain(session: RouterSession): void {
    if (this.current.kind === 'up' && this.current.session === session) this.watch(session)
  }
}

function isBusyRead({ path, writes = false }: RouterCommand, error: unknown): boolean {
  const isTrap = error instanceof RouterOsError && error.kind === 'trap'
  return isTrap && !writes && path.endsWith('/print') && BUSY.test(error.message)
}

function unsent(
  kind: 'busy' | 'cancelled' | 'timeout' | 'closed' | 'unreachable',
  path: string,
  why: string,
  cause?: unknown,
) {
  return new RouterOsError(kind, `${path} was not sent: ${why}`, {
    sent: false,
    context: { path },
    ...(cause === undefined ? {} : { cause }),
  })
}
