import type { Clock } from '../../base/index.ts'
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
import { readAsValue } from './as-value.ts'
import { commandLine, DONE } from './command-line.ts'
import { matches } from './query.ts'
import type { SshWire } from './ssh2.ts'

const DEADLINE_MS = 20_000
const MAX_OUTPUT = 4 * 1024 * 1024
const MAX_MESSAGE = 300

/** A connection over SSH: each command is a line of the console, tables are read as values. It has no streams. */
export class SshSession implements RouterSession {
  readonly transport = 'ssh'
  readonly localAddress: string | undefined
  readonly remoteAddress: string | undefined
  readonly ended: Promise<RouterOsError>
  heardAt: number
  private readonly wire: SshWire
  private readonly clock: Clock
  private readonly gate = new CommandGate()
  private readonly open = new Set<(error: RouterOsError) => void>()
  private endError: RouterOsError | undefined
  private resolveEnded: (error: RouterOsError) => void = () => undefined

  constructor(wire: SshWire, clock: Clock) {
    this.wire = wire
    this.clock = clock
    this.heardAt = clock.now()
    this.localAddress = wire.socket.localAddress
    this.remoteAddress = wire.socket.remoteAddress
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve
    })
  }

  async command(command: RouterCommand, options: RouterCallOptions = {}): Promise<RouterReply> {
    const { proplist, query = [] } = command
    // A query that is not answered here is refused before anything is sent.
    matches({}, query)
    const text = await this.run(command, commandLine(command), options)
    const verb = command.path.slice(command.path.lastIndexOf('/') + 1)
    if (verb === 'add') return /^\*[0-9A-F]+$/.test(text) ? { rows: [], ret: text } : { rows: [] }
    if (verb !== 'print' && verb !== 'monitor') return { rows: [] }
    const rows = readAsValue(text).filter((row) => matches(row, query))
    return { rows: proplist === undefined ? rows : rows.map((row) => project(row, proplist)) }
  }

  stream({ path }: RouterCommand, events: RouterStreamEvents): RouterStream {
    const error = new RouterOsError('refused', `${path} was not sent: SSH has no streams, the table has to be polled`, {
      sent: false,
    })
    queueMicrotask(() => events.onEnd(error))
    return { stop: () => Promise.resolve() }
  }

  end(error: RouterOsError): void {
    this.endError ??= error
    this.wire.destroy()
  }

  async close(): Promise<void> {
    this.end(new RouterOsError('closed', 'the connection was closed by this side'))
    await this.ended
  }

  /** The connection has ended: each command ends with its error. */
  lost(error: RouterOsError): void {
    this.endError ??= error
    const reason = this.endError
    for (const lost of [...this.open]) lost(reason)
    this.resolveEnded(reason)
  }

  /** Resolves with the output before the mark of the end. */
  private run({ path, writes = false }: RouterCommand, line: string, options: RouterCallOptions): Promise<string> {
    const { signal, deadlineMs = DEADLINE_MS } = options
    if (this.endError !== undefined || this.wire.socket.destroyed)
      return Promise.reject(new RouterOsError('closed', 'the connection has ended', { sent: false }))
    if (signal?.aborted) return Promise.reject(new RouterOsError('cancelled', `${path} was cancelled`, { sent: false }))
    if (this.gate.isFull) return Promise.reject(new RouterOsError('busy', `${path} was not sent`, { sent: false }))
    return new Promise((resolve, reject) => {
      let output = ''
      let stop: (() => void) | undefined
      let release: () => void = () => undefined
      const settle = (): void => {
        this.open.delete(lost)
        stopDeadline()
        signal?.removeEventListener('abort', onAbort)
        withdraw()
        release()
      }
      const fail = (error: RouterOsError): void => {
        settle()
        stop?.()
        reject(error)
      }
      const ended = (kind: 'timeout' | 'cancelled' | 'tooLarge', message: string): void =>
        fail(new RouterOsError(kind, message, { sent: stop !== undefined, context: { path } }))
      const onAbort = (): void => ended('cancelled', `${path} was cancelled`)
      const stopDeadline = this.clock.after(deadlineMs, () =>
        ended('timeout', timeoutText(path, deadlineMs, stop !== undefined)),
      )
      const lost = (error: RouterOsError): void =>
        fail(new RouterOsError('closed', error.message, { sent: stop !== undefined, cause: error }))
      this.open.add(lost)
      signal?.addEventListener('abort', onAbort, { once: true })
      const withdraw = this.gate.enter(writes, (turn) => {
        release = turn
        stop = this.wire.exec(line, {
          onText: (text) => {
            this.heardAt = this.clock.now()
            output += text
            if (output.length > MAX_OUTPUT) ended('tooLarge', `the reply to ${path} is too large`)
          },
          onEnd: (error) => {
            settle()
            const result = resultOf(output)
            if (result !== undefined) resolve(result)
            else if (error !== undefined) reject(new RouterOsError('closed', error.message, { cause: error }))
            else reject(trap(path, output))
          },
        })
      })
    })
  }
}

/** The output before the mark that the work was done; undefined without it. */
function resultOf(output: string): string | undefined {
  const lines = output.replaceAll('\r', '').trimEnd().split('\n')
  return lines.pop() === DONE ? lines.join('\n').trim() : undefined
}

/** The error that the console wrote in place of the mark. */
function trap(path: string, output: string): RouterOsError {
  const [first = 'the command ended without a word'] = output
    .split(/[\r\n]+/)
    .map((line) => line.trim().slice(0, MAX_MESSAGE))
    .filter((line) => line !== '')
  return new RouterOsError('trap', first, { all: [first], context: { path } })
}

function project(row: RouterRow, proplist: readonly string[]): RouterRow {
  return Object.fromEntries(proplist.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]]])))
}
