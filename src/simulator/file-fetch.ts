import { createHash } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { rootCertificates } from 'node:tls'
import { errorText } from '../base/index.ts'
import { authorizeDownload, TransferFault } from '../cwmp/index.ts'

/** A file to fetch, and the conditions that it must meet. */
interface FileRequest {
  url: string
  username: string
  password: string
  /** Milliseconds without data from the server. */
  timeoutMs: number
  /** PEM certificates to trust beside the system's own. */
  trusted: readonly string[]
  /** Hash of the file, by the name that Node has for the algorithm. */
  checksum?: { algorithm: string; hex: string }
  signal: AbortSignal
}

const MAX_SIZE = 256 * 1024 * 1024
/** A file whose text is read, such as a descriptor or a script. */
const MAX_TEXT = 64 * 1024

/**
 * Fetches a file, drops its bytes and resolves with its size. Rejects with TransferFault and the code for
 * TransferComplete.
 */
export async function fetchFile(file: FileRequest): Promise<number> {
  let size = 0
  await fetchParts(file, MAX_SIZE, (chunk) => {
    size += chunk.length
  })
  return size
}

/** Fetches a file of some kilobytes and resolves with its text. Rejects with TransferFault. */
export async function fetchText(file: FileRequest): Promise<string> {
  const chunks: Buffer[] = []
  await fetchParts(file, MAX_TEXT, (chunk) => chunks.push(chunk))
  return Buffer.concat(chunks).toString()
}

async function fetchParts(file: FileRequest, max: number, take: (chunk: Buffer) => void): Promise<void> {
  const first = await get(file, undefined)
  const authorization =
    first.statusCode === 401
      ? authorizeDownload(first.headers['www-authenticate'], file, 'GET', targetOf(file))
      : undefined
  if (authorization === undefined) return receive(first, file, max, take)
  first.resume()
  return receive(await get(file, authorization), file, max, take)
}

function targetOf({ url }: FileRequest): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}

function get(
  { url, timeoutMs, trusted, signal }: FileRequest,
  authorization: string | undefined,
): Promise<IncomingMessage> {
  if (!URL.canParse(url)) throw new TransferFault(9016, 'the URL is none')
  const target = new URL(url)
  const tls = target.protocol === 'https:'
  if (!tls && target.protocol !== 'http:') throw new TransferFault(9013, `${target.protocol} is not supported`)
  const options = {
    signal,
    timeout: timeoutMs,
    headers: authorization === undefined ? {} : { authorization },
    ...(trusted.length === 0 ? {} : { ca: [...rootCertificates, ...trusted] }),
  }
  return new Promise((resolve, reject) => {
    const outgoing = (tls ? requestTls : request)(target, options, resolve)
    outgoing.on('timeout', () => outgoing.destroy(new Error('the file server did not answer in time')))
    outgoing.on('error', (cause) =>
      reject(new TransferFault(9015, `the file server was not reached: ${errorText(cause)}`)),
    )
    outgoing.end()
  })
}

function receive(
  incoming: IncomingMessage,
  { checksum }: FileRequest,
  max: number,
  take: (chunk: Buffer) => void,
): Promise<void> {
  const status = incoming.statusCode ?? 0
  if (status !== 200) {
    incoming.resume()
    if (status === 401 || status === 403) throw new TransferFault(9012, `the file server answered ${status}`)
    throw new TransferFault(9016, `the file server answered ${status}`)
  }
  const hash = createHash(checksum?.algorithm ?? 'sha256')
  let size = 0
  return new Promise((resolve, reject) => {
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      hash.update(chunk)
      take(chunk)
      if (size > max) incoming.destroy(new TransferFault(9018, 'the file is too large'))
    })
    incoming.on('end', () => {
      if (!incoming.complete) return reject(new TransferFault(9017, 'the file was cut off'))
      if (checksum !== undefined && hash.digest('hex') !== checksum.hex.toLowerCase())
        return reject(new TransferFault(9018, 'the checksum is another'))
      resolve()
    })
    incoming.on('error', (error) =>
      reject(
        error instanceof TransferFault ? error : new TransferFault(9017, `the file was cut off: ${errorText(error)}`),
      ),
    )
  })
}
