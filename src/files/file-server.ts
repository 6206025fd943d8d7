import type { IncomingMessage, ServerResponse } from 'node:http'
import { Buckets, type Clock, type Log, limitLines, shareOf } from '../base/index.ts'
import type { Mac } from '../security/index.ts'
import { type FileAddress, isFilePath, readSignedPath, signedPath } from './signed-path.ts'

/** The content of a file and its media type. */
interface ServedFile {
  body: Uint8Array
  type: string
}

/** The origin of the files of one kind. */
export interface FileSource {
  /**
   * Resolves with the file of an id; undefined when there is none, or none any more. It is for one device: the id is that
   * of something of this device. Called with ids that this server has signed alone.
   */
  read(id: string): Promise<ServedFile | undefined>
}

interface FileServerOptions {
  /** Sources by the kind of their files. */
  sources: Readonly<Record<string, FileSource>>
  mac: Mac
  clock: Clock
  log: Log
}

/** Milliseconds for which an address is good. */
const GOOD_MS = 3_600_000
/** Bytes of one file. */
const MAX_BYTES = 1_048_576
/** Files that are read at once. */
const MAX_READS = 64
/** Requests for one file: a CPE tries again some times, and no more. */
const OF_FILE = { capacity: 12, perSecond: 1 / 60, maxKeys: 50_000 }
/** Refused requests of one address. */
const OF_STRANGER = { capacity: 60, perSecond: 1, maxKeys: 50_000 }
const LINES_PER_MINUTE = 60

/**
 * Gives files to devices by GET. The path of a file has a signature and the end of its time; a path that this server has
 * not signed, one whose time is over, and one whose file is gone get the same 404. It has no state but the key of its
 * signatures: an address is good at each instance, and after a restart.
 */
export class FileServer {
  readonly #options: FileServerOptions
  readonly #lines: Log
  readonly #ofFile: Buckets
  readonly #ofStranger: Buckets
  #reads = 0

  constructor(options: FileServerOptions) {
    this.#options = options
    this.#lines = limitLines(options.log, options.clock, LINES_PER_MINUTE)
    this.#ofFile = new Buckets(OF_FILE, options.clock)
    this.#ofStranger = new Buckets(OF_STRANGER, options.clock)
  }

  /** Returns the address of a file below a base such as `https://acs.example.net:7548`, good for an hour. */
  urlOf(base: string, file: FileAddress): string {
    const { clock, mac } = this.#options
    return base.replace(/\/+$/, '') + signedPath(file, clock.now() + GOOD_MS, mac)
  }

  /** Returns true for a request whose path has the form of an address of a file. */
  isFor({ url }: Pick<IncomingMessage, 'url'>): boolean {
    return isFilePath(pathOf(url))
  }

  /** Answers a request for a file. `address` is that of the sender. Never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return refuse(response, 405)
    }
    const { clock, mac } = this.#options
    const file = readSignedPath(pathOf(request.url), clock.now(), mac)
    if (file === undefined) return this.#refuseStranger(response, address)
    const key = `${file.kind}/${file.id}`
    if (this.#ofFile.left(key) < 1) return refuse(response, 429, 60)
    if (this.#reads >= MAX_READS) return refuse(response, 503, 5)
    this.#ofFile.take(key, 1)
    const { kind, id } = file
    try {
      const found = await this.#read(file)
      if (found === undefined) return refuse(response, 404)
      const bytes = found.body.byteLength
      this.#lines.info({ kind, id, address, bytes }, 'a file is served')
      const head = { 'content-type': found.type, 'content-length': bytes, 'cache-control': 'no-store' }
      response.writeHead(200, head).end(request.method === 'HEAD' ? undefined : found.body)
    } catch (err) {
      this.#lines.error({ err, kind, id, address }, 'a file could not be served')
      refuse(response, 503, 30)
    }
  }

  async #read({ kind, id }: FileAddress): Promise<ServedFile | undefined> {
    const source = Object.hasOwn(this.#options.sources, kind) ? this.#options.sources[kind] : undefined
    this.#reads++
    try {
      const found = await source?.read(id)
      if (found !== undefined && found.body.byteLength > MAX_BYTES)
        throw new Error(`the file has ${found.body.byteLength} bytes, more than ${MAX_BYTES}`)
      return found
    } finally {
      this.#reads--
    }
  }

  #refuseStranger(response: ServerResponse, address: string): void {
    const share = shareOf(address)
    if (this.#ofStranger.left(share) < 1) return refuse(response, 429, 60)
    this.#ofStranger.take(share, 1)
    this.#lines.info({ address }, 'a request for a file without a good signature')
    refuse(response, 404)
  }
}

/** The path of a request, without its query. */
function pathOf(url = '/'): string {
  const end = url.indexOf('?')
  return url.slice(0, end < 0 ? 2048 : Math.min(end, 2048))
}

/** A status without a word about its reason. */
function refuse(response: ServerResponse, status: number, retryAfterS?: number): void {
  if (response.headersSent || response.destroyed) return
  if (retryAfterS !== undefined) response.setHeader('retry-after', String(retryAfterS))
  response.writeHead(status, { 'content-length': 0 }).end()
}
