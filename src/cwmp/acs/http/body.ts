import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, inflate, inflateRaw } from 'node:zlib'
import { inTurns, Pace, ProtocolError, type Work } from '../../../base/index.ts'

type Unpack = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const unwrapped: Unpack = promisify(inflateRaw)
const unzip: Record<'gzip' | 'x-gzip' | 'deflate', Unpack> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  // RFC 9110 8.4.1.2: the zlib format; some senders leave its wrapper out.
  deflate: (packed, options) => (isZlib(packed) ? promisify(inflate)(packed, options) : unwrapped(packed, options)),
}

/** Method 8 and a header that is a multiple of 31 (RFC 1950). */
function isZlib(packed: Buffer): boolean {
  return packed.length > 1 && ((packed[0] ?? 0) & 15) === 8 && packed.readUInt16BE(0) % 31 === 0
}

/** A request body that is refused before it is read to its end, with the HTTP status of the answer. */
export class BodyRefused extends ProtocolError {
  readonly status: 413 | 415 | 400

  constructor(status: 413 | 415 | 400, message: string, cause?: unknown) {
    super('body', message, cause === undefined ? {} : { cause })
    this.status = status
  }
}

const EMPTY = Buffer.alloc(0)
/** Largest ratio of the unpacked to the packed size; XML of many similar parameters packs to a fortieth. */
const MAX_RATIO = 100
/** Up to this size the ratio does not matter. */
const SMALL = 65_536

/** Returns the largest number of bytes that the body of a request can have, from its headers. */
export function expectedSize({ headers }: IncomingMessage, maxBytes: number): number {
  const announced = Number(headers['content-length'] ?? (headers['transfer-encoding'] === undefined ? 0 : maxBytes))
  const isPacked = (headers['content-encoding'] ?? 'identity').trim().toLowerCase() !== 'identity'
  return isPacked ? maxBytes : Math.min(announced, maxBytes)
}

/**
 * Reads a body of at most `maxBytes`, unpacked included (TR-069 3.4.1 names GZIP and Deflate). Rejects with
 * BodyRefused.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && !Object.hasOwn(unzip, encoding))
    throw new BodyRefused(415, `Content-Encoding ${encoding.slice(0, 40)} is not supported`)
  const length = request.headers['content-length']
  if (Number(length ?? 0) > maxBytes) throw new BodyRefused(413, `the body is larger than ${maxBytes} bytes`)
  // An empty POST: there is nothing to wait for.
  if (length === '0') return EMPTY
  const packed = await collect(request, maxBytes)
  if (encoding === 'identity' || packed.length === 0) return packed
  const room = Math.min(maxBytes, Math.max(SMALL, packed.length * MAX_RATIO))
  try {
    return await unzip[encoding as keyof typeof unzip](packed, { maxOutputLength: room })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE')
      throw new BodyRefused(400, 'the body cannot be unpacked', cause)
    const what =
      room === maxBytes ? `is larger than ${maxBytes} bytes` : `unpacks to more than ${MAX_RATIO} times its size`
    throw new BodyRefused(413, `the body ${what}`, cause)
  }
}

/** Reads and drops the rest of a body, so that the connection stays usable; a body longer than `maxBytes` ends it. */
export function drain(request: IncomingMessage, maxBytes: number): void {
  request.on('error', () => request.socket.destroy())
  // It cannot be longer than it says.
  if (Number(request.headers['content-length']) <= maxBytes) return void request.resume()
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBytes) request.socket.destroy()
  })
}

/** Bytes that are joined in one turn of the event loop, over all requests. */
const JOINING = new Pace(1_048_576)

/** Joins the parts of a body, portion by portion: fresh memory of some MiB takes milliseconds. */
export function* joinWork(chunks: readonly Buffer[], size: number): Work<Buffer> {
  const [only] = chunks
  if (chunks.length === 1 && only !== undefined) return only
  const whole = Buffer.allocUnsafe(size)
  let at = 0
  for (const chunk of chunks) {
    yield chunk.length
    at += chunk.copy(whole, at)
  }
  return whole
}

/** Parts of a body that are put together as soon as they are so many; each costs more than its bytes. */
const SMALL_PARTS = 1024

/** The parts of a body as they come: a sender may make a chunk of each byte. */
export class BodyParts {
  readonly #joined: Buffer[] = []
  #latest: Buffer[] = []
  #latestBytes = 0

  add(part: Buffer): void {
    this.#latest.push(part)
    this.#latestBytes += part.length
    if (this.#latestBytes >= SMALL) this.#flush(this.#latest)
    else if (this.#latest.length >= SMALL_PARTS) this.#flush([Buffer.concat(this.#latest)])
  }

  /** All parts, in order. */
  all(): readonly Buffer[] {
    return [...this.#joined, ...this.#latest]
  }

  #flush(parts: readonly Buffer[]): void {
    this.#joined.push(...parts)
    this.#latest = []
    this.#latestBytes = 0
  }
}

function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts = new BodyParts()
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) {
        request.pause()
        request.removeAllListeners('data')
        reject(new BodyRefused(413, `the body is larger than ${maxBytes} bytes`))
        return
      }
      parts.add(chunk)
    })
    request.on('end', () => resolve(inTurns(joinWork(parts.all(), size), JOINING)))
    request.on('error', (cause) => reject(new BodyRefused(400, 'the body was cut off', cause)))
    const onCut = () => reject(new BodyRefused(400, 'the body was cut off'))
    request.on('aborted', onCut)
    // It may have been cut off before anybody listened.
    if (request.destroyed && !request.readableEnded) onCut()
  })
}

/** Returns true for an empty POST; some CPE send a line end in it. */
export function isEmpty(body: Buffer): boolean {
  return body.length === 0 || (body.length <= 8 && body.toString('latin1').trim() === '')
}
