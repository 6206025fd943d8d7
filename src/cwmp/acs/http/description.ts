import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { packageRoot } from '../../../base/index.ts'
import { plain } from './respond.ts'

const SCHEMA = 'cwmp-1-4.xsd'
const SERVICE = 'cwmp-1-4.wsdl'

/**
 * The description of what we speak, as `wsdl/` holds it: the service at `?wsdl` or by its file name, the schema by its
 * file name.
 */
export class Description {
  #files: Map<string, Buffer> | undefined

  /** Answers a GET; anything but the description is 405, because CWMP is spoken by POST. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const bytes = this.#read(request.url ?? '/')
    if (bytes === undefined) {
      response.setHeader('allow', 'POST')
      return plain(response, 405, 'CWMP is spoken by POST; its description is at ?wsdl')
    }
    response.writeHead(200, { 'content-type': 'text/xml; charset="utf-8"', 'content-length': bytes.length })
    response.end(request.method === 'HEAD' ? undefined : bytes)
  }

  #read(url: string): Buffer | undefined {
    const [path = '', query] = url.split('?', 2)
    const name = query?.toLowerCase() === 'wsdl' ? SERVICE : path.slice(path.lastIndexOf('/') + 1)
    if (name !== SERVICE && name !== SCHEMA) return undefined
    this.#files ??= new Map()
    const known = this.#files.get(name) ?? readFileSync(join(packageRoot(import.meta.url), 'wsdl', name))
    this.#files.set(name, known)
    return known
  }
}
