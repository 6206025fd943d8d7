import { sleep } from '../../base/index.ts'
import type { HttpRequest } from '../../cwmp/index.ts'
import type { CpeQuirk } from './cpe-quirk.ts'

function without(request: HttpRequest, header: string): HttpRequest {
  return {
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => name !== header)),
  }
}

/** No cookie is returned. */
export const noCookies: CpeQuirk = {
  transport: (inner) => ({ ...inner, send: (request) => inner.send(without(request, 'cookie')) }),
}

/** Every request goes over a TCP connection of its own, with `Connection: close`. */
export const newConnections: CpeQuirk = {
  transport: (inner) => ({
    ...inner,
    send: (request) => inner.send({ ...request, headers: { ...request.headers, connection: 'close' } }),
  }),
}

/** Credentials are sent after a 401 only, each time. */
export const authAfter401: CpeQuirk = {
  transport(inner) {
    let challenged = false
    return {
      ...inner,
      async send(request) {
        const answer = await inner.send(challenged ? request : without(request, 'authorization'))
        challenged = answer.status === 401
        return answer
      },
    }
  },
}

/** Each request leaves after a while. */
export function slow(delayMs: number): CpeQuirk {
  return {
    transport(inner, { clock }) {
      let power = new AbortController()
      return {
        ...inner,
        async send(request) {
          await sleep(clock, delayMs, power.signal)
          return inner.send(request)
        },
        abort() {
          power.abort(new Error('the CPE is off'))
          power = new AbortController()
          inner.abort()
        },
      }
    },
  }
}

/** After so many requests of a session, each has a chance of one in ten to break its connection. */
export function dropsSessions(requests: number): CpeQuirk {
  return {
    transport(inner, { random }) {
      let sent = 0
      return {
        ...inner,
        async send(request) {
          if (++sent > requests && random.fraction() < 0.1) throw new Error('the CPE dropped the connection')
          return inner.send(request)
        },
        end() {
          sent = 0
          inner.end()
        },
      }
    },
  }
}
