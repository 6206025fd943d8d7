import { until } from '../support/until.ts'
import { type ContractSubject, driverContract } from './driver-contract.ts'
import { CONTROLLER, createEngine, createSubject, startController } from './subject.ts'

// A reset takes every subscription with it, and so Boot!; the uptime tells of it, in seconds of the real clock.
const TIME_SCALE = 1.5

/** The Controller, and an Agent that has joined it. */
async function setup(): Promise<ContractSubject> {
  const engine = await createEngine()
  const { store } = engine
  const { controller, port } = await startController(engine)
  const usp = { endpointId: CONTROLLER, host: '127.0.0.1', port, path: '/usp', tls: false }
  const subject = createSubject(engine, 'uspOnly', { usp }, () => controller.stop(), TIME_SCALE)
  const joined = async () => (await store.devices.get(subject.deviceId))?.usp?.onboardedFor !== undefined
  await until(joined)
  return subject
}

driverContract('USP', setup)
