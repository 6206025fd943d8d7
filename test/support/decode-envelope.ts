import { type CwmpEnvelope, envelopeWork } from '../../src/cwmp/wire/index.ts'
import { atOnce } from './at-once.ts'

/** Reads an HTTP body into an envelope without leaving the event loop; the server reads in portions. */
export function decodeEnvelope(bytes: Uint8Array, contentType?: string): CwmpEnvelope {
  return atOnce(envelopeWork(bytes, contentType))
}
