import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { AuditFile, BridgeFleet, Confirmations, FileRows, routerOpener } from '../../src/bridge/index.ts'
import { asDeviceId } from '../../src/domain/index.ts'
import { type EmulatedRouter, startRouter } from '../../src/simulator/index.ts'
import { Codec, NotifyFile } from '../../src/usp/index.ts'
import { until } from '../support/until.ts'
import { type ContractDevice, type ContractSubject, driverContract } from './driver-contract.ts'
import { BASE, CONTROLLER, createEngine, startController } from './subject.ts'

const SECRET = 'router-secret'
const INTERFACES = 'interface'
const RULES = '/ip/firewall/nat'
const MAPPINGS = 'Device.NAT.PortMapping.'
const folder = mkdtempSync(join(tmpdir(), 'isthmus-contract-bridge-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The Controller, and a bridge whose one router has joined it. */
async function setup(): Promise<ContractSubject> {
  const engine = await createEngine()
  const { store, operations } = engine
  const { controller, port } = await startController(engine)
  const users = [{ name: 'isthmus', password: SECRET, group: ['api', 'read', 'write', 'test', 'reboot'] }]
  const router = await startRouter({ index: 70, users })
  // A mapping of somebody else, whose number is not known by a mark.
  for (const row of router.store.table(RULES).filter(({ values }) => values.chain === 'dstnat'))
    router.store.remove(RULES, row)
  const file = join(folder, 'routers.csv')
  writeFileSync(
    file,
    `address,port,transport,username,password,policy\n127.0.0.1,${router.port},api,isthmus,${SECRET},L2\n`,
  )
  const controllers = [{ endpointId: CONTROLLER, host: '127.0.0.1', port, path: '/usp', tls: false }]
  const bridge = new BridgeFleet({
    ...BASE,
    folder,
    rows: new FileRows({ ...BASE, file, controllers, certificates: undefined }),
    open: routerOpener({ ca: undefined, allowPlain: false }, BASE),
    firmwareHosts: [],
    backupHosts: [],
    notifies: await NotifyFile.open(join(folder, 'notifies.jsonl'), BASE.log),
    confirmations: new Confirmations(BASE.clock),
    audit: new AuditFile(join(folder, 'audit.jsonl'), BASE.clock),
    codec: new Codec(),
  })
  await bridge.start()
  let deviceId = ''
  const joined = async () => {
    const { items } = await store.devices.list({ limit: 1 })
    deviceId = items[0]?.id ?? ''
    return items[0]?.usp?.onboardedFor !== undefined
  }
  await until(joined)
  return {
    operations,
    devices: store.devices,
    parameters: store.parameters,
    deviceId: asDeviceId(deviceId),
    protocol: 'usp',
    device: deviceOf(router),
    async stop() {
      await bridge.stop()
      router.close()
      await controller.stop()
      await operations.stop()
      await store.close()
    },
  }
}

/** The router as it is in itself: rows of its menus, without API, bridge and USP. */
function deviceOf(router: EmulatedRouter): ContractDevice {
  const radio = () => {
    const row = router.store.find(INTERFACES, 'type', 'wifi')
    if (row === undefined) throw new Error('the router has no radio')
    return row
  }
  const markOf = (comment = '') => /^\[isthmus (\w+)\]/.exec(comment)?.[1]
  const mappings = () =>
    router.store.table(RULES).flatMap((row) => {
      const mark = markOf(row.values.comment)
      return mark === undefined ? [] : [{ path: `${MAPPINGS}${numberOf(mark)}.`, row }]
    })
  return {
    value(path) {
      const { values } = radio()
      if (path.startsWith(MAPPINGS))
        return mappings().find((one) => path === `${one.path}ExternalPort`)?.row.values['dst-port']
      if (path.endsWith('SSID.1.SSID')) return values['configuration.ssid']
      if (path.endsWith('Radio.1.Enable')) return values.disabled === 'true' ? 'false' : 'true'
      if (path.endsWith('Radio.1.Channel'))
        return channelOf(Number(values['channel.frequency'] ?? values['~frequency']))
      if (path.endsWith('KeyPassphrase')) return values['security.passphrase']
      return undefined
    },
    rows: (table) => (table === MAPPINGS ? mappings().map(({ path }) => path) : []),
    change(path, value) {
      const change = path.endsWith('Enable')
        ? { disabled: value === 'true' ? 'false' : 'true' }
        : { 'channel.frequency': frequencyOf(value), '~frequency': frequencyOf(value) }
      afterFirstLook(router, () => router.store.set(INTERFACES, radio(), change))
    },
    losePowerAfter: () => router.powerCut(),
    boots: () => router.state.reboots,
  }
}

/** Calls back before the second look of the bridge at the radios from now on: its first one shows no change. */
function afterFirstLook({ state }: EmulatedRouter, change: () => void): void {
  const before = state.onSentence
  let looks = 0
  state.onSentence = (words) => {
    before(words)
    if (words[0] === '/interface/wifi/print' && ++looks === 2) change()
  }
}

/** The channel of a frequency in MHz (IEEE 802.11). */
function channelOf(mhz: number): string {
  return String(mhz < 3000 ? (mhz - 2407) / 5 : (mhz - 5000) / 5)
}

/** The frequency in MHz of a channel at 5 GHz. */
function frequencyOf(channel: string): string {
  return String(5000 + 5 * Number(channel))
}

/** The instance number that the bridge has stored for a port mapping. */
function numberOf(mark: string): number | undefined {
  const [agent = ''] = readdirSync(join(folder, 'agents'))
  const lines = readFileSync(join(folder, 'agents', agent, 'numbers.jsonl'), 'utf8')
  for (const line of lines.split('\n')) {
    const entry = line === '' ? {} : (JSON.parse(line) as { table?: string; key?: string; number?: number })
    if (entry.table === MAPPINGS && entry.key === mark) return entry.number
  }
  return undefined
}

driverContract('USP over a bridge to a MikroTik router', setup, {
  rowValues: { Protocol: 'TCP', InternalClient: '192.168.88.50', AllInterfaces: 'true' },
  host: '198.51.100.1',
  undoesCutWrites: true,
  guardsItself: true,
})
