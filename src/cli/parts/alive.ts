import { type RequestOptions, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { AppError, errorText } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { certificateSources } from './certificates.ts'

const TIMEOUT_MS = 4000

/** The host by which this machine reaches a listener that is bound to an address. */
function reachableHost(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
}

/** Resolves when the server of this configuration answers `/healthz`; AppError `unavailable` when it does not. */
export async function checkAlive(config: Config): Promise<void> {
  const isTls = certificateSources(config).api !== undefined
  const status = await statusOf(isTls, {
    host: reachableHost(config.apiHost),
    port: config.apiPort,
    path: '/healthz',
    timeout: TIMEOUT_MS,
  })
  if (status !== 200) throw new AppError('unavailable', `/healthz on port ${config.apiPort} answered ${status}`)
}

function statusOf(isTls: boolean, options: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(new AppError('unavailable', `no server answers on port ${options.port}: ${errorText(cause)}`, { cause }))
    // The server is asked on its own machine, for no secret: its certificate need not be for this name.
    const asked = isTls ? requestTls({ ...options, rejectUnauthorized: false }) : request(options)
    asked.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('timeout', () => asked.destroy(new Error(`nothing within ${TIMEOUT_MS / 1000} s`)))
    asked.on('error', fail)
    asked.end()
  })
}
