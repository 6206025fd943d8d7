import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A TCP load balancer: each connection goes to one of the ports, and to another one when that does not answer. It can
 * be cut.
 */
export class Balancer {
  /** The ports behind it. */
  ports: number[] = []
  readonly #choose: (count: number) => number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #cut = false

  /** `choose` takes one of so many ports for a new connection. Default: the first one. */
  constructor(choose: (count: number) => number = () => 0) {
    this.#choose = choose
  }

  get port(): number {
    const address = this.#server?.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  async start(): Promise<void> {
    this.#server = createServer((client) => void this.#carry(client))
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Ends every connection, and takes no other one until `heal`. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  heal(): void {
    this.#cut = false
  }

  async stop(): Promise<void> {
    this.cut()
    const server = this.#server
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  async #carry(client: Socket): Promise<void> {
    this.#keep(client)
    if (this.#cut) return void client.destroy()
    const first = this.#choose(this.ports.length)
    for (let i = 0; i < this.ports.length; i++) {
      const server = await dial(this.ports[(first + i) % this.ports.length] ?? 0)
      if (server === undefined) continue
      this.#keep(server)
      if (client.destroyed || this.#cut) {
        client.destroy()
        server.destroy()
        return
      }
      client.on('close', () => server.destroy())
      server.on('close', () => client.destroy())
      client.pipe(server)
      server.pipe(client)
      return
    }
    client.destroy()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

/** Undefined: nobody listens there. */
async function dial(port: number): Promise<Socket | undefined> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    socket.destroy()
    return undefined
  }
}
