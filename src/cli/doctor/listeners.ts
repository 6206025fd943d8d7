import { createServer } from 'node:net'
import { errorText, listen } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { certificateSources } from '../parts/certificates.ts'
import { inStartWords } from '../parts/start-error.ts'
import { type Finding, finding } from './finding.ts'

/** The addresses and ports that the server will listen on can be had. `isRunning`: the server has them itself. */
export async function examinePorts(config: Config, isRunning: boolean): Promise<Finding[]> {
  const { ok, problem } = finding('ports')
  if (isRunning) return [ok(`a server answers on port ${config.apiPort}; it has the other ports, too`)]
  const sources = certificateSources(config)
  const wanted: [name: string, host: string, port: number][] = [
    ['API', config.apiHost, config.apiPort],
    ...(config.plainCwmp ? ([['CWMP', config.host, config.cwmpPort]] as [string, string, number][]) : []),
    ...(sources.cwmp === undefined
      ? []
      : ([['CWMP over TLS', config.host, config.cwmpsPort]] as [string, string, number][])),
    ['USP', config.host, config.uspPort],
  ]
  const found: Finding[] = []
  for (const [name, host, port] of wanted) {
    const error = await listenError(host, port)
    found.push(
      error === undefined
        ? ok(`${name}: port ${port} on ${host} is free`)
        : problem(`${name}: ${errorText(inStartWords(error, config))}`),
    )
  }
  return found
}

async function listenError(host: string, port: number): Promise<unknown> {
  const server = createServer()
  try {
    await listen(server, { host, port })
    return undefined
  } catch (error) {
    return error
  } finally {
    server.close()
  }
}
