import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { until } from './until.ts'

/** A sentence of a router: its first word, and the words after it. */
export interface RawSentence {
  kind: string
  words: string[]
  values: Record<string, string>
  tag: string
}

/** A client of the RouterOS API that is written from the wire format alone: any bytes may be sent. */
export class RawRouterClient {
  readonly socket: Socket
  readonly sentences: RawSentence[] = []
  isClosed = false
  #bytes = Buffer.alloc(0)
  #words: string[] = []
  #tag = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.isClosed = true
    })
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  static async open(port: number, tls = false): Promise<RawRouterClient> {
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false }
    const socket = tls ? connectTls(options) : connect(options)
    await once(socket, tls ? 'secureConnect' : 'connect')
    return new RawRouterClient(socket)
  }

  /** Connects and logs in. */
  static async login(port: number, name = 'admin', password = ''): Promise<RawRouterClient> {
    const client = await RawRouterClient.open(port)
    const { trap } = await client.call('/login', `=name=${name}`, `=password=${password}`)
    if (trap !== undefined) throw new Error(trap)
    return client
  }

  send(...words: string[]): void {
    this.socket.write(sentence(words))
  }

  /** Sends a command with a tag of its own and resolves at its `!done`. */
  async call(
    path: string,
    ...words: string[]
  ): Promise<{
    rows: Record<string, string>[]
    ret?: string
    trap?: string
    category?: string
    traps: string[]
    empty: boolean
  }> {
    const tag = `t${++this.#tag}`
    this.send(path, ...words, `.tag=${tag}`)
    await until(() => this.isClosed || this.of(tag, '!done').length > 0 || this.of('', '!fatal').length > 0)
    const traps = this.of(tag, '!trap')
    const done = this.of(tag, '!done')[0]
    return {
      rows: this.of(tag, '!re').map(({ values }) => values),
      traps: traps.map(({ values }) => values.message ?? ''),
      empty: this.of(tag, '!empty').length > 0,
      ...(done?.values.ret === undefined ? {} : { ret: done.values.ret }),
      ...(traps[0] === undefined
        ? {}
        : { trap: traps[0].values.message ?? '', category: traps[0].values.category ?? '' }),
    }
  }

  of(tag: string, kind: string): RawSentence[] {
    return this.sentences.filter((one) => one.tag === tag && one.kind === kind)
  }

  close(): void {
    this.socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (;;) {
      const first = this.#bytes[0]
      if (first === undefined) return
      const size = first < 0x80 ? 1 : first < 0xc0 ? 2 : first < 0xe0 ? 3 : 4
      if (this.#bytes.length < size) return
      const length = this.#bytes.readUIntBE(0, size) & ([0x7f, 0x3fff, 0x1f_ffff, 0x0fff_ffff][size - 1] ?? 0)
      if (this.#bytes.length < size + length) return
      const word = this.#bytes.subarray(size, size + length).toString()
      this.#bytes = this.#bytes.subarray(size + length)
      if (word !== '') this.#words.push(word)
      else {
        this.sentences.push(parsed(this.#words))
        this.#words = []
      }
    }
  }
}

/** Returns the bytes of a sentence. */
export function sentence(words: readonly string[]): Buffer {
  return Buffer.concat([...words.map(wordBytes), Buffer.from([0])])
}

function wordBytes(word: string): Buffer {
  const bytes = Buffer.from(word)
  const { length } = bytes
  const size = length < 0x80 ? 1 : length < 0x4000 ? 2 : 3
  const head = Buffer.alloc(size)
  head.writeUIntBE(length + ([0, 0x8000, 0xc0_0000][size - 1] ?? 0), 0, size)
  return Buffer.concat([head, bytes])
}

function parsed([kind = '', ...words]: string[]): RawSentence {
  const values: Record<string, string> = {}
  for (const word of words) {
    const end = word.indexOf('=', 1)
    if (word.startsWith('=')) values[word.slice(1, end)] = word.slice(end + 1)
  }
  return { kind, words, values, tag: words.find((word) => word.startsWith('.tag='))?.slice(5) ?? '' }
}
