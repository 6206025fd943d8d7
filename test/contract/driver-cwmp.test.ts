import { Acs } from '../../src/cwmp/index.ts'
import { until } from '../support/until.ts'
import { type ContractSubject, driverContract } from './driver-contract.ts'
import { BASE, createEngine, createSubject, SECRET } from './subject.ts'

/** The ACS, and a CPE that has been enrolled by it. */
async function setup(): Promise<ContractSubject> {
  const engine = await createEngine((deviceId) => acs.release(deviceId))
  const { store, operations } = engine
  const acs: Acs = new Acs({
    ...BASE,
    host: '127.0.0.1',
    port: 0,
    policy: 'credential',
    enrolmentSecret: SECRET,
    allowBasicOverHttp: false,
    informIntervalS: 3600,
    discovery: 'none',
    maxSessions: 10,
    devices: store.devices,
    credentials: store.credentials,
    parameters: store.parameters,
    upward: operations,
  })
  await acs.start()
  operations.setDrivers([acs.driver])
  const acsUrl = `http://127.0.0.1:${acs.port}/`
  const subject = createSubject(engine, 'tr181NoAgent', { acsUrl }, () => acs.stop())
  const enrolled = async () => (await store.credentials.get(subject.deviceId))?.connectionRequest !== undefined
  await until(enrolled)
  return subject
}

driverContract('CWMP', setup)
