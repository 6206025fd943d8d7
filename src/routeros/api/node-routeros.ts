import { Socket } from 'node:net'
import { type ConnectionOptions, TLSSocket } from 'node:tls'
import { Channel, Connector } from 'node-routeros'
import type { RouterRow } from '../router-os.ts'
import { RouterOsError } from '../router-os-error.ts'
import { encodeSentence, type SentenceLimits, SentenceReader } from './sentence.ts'

/** Events of the reply to one sentence, in the order of the wire. */
export interface ReplyEvents {
  onRow(row: RouterRow, bytes: number): void
  /** One of the traps of a command; its end still follows. */
  onTrap(trap: RouterRow): void
  /** End of the reply, with its `=ret=`. Called once, and never when the connection ends first. */
  onDone(ret: string | undefined): void
}

/** Events of the connection. */
interface WireEvents {
  /** TCP, or TLS where it is used, is up. Nothing was sent. */
  onConnected(): void
  /** Bytes of the router arrived. */
  onBytes(): void
  /** Called once, when the socket is closed. */
  onEnd(error: RouterOsError): void
}

interface WireOptions {
  host: string
  port: number
  /** Undefined for the plain API. */
  tls: ConnectionOptions | undefined
  limits: SentenceLimits
}

/** Package time-outs are off: a day, and then none. */
const PACKAGE_TIMEOUT_S = 86_400
const KEEP_ALIVE_MS = 30_000

/**
 * The door to node-routeros. Its Connector opens the socket and leads replies to tags, and one Channel of it stands for
 * each command under way. The rest of the package is not used:
 *
 * - Its Receiver loses or tears sentences by the borders of TCP segments, throws in the socket's handler for an unknown
 *   tag, drops the reason of a `!fatal`, and reads windows-1252. `Replies` is in its place.
 * - Its Transmitter writes windows-1252, and each word as a segment of its own. `Requests` is in its place.
 * - RouterOSAPI and RStream leave commands without an end when the connection ends, fall back to the MD5 login, and send
 *   `#` while a command is open. `session.ts` and `login.ts` are in their place.
 */
export class Wire {
  readonly socket: Socket
  private readonly connector: GuardedConnector
  private readonly replies: Replies
  private readonly calls = new Map<string, { events: ReplyEvents; ret: string | undefined; bytes: number }>()
  private cause: RouterOsError | undefined

  /** Begins to connect. RouterOsError `unreachable` for options that no socket takes. */
  constructor(options: WireOptions, events: WireEvents) {
    const { host, port, tls, limits } = options
    this.replies = new Replies(limits, {
      onBytes: () => events.onBytes(),
      onSentence: (tag, bytes, ret) => {
        const call = this.calls.get(tag)
        if (call !== undefined) Object.assign(call, { bytes, ret })
      },
      onFatal: (reason) => this.destroy(new RouterOsError('fatal', `the router ended the connection: ${reason}`)),
      onBroken: (error) => this.destroy(error),
    })
    this.connector = new GuardedConnector({ host, port, timeout: PACKAGE_TIMEOUT_S, ...(tls && { tls }) })
    this.connector.once('connected', () => events.onConnected())
    try {
      this.connector.connect()
      this.socket = socketOf(this.connector)
    } catch (cause) {
      throw new RouterOsError('unreachable', 'no socket takes these settings', { sent: false, cause })
    }
    Reflect.set(this.connector, 'receiver', this.replies)
    Reflect.set(this.connector, 'transmitter', new Requests(this.socket))
    this.socket.setTimeout(0)
    this.socket.setKeepAlive(true, KEEP_ALIVE_MS)
    this.socket.setNoDelay(true)
    this.socket.on('error', (cause) => {
      const isUntrusted = this.socket instanceof TLSSocket && Boolean(this.socket.authorizationError)
      const kind = isUntrusted && tls?.rejectUnauthorized !== false ? 'untrusted' : 'closed'
      this.cause ??= new RouterOsError(kind, `the connection failed: ${reasonOf(cause)}`, { cause })
    })
    this.socket.once('close', () => {
      this.calls.clear()
      events.onEnd(this.cause ?? new RouterOsError('closed', 'the router closed the connection'))
    })
  }

  /** True while a sentence can be sent. */
  get isWritable(): boolean {
    return this.socket.writable && this.cause === undefined
  }

  /** Puts other bounds of what is read in force. */
  setLimits(limits: SentenceLimits): void {
    this.replies.setLimits(limits)
  }

  /** Sends one sentence under a new tag, which is returned. The array of the caller is left as it is. */
  send(words: readonly string[], events: ReplyEvents): string {
    const channel = this.freshChannel()
    const call = { events, ret: undefined, bytes: 0 }
    this.calls.set(channel.Id, call)
    channel.on('stream', (row: RouterRow) => events.onRow(row, call.bytes))
    channel.on('trap', (trap: RouterRow) => events.onTrap(trap))
    channel.once('close', () => {
      this.calls.delete(channel.Id)
      events.onDone(call.ret)
    })
    // As a stream: such a channel gives rows one by one, also those without attributes, and makes no promise of its own.
    channel.write([...words], true, false)
    return channel.Id
  }

