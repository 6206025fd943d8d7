import type { ServerResponse } from 'node:http'

/**
 * Sends an envelope as 200, with a cookie where one is given, or 204 without an envelope. Returns false when the
 * connection is gone.
 */
export function send(response: ServerResponse, envelope: string | undefined, cookie?: string): boolean {
  if (response.destroyed || response.writableEnded || response.socket?.destroyed === true) return false
  if (envelope === undefined) {
    response.writeHead(204).end()
    return true
  }
  // As text it leaves in one write together with its head, and a list of headers is written as it is.
  const head = ['content-type', 'text/xml; charset="utf-8"', 'content-length', String(Buffer.byteLength(envelope))]
  if (cookie !== undefined) head.push('set-cookie', cookie)
  response.writeHead(200, head).end(envelope)
  return true
}

/** A status with a sentence for the person who looks at the wire. */
export function plain(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return
  const length = String(Buffer.byteLength(text))
  response.writeHead(status, ['content-type', 'text/plain; charset=utf-8', 'content-length', length]).end(text)
}

/** 401 with its challenges, without a body. */
export function challenged(response: ServerResponse, challenges: string[]): void {
  if (response.headersSent || response.destroyed) return
  const head = ['content-length', '0']
  for (const challenge of challenges) head.push('www-authenticate', challenge)
  response.writeHead(401, head).end()
}

/** Answers 503: the CPE connects again later (TR-069 3.4.7). */
export function tooBusy(response: ServerResponse, text = 'too many sessions or requests at the moment'): void {
  response.setHeader('retry-after', '30')
  plain(response, 503, text)
}
