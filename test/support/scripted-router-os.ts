import {
  type RouterCallOptions,
  type RouterCommand,
  type RouterOs,
  RouterOsError,
  type RouterOsErrorKind,
  type RouterReply,
  type RouterRow,
  type RouterStream,
  type RouterStreamEvents,
} from '../../src/routeros/index.ts'

/** A router without a wire: replies come from a function, rows of streams from the test. */
export class ScriptedRouterOs implements RouterOs {
  localAddress: string | undefined = '192.0.2.10'
  remoteAddress: string | undefined = '192.0.2.1'
  readonly commands: { command: RouterCommand; options: RouterCallOptions | undefined }[] = []
  readonly streams: { command: RouterCommand; events: RouterStreamEvents }[] = []
  isClosed = false
  private readonly answer: (command: RouterCommand) => RouterReply | RouterOsErrorKind | Promise<RouterReply>

  constructor(answer: (command: RouterCommand) => RouterReply | RouterOsErrorKind | Promise<RouterReply>) {
    this.answer = answer
  }

  async command(command: RouterCommand, options?: RouterCallOptions): Promise<RouterReply> {
    this.commands.push({ command, options })
    if (this.isClosed) throw new RouterOsError('closed', 'the connection has ended', { sent: false })
    const answer = await this.answer(command)
    if (typeof answer === 'string') throw new RouterOsError(answer, `${command.path}: ${answer}`)
    return answer
  }

  stream(command: RouterCommand, events: RouterStreamEvents): RouterStream {
    const stream = { command, events }
    this.streams.push(stream)
    return {
      stop: async () => {
        const at = this.streams.indexOf(stream)
        if (at < 0) return
        this.streams.splice(at, 1)
        events.onEnd()
      },
    }
  }

  /** Gives a row to each stream of this path. */
  push(path: string, row: RouterRow): void {
    for (const { command, events } of this.streams) if (command.path === path) events.onRow(row)
  }

  async close(): Promise<void> {
    this.isClosed = true
    for (const { events } of this.streams.splice(0)) events.onEnd(new RouterOsError('closed', 'the connection ended'))
  }
}