  /** Ends the connection; what is under way hears of `error` by onEnd. */
  destroy(error: RouterOsError): void {
    this.cause ??= error
    this.socket.destroy()
  }

  /** The tag of a channel is random text, which can be short or in use. */
  private freshChannel(): Channel {
    for (;;) {
      const channel = new Channel(this.connector)
      if (channel.Id.length > 3 && !this.calls.has(channel.Id)) return channel
    }
  }
}

/** Its errors are heard from the socket; one that comes after the end is no event without a listener. */
class GuardedConnector extends Connector {
  constructor(options: ConstructorParameters<typeof Connector>[0]) {
    super(options)
    this.on('error', () => undefined)
  }

  override destroy(): void {
    super.destroy()
    this.on('error', () => undefined)
  }
}

/** The reason in words, where OpenSSL gives one, or the message of the system. */
function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

/** The private field in which a Connector holds its socket. */
function socketOf(connector: Connector): Socket {
  const socket: unknown = Reflect.get(connector, 'socket')
  if (socket instanceof Socket) return socket
  throw new TypeError('node-routeros holds no socket')
}

/** In place of the package's Transmitter: one segment for each sentence, in UTF-8. */
class Requests {
  private readonly socket: Socket
  private words: string[] = []

  constructor(socket: Socket) {
    this.socket = socket
  }

  write(word: string | null): void {
    if (word !== null) {
      this.words.push(word)
      return
    }
    const words = this.words
    this.words = []
    if (this.socket.writable) this.socket.write(encodeSentence(words))
  }

  /** Nothing waits: no sentence is sent before the connection is up. */
  runPool(): void {}
}

interface ReplyHooks {
  onBytes(): void
  /** Before a sentence goes to the reader of its tag: its size, and the `=ret=` of an end. */
  onSentence(tag: string, bytes: number, ret: string | undefined): void
  onFatal(reason: string): void
  onBroken(error: RouterOsError): void
}

const TAG = '.tag='
const RET = '=ret='
const REASON_LENGTH = 200
/** Sentences of one connection that answer no command: a few come late, and a flood takes the time of all routers. */
const MAX_STRAY = 10_000

/** In place of the package's Receiver: leads each sentence to the reader of its tag. It never throws. */
class Replies {
  private readonly sentences: SentenceReader
  private readonly hooks: ReplyHooks
  private readonly readers = new Map<string, (packet: string[]) => void>()
  private isBroken = false
  private stray = 0

  constructor(limits: SentenceLimits, hooks: ReplyHooks) {
    this.sentences = new SentenceReader(limits)
    this.hooks = hooks
  }

  setLimits(limits: SentenceLimits): void {
    this.sentences.setLimits(limits)
  }

  read(tag: string, reader: (packet: string[]) => void): void {
    this.readers.set(tag, reader)
  }

  stop(tag: string): void {
    this.readers.delete(tag)
  }

  processRawData(data: Buffer): void {
    if (this.isBroken) return
    this.hooks.onBytes()
    try {
      for (const { words, bytes } of this.sentences.push(data)) {
        this.lead(words, bytes)
        if (this.isBroken) return
      }
    } catch (error) {
      this.fail(
        error instanceof RouterOsError
          ? error
          : new RouterOsError('protocol', 'a reply could not be read; the connection was closed', { cause: error }),
      )
    }
  }

  private lead(words: string[], bytes: number): void {
    const [reply = '', ...rest] = words
    if (reply === '!fatal') {
      this.isBroken = true
      const reason = rest
        .filter((word) => !word.startsWith(TAG))
        .join(' ')
        .replace(/^=message=/, '')
      this.hooks.onFatal(reason.slice(0, REASON_LENGTH))
      return
    }
    const tag = rest.find((word) => word.startsWith(TAG))?.slice(TAG.length)
    const reader = tag === undefined ? undefined : this.readers.get(tag)
    // A reply to a command that has ended already, or to none.
    if (tag === undefined || reader === undefined) {
      if (++this.stray > MAX_STRAY)
        throw new RouterOsError('protocol', 'the router sends replies to no command; the connection was closed')
      return
    }
    // `!empty` (RouterOS 7.18) says that there are no rows, or none yet; the end of the reply follows in any case.
    if (reply === '!empty') return
    if (reply !== '!re' && reply !== '!trap' && reply !== '!done')
      throw new RouterOsError('protocol', 'the router sent a reply of an unknown kind; the connection was closed')
    const attributes = rest.filter((word) => word.startsWith('='))
    const ret = reply === '!done' ? attributes.find((word) => word.startsWith(RET))?.slice(RET.length) : undefined
    this.hooks.onSentence(tag, bytes, ret)
    reader([reply, ...attributes])
  }

  private fail(error: RouterOsError): void {
    this.isBroken = true
    this.hooks.onBroken(error)
  }
}
