import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** One connection of a client, as bytes and sentences. */
export interface FakeConnection {
  readonly socket: Socket
  /** Writes sentences in one segment. */
  send(...sentences: string[][]): void
  /** Writes bytes as they are. */
  raw(bytes: Buffer): void
}

/** Answers one sentence; `tag` is that of the sentence, `words` are the others. */
export type FakeAnswer = (connection: FakeConnection, words: string[], tag: string) => void

/** Bytes of words, each after its length, and the end of the sentence. */
export function sentence(...words: (string | Buffer)[]): Buffer {
  const parts = words.flatMap((word) => {
    const bytes = Buffer.from(word)
    return [lengthOf(bytes.length), bytes]
  })
  return Buffer.concat([...parts, Buffer.from([0])])
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  if (length < 0x80) return Buffer.from([length])
  if (length < 0x4000) bytes.writeUInt16BE(0x8000 + length, 2)
  else if (length < 0x200000) bytes.writeUInt32BE(0xc00000 + length)
  else bytes.writeUInt32BE(0xe0000000 + length)
  return bytes.subarray(length < 0x4000 ? 2 : length < 0x200000 ? 1 : 0)
}

/** A server on this machine that speaks the RouterOS API byte by byte, as a test says. */
export class FakeRouter {
  /** Words of all sentences that came, with their tags. */
  readonly heard: string[][] = []
  readonly connections: FakeConnection[] = []
  answer: FakeAnswer = () => undefined
  /** Answers `/login`; by default it accepts every account. */
  onLogin: FakeAnswer = (connection, _words, tag) => connection.send(['!done', `.tag=${tag}`])
  onConnection: (connection: FakeConnection) => void = () => undefined
  private readonly server: Server

  private constructor(tls: TlsOptions | undefined) {
    const accept = (socket: Socket) => this.accept(socket)
    this.server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept)
    this.server.on('tlsClientError', () => undefined)
  }

  static async start(tls?: TlsOptions): Promise<FakeRouter> {
    const router = new FakeRouter(tls)
    router.server.listen(0, '127.0.0.1')
    await once(router.server, 'listening')
    return router
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** Paths of all sentences that came after the login. */
  get paths(): string[] {
    return this.heard.map(([path = '']) => path).filter((path) => path !== '/login')
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private accept(socket: Socket): void {
    const connection: FakeConnection = {
      socket,
      send: (...sentences) => {
        if (socket.writable) socket.write(Buffer.concat(sentences.map((words) => sentence(...words))))
      },
      raw: (bytes) => {
        if (socket.writable) socket.write(bytes)
      },
    }
    this.connections.push(connection)
    socket.on('error', () => undefined)
    this.onConnection(connection)
    let bytes = Buffer.alloc(0)
    let words: string[] = []
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      for (;;) {
        const word = takeWord(bytes)
        if (word === undefined) return
        bytes = bytes.subarray(word.size)
        if (word.text !== '') words.push(word.text)
        else if (words.length > 0) {
          const complete = words
          words = []
          this.hear(connection, complete)
        }
      }
    })
  }

  private hear(connection: FakeConnection, words: string[]): void {
    this.heard.push(words)
    const tag = words.find((word) => word.startsWith('.tag='))?.slice(5) ?? ''
    const others = words.filter((word) => !word.startsWith('.tag='))
    if (others[0] === '/login') this.onLogin(connection, others, tag)
    else this.answer(connection, others, tag)
  }
}

function takeWord(bytes: Buffer): { text: string; size: number } | undefined {
  const first = bytes[0]
  if (first === undefined) return undefined
  const head = first < 0x80 ? 1 : first < 0xc0 ? 2 : first < 0xe0 ? 3 : 4
  if (bytes.length < head) return undefined
  const length = bytes.readUIntBE(0, head) - ([0, 0, 0x8000, 0xc00000, 0xe0000000][head] ?? 0)
  if (bytes.length < head + length) return undefined
  return { text: bytes.subarray(head, head + length).toString('utf8'), size: head + length }
}
