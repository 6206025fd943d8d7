import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * Stands between a client and the database: on demand, a command reaches the server and the connection breaks before
 * its answer comes back, or it breaks before the command arrives.
 */
export class LossyProxy {
  readonly #target: number
  readonly #uri: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #command = ''
  #losses = 0
  #refused = ''
  #refusals = 0

  /** `uri` is the database's. */
  constructor(uri: string) {
    this.#uri = uri
    this.#target = Number(/:(\d+)\//.exec(uri)?.[1])
  }

  get uri(): string {
    const address = this.#server?.address()
    return this.#uri.replace(`:${this.#target}/`, `:${typeof address === 'object' ? address?.port : 0}/`)
  }

  /** Number of commands that are still to be kept from the server. */
  get refusals(): number {
    return this.#refusals
  }

  /** Number of answers that are still to be lost. */
  get losses(): number {
    return this.#losses
  }

  async start(): Promise<void> {
    this.#server = createServer((client) => this.#carry(client))
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** The next `count` answers to this command are lost. */
  lose(command: string, count: number): void {
    this.#command = command
    this.#losses = count
  }

  /** The next `count` of this command never reach the server. */
  refuse(command: string, count: number): void {
    this.#refused = command
    this.#refusals = count
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const server = this.#server
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  #carry(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    let cut = false
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.on('data', (data) => {
      // The command's name is the first field of its message, behind the type of that field.
      const isCommand = (name: string) => data.subarray(0, 64).includes(`${name}\0`)
      if (this.#refusals > 0 && isCommand(this.#refused)) {
        this.#refusals--
        client.destroy()
        return
      }
      if (this.#losses > 0 && isCommand(this.#command)) {
        this.#losses--
        cut = true
      }
      server.write(data)
    })
    server.on('data', (data) => {
      if (cut) client.destroy()
      else client.write(data)
    })
  }
}
