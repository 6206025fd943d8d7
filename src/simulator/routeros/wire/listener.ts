import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { listen } from '../../../base/index.ts'

/** A port of a router: connections of it, also those that have not finished their TLS handshake, end with it. */
export class Listener {
  readonly #tls: TlsOptions | undefined
  readonly #onConnection: (socket: Socket) => void
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port: number

  /** `port` 0: any that is free; it stays the same from the first opening on. */
  constructor(port: number, tls: TlsOptions | undefined, onConnection: (socket: Socket) => void) {
    this.#port = port
    this.#tls = tls
    this.#onConnection = onConnection
  }

  get port(): number {
    return this.#port
  }

  /** Rejects with the error of the system when it cannot listen. */
  async open(host: string): Promise<void> {
    const server = this.#tls === undefined ? createServer(this.#onConnection) : createTlsServer(this.#tls)
    this.#server = server
    server.on('secureConnection', this.#onConnection)
    // A handshake that fails ends its own connection.
    server.on('tlsClientError', () => undefined)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#port = await listen(server, { host, port: this.#port }, () => undefined)
  }

  /** New connections are refused; those that stand stay. */
  refuse(): void {
    this.#server?.close()
    this.#server = undefined
  }

  /** Refuses new connections and cuts all others. */
  close(): void {
    this.refuse()
    for (const socket of this.#sockets) socket.destroy()
  }
}
