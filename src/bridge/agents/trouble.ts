import { AppError, errorText } from '../../base/index.ts'
import { RouterOsError } from '../../routeros/index.ts'
import { AgentError } from '../../usp/index.ts'
import type { RouterRow } from './router-rows.ts'

const MAX_TEXT = 500

/** Returns the trouble with a router as a sentence that a network engineer can act on. It holds no secret. */
export function troubleText(error: unknown, { address, port, login }: RouterRow): string {
  const place = port === undefined ? address : `${address} port ${port}`
  return `${sentence(error, place, login?.username ?? '')}`.slice(0, MAX_TEXT)
}

function sentence(error: unknown, place: string, username: string): string {
  const text = errorText(error)
  if (error instanceof AppError) return text
  if (error instanceof AgentError) return `${place}: ${text}; look at the router, its version and its packages`
  if (!(error instanceof RouterOsError)) return `the bridge failed at ${place}: ${text}`
  switch (error.kind) {
    case 'unreachable':
      return `${place} is not reached: ${text}; look at the address, and at firewalls on the way`
    case 'untrusted':
      return `${place}: ${text}; look at what answers there, and send the fingerprint of its certificate or host key`
    case 'login':
      return `${place} refuses user ${username}: ${text}`
    case 'timeout':
      return `${place} does not answer in time: ${text}; look at its load and at the way to it`
    case 'refused':
      return `${place}: ${text}`
    default:
      return `${place} ended the connection: ${text}`
  }
}
