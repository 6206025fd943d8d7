import type { Timestamp } from '../timestamp.ts'

/**
 * Outcomes of a connection request to a CPE (TR-069 3.2.2). `ok`: it was accepted. `refused`: TCP refused it.
 * `timeout`: no answer in time. `unreachable`: no route, or the connection broke. `unknownHost`: the host name has no
 * address. `tls`: the certificate or handshake failed. `unauthorized`: the CPE did not accept the login.
 * `noCredential`: it asks for a login and there is none. `basicOnly`: it offers Basic alone, which is not used without
 * TLS. `forbidden`: 403. `redirected`: 3xx, which is not followed. `busy`: 503. `http2xx`, `http4xx`, `http5xx`: any
 * other status of that class. `noUrl`: the CPE has reported no usable URL. `addressNotAllowed`: the URL names an
 * address that is not allowed for a CPE.
 */
export const CONNECTION_REQUEST_OUTCOMES = [
  'ok',
  'refused',
  'timeout',
  'unreachable',
  'unknownHost',
  'tls',
  'unauthorized',
  'noCredential',
  'basicOnly',
  'forbidden',
  'redirected',
  'busy',
  'http2xx',
  'http4xx',
  'http5xx',
  'noUrl',
  'addressNotAllowed',
] as const
export type ConnectionRequestOutcome = (typeof CONNECTION_REQUEST_OUTCOMES)[number]

/**
 * Outcomes of the request to a device to connect. Beside those of a connection request: `alreadyHere`, `tooSoon` (it
 * accepted a request a moment ago), `notSupported` (its protocol has no such request).
 */
export type WakeOutcome = ConnectionRequestOutcome | 'alreadyHere' | 'tooSoon' | 'notSupported'

/**
 * The last connection request to a CPE, as its record keeps it. Of several with one outcome, `at` may be up to five
 * minutes old.
 */
export interface LastWake {
  at: Timestamp
  /** The first request with this outcome in a row. */
  firstAt: Timestamp
  way: 'connectionRequest'
  outcome: ConnectionRequestOutcome
  /** The HTTP status, where there was one. */
  status?: number
}
