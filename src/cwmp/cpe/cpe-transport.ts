import type { IncomingHttpHeaders } from 'node:http'

/** One HTTP request of a CPE: always a POST (TR-069 3.4.1). */
export interface HttpRequest {
  url: URL
  /** Names are in lower case. */
  headers: Readonly<Record<string, string>>
  body: string
}

/** One answer of the ACS, whatever its status. */
export interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/**
 * The connection of a CPE to its ACS. The CPE sends one request at a time; cookies, logins and redirects are those of
 * its client above. Implementations are plain objects whose functions do not use `this`: a decorator copies one and
 * replaces some of them.
 */
export interface CpeTransport {
  /** Resolves with the answer to one request. Rejects with TransportError, also when it was aborted. */
  send(request: HttpRequest): Promise<HttpAnswer>
  /** Ends the connection, before and after each session. */
  end(): void
  /** Cuts the request under way and the connection, as a power cut does. */
  abort(): void
}
