import { AppError, errorText } from '../../base/index.ts'
import { RouterOsError } from '../../routeros/index.ts'
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
  if (!(error instanceof RouterOsError)) return `the bridge failed at ${place}: ${text}`
  switch (error.kind) {
    case 'unreachable':
      return `${place}: ${text}; look at the address, at firewalls on the way, and whether /ip service has the API enabled for the bridge`
    case 'login':
      return `${place} refuses user ${username}: ${text}; send the right login, and look at the group and the allowed addresses of the user`
    case 'timeout':
      return `${place} does not answer in time: ${text}; look at its load and at the way to it`
    case 'refused':
      return `${place}: ${text}`
    default:
      return `${place} ended the connection: ${text}`
  }
}
