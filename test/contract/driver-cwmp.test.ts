import { Agent } from 'node:http'
import { inject, vi } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { Acs, Cpe } from '../../src/cwmp/index.ts'
import { deviceIdOf } from '../../src/device/index.ts'
import { type ContractSubject, driverContract } from './driver-contract.ts'
import { createEngine, createTree, IDENTITY } from './subject.ts'

const SECRET = 'enrol me'

/** The ACS, and a CPE that has been enrolled by it. */
async function setup(): Promise<ContractSubject> {
  const { store, operations } = await createEngine(inject('mongodbUri'))
  const acs = new Acs({
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
    upward: operations,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  await acs.start()
  operations.setDrivers([acs.driver])

  const { tree, cwmp } = createTree()
  const server = 'Device.ManagementServer.'
  tree.put(`${server}URL`, `http://127.0.0.1:${acs.port}/`)
  tree.put(`${server}Username`, deviceIdOf(IDENTITY))
  tree.put(`${server}Password`, SECRET)
  const factory = tree.snapshot()
  const httpAgent = new Agent({ keepAlive: true })
  let boots = 0
  const restart = async (bootstrap: boolean) => {
    cpe.stop()
    if (bootstrap) tree.restore(factory)
    boots++
    await cpe.start(bootstrap)
  }
  const cpe = new Cpe({
    view: cwmp,
    root: 'Device.',
    identity: IDENTITY,
    httpAgent,
    quirks: {},
    timeScale: 50,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    onRestart: (reset) => {
      restart(reset).catch((error: unknown) => {
        throw error
      })
    },
    onDownload: (url) => /fw-(.+)\.bin$/.exec(url)?.[1] ?? '?',
    onCommand: () => undefined,
  })
  const deviceId = deviceIdOf(IDENTITY)
  await cpe.start(true)
  const enrolled = async () => (await store.credentials.get(deviceId))?.connectionRequest !== undefined
  await vi.waitUntil(enrolled, { timeout: 10_000, interval: 20 })
  return {
    operations,
    devices: store.devices,
    parameters: store.parameters,
    deviceId,
    protocol: 'cwmp',
    box: {
      value: (path) => tree.raw(cwmp.toCanonical(path)),
      rows: (table) => cwmp.instances(table),
      change: (path, value) => tree.put(cwmp.toCanonical(path), value),
      boots: () => boots,
    },
    async stop() {
      cpe.stop()
      httpAgent.destroy()
      await acs.stop()
      await operations.stop()
      await store.close()
    },
  }
}

driverContract('CWMP', setup)
