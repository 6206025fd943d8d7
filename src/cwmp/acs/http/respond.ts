import type { ServerResponse } from 'node:http'

/** Sends an envelope as 200, or 204 without one. Returns false when the connection is gone. */
export function send(response: ServerResponse, envelope: string | undefined): boolean {
  if (response.destroyed || response.writableEnded || response.socket?.destroyed === true) return false
  if (envelope === undefined) {
    response.writeHead(204).end()
    return true
  }
  // As text it leaves in one write together with its head.
  const length = Buffer.byteLength(envelope)
  response.writeHead(200, { 'content-type': 'text/xml; charset="utf-8"', 'content-length': length }).end(envelope)
  return true
}

/** A status with a sentence for the person who looks at the wire. */
export function plain(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return
  const bytes = Buffer.from(text)
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': bytes.length }).end(bytes)
}

/** 401 with its challenges, without a body. */
export function challenged(response: ServerResponse, challenges: string[]): void {
  response.setHeader('www-authenticate', challenges)
  plain(response, 401, '')
}

/** Answers 503: the CPE connects again later (TR-069 3.4.7). */
export function tooBusy(response: ServerResponse, text = 'too many sessions or requests at the moment'): void {
  response.setHeader('retry-after', '30')
  plain(response, 503, text)
}
