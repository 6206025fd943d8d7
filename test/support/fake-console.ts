import { createHash, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'

/** An SSH server on this machine whose console answers as a test says. */
export class FakeConsole {
  readonly lines: string[] = []
  readonly connections: Connection[] = []
  /** SHA-256 of the host key as OpenSSH shows it. */
  readonly hostKey: string
  /** Answers one line; by default with the mark of the end alone. */
  answer: (line: string, channel: ServerChannel) => void = (_line, channel) => reply(channel, '')
  private readonly server: InstanceType<typeof ssh2.Server>

  private constructor(account: { user: string; password: string }) {
    // One in some hundred keys that the package makes itself cannot be read by it.
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const hostKey = privateKey.export({ type: 'sec1', format: 'pem' })
    const parsed = ssh2.utils.parseKey(hostKey)
    if (parsed instanceof Error) throw parsed
    const publicKey = Array.isArray(parsed) ? parsed[0] : parsed
    this.hostKey = `SHA256:${createHash('sha256').update(publicKey.getPublicSSH()).digest('base64').replace(/=+$/, '')}`
    this.server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
      this.connections.push(connection)
      connection.on('error', () => undefined)
      connection.on('authentication', (login) => {
        const isRight = login.method === 'password' && login.password === account.password
        if (isRight && login.username.replace(/\+.*$/, '') === account.user) login.accept()
        else login.reject(['password'])
      })
      connection.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, { command }) => {
          this.lines.push(command)
          this.answer(command, acceptExec())
        })
      })
    })
  }

  static async start(account: { user: string; password: string }): Promise<FakeConsole> {
    const fake = new FakeConsole(account)
    fake.server.listen(0, '127.0.0.1')
    await once(fake.server, 'listening')
    return fake
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) connection.end()
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve())
    })
  }
}

/** Ends a command of the console that did its work, with this output. */
export function reply(channel: ServerChannel, text: string): void {
  channel.write(`${text}\r\nisthmus-done\r\n`)
  channel.exit(0)
  channel.end()
}

/** Ends a command of the console with an error, which is text like any other. */
export function fail(channel: ServerChannel, text: string): void {
  channel.write(`${text}\r\n`)
  channel.exit(0)
  channel.end()
}
