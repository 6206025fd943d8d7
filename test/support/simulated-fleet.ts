import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { Fleet, type FleetOptions } from '../../src/simulator/index.ts'
import type { TestServer } from './test-server.ts'

/** A fleet at a server, whose time runs twenty times as fast; without faults where `options` names none. */
export function fleetAt(
  { cwmpPort, uspPort, enrolmentSecret, endpointId }: TestServer,
  { tls, ...options }: Partial<FleetOptions> & Pick<FleetOptions, 'mix'> & { tls: boolean },
): Fleet {
  return new Fleet({
    faultEvery: 0,
    seed: 1,
    servers: {
      acsUrl: `http://127.0.0.1:${cwmpPort}/`,
      enrolmentSecret,
      usp: { endpointId, host: '127.0.0.1', port: uspPort, path: '/usp', tls },
    },
    timeScale: 20,
    informIntervalS: 300,
    staggerMs: 0,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...options,
  })
}
