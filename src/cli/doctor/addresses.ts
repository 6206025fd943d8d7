import { lookup } from 'node:dns/promises'
import { errorText } from '../../base/index.ts'
import { type Config, isLoopback } from '../../config/index.ts'
import { type Finding, finding } from './finding.ts'

/**
 * Checks that the host name that a migration writes into devices leads to this server, as far as this machine can find
 * out.
 */
export async function examineAddresses(config: Config): Promise<Finding[]> {
  const { ok, warning, problem } = finding('addresses')
  const { uspPublicHost: name, host, endpointId } = config
  const found: Finding[] = []
  try {
    const addresses = (await lookup(name, { all: true })).map(({ address }) => address)
    const isLocal = addresses.every(isLoopback)
    found.push(
      isLocal && !isLoopback(host)
        ? problem(`--usp-public-host ${name} is this machine alone; give the name by which devices reach it`)
        : ok(`--usp-public-host ${name} is ${addresses.join(', ')}`),
    )
  } catch (error) {
    found.push(problem(`--usp-public-host ${name} has no address (${errorText(error)}); add it to the DNS`))
  }
  if (endpointId === 'proto::isthmus')
    found.push(
      warning(
        '--endpoint-id is the one to try Isthmus with; choose one with your OUI before the first device, it stays',
      ),
    )
  return found
}
