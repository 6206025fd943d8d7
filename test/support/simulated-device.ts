import { silentLog, systemRandom } from '../../src/base/index.ts'
import {
  loadPresetModels,
  SimulatedDevice,
  type SimulatedDeviceOptions,
  type SimulatedKind,
} from '../../src/simulator/index.ts'
import { Codec } from '../../src/usp/index.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'

const models = loadPresetModels()
const codec = new Codec()

export const FACTS = {
  manufacturer: 'Acme',
  oui: '00256D',
  productClass: 'Home Box',
  serial: 'S-1',
  modelName: 'H1',
  hardwareVersion: '1',
  softwareVersion: '1.0',
}

/**
 * A simulated device on real sockets over a clock that the test moves. Random waits are in the middle of their range.
 */
export function makeDevice(
  kind: SimulatedKind,
  options: Partial<Omit<SimulatedDeviceOptions, 'servers'>> & {
    acsUrl?: string
    usp?: Partial<SimulatedDeviceOptions['servers']['usp']>
  } = {},
): { device: SimulatedDevice; clock: ManualClock } {
  const clock = createManualClock()
  const { acsUrl = 'http://127.0.0.1:9/', usp = {}, ...over } = options
  const device = new SimulatedDevice({
    kind,
    facts: FACTS,
    faults: [],
    endpointId: 'proto::device',
    servers: {
      acsUrl,
      enrolmentSecret: 'secret',
      usp: { endpointId: 'proto::controller', host: '127.0.0.1', port: 9, path: '/usp', tls: false, ...usp },
    },
    models,
    codec,
    cwmpVersion: '1.2',
    listenHost: '127.0.0.1',
    timeScale: 1,
    informIntervalS: 300,
    clock,
    random: { bytes: systemRandom.bytes, fraction: () => 0.5 },
    log: silentLog,
    ...over,
  })
  return { device, clock }
}
