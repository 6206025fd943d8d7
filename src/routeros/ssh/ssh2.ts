import { connect, type Socket } from 'node:net'
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2'

/** Events of one command on the console. */
interface ExecEvents {
  onText(text: string): void
  /** Called once. With an error when the command could not be started. */
  onEnd(error?: Error): void
}

/** Events of a connection. */
interface SshEvents {
  onReady(): void
  /** Called once. */
  onEnd(error: Error | undefined): void
}

interface SshSettings {
  host: string
  port: number
  user: string
  password?: string
  /** PEM or OpenSSH form. */
  privateKey?: string
  /** Returns true for the host key with this SHA-256, in hexadecimal digits. */
  isTrusted(sha256: string): boolean
}

/** The door to ssh2: one connection over which commands run side by side. */
export class SshWire {
  readonly socket: Socket
  private readonly client = new Client()
  private cause: Error | undefined

  /** Begins to connect. */
  constructor(settings: SshSettings, events: SshEvents) {
    const { host, port } = settings
    const { client } = this
    this.socket = connect({ host, port })
    // Errors are followed by the close of the socket.
    this.socket.on('error', (error) => {
      this.cause ??= error
    })
    client.on('error', (error) => {
      this.cause ??= error
      this.socket.destroy()
    })
    this.socket.once('close', () => events.onEnd(this.cause))
    client.once('ready', () => events.onReady())
    this.socket.once('connect', () => {
      try {
        client.connect({ sock: this.socket, ...configOf(settings) })
      } catch (error) {
        this.destroy(error instanceof Error ? error : new Error('these settings are not taken'))
      }
    })
  }

  /** Runs one line; the returned function ends it early. */
  exec(line: string, events: ExecEvents): () => void {
    let channel: ClientChannel | undefined
    let isOver = false
    const end = (error?: Error): void => {
      if (isOver) return
      isOver = true
      events.onEnd(error)
    }
    try {
      this.client.exec(line, (error, opened) => {
        if (error !== undefined && error !== null) return end(error)
        channel = opened
        opened.setEncoding('utf8')
        opened.on('data', (text: string) => events.onText(text))
        opened.stderr.setEncoding('utf8')
        opened.stderr.on('data', (text: string) => events.onText(text))
        opened.on('error', (cause: Error) => end(cause))
        opened.once('close', () => end())
        if (isOver) opened.close()
      })
    } catch (error) {
      queueMicrotask(() => end(error instanceof Error ? error : new Error('the connection takes no command')))
    }
    return () => {
      isOver = true
      channel?.close()
    }
  }

  /** Ends the connection at once. */
  destroy(cause?: Error): void {
    this.cause ??= cause
    this.socket.destroy()
  }
}

function configOf({ user, password, privateKey, isTrusted }: SshSettings): ConnectConfig {
  return {
    username: user,
    readyTimeout: 0,
    hostHash: 'sha256',
    hostVerifier: (digest: string) => isTrusted(digest),
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
  }
}
