import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import type { Contact, Operation, OperationRequest, OperationResult } from '../../src/domain/index.ts'
import { type Fault, Fleet, type SimulatedDevice } from '../../src/simulator/index.ts'
import { ENROLMENT_SECRET, startAcs, type TestAcs } from '../support/cwmp-acs.ts'
import { type FileServer, startFileServer } from '../support/file-server.ts'
import { until } from '../support/until.ts'

/** The ACS, and one simulated MikroTik router that contacts it again and again. */
interface World {
  acs: TestAcs
  device: SimulatedDevice
  /** Has the ACS execute a request in the next session; resolves with its result. */
  run(request: OperationRequest, id?: string): Promise<OperationResult>
}

const stops: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function start(family: 'mikrotikV6' | 'mikrotikV7', faults: readonly Fault[] = []): Promise<World> {
  const acs = await startAcs({ clock: systemClock, informIntervalS: 2 })
  stops.push(() => acs.stop())
  const fleet = new Fleet({
    mix: { [family]: 1 },
    faultEvery: faults.length === 0 ? 0 : 1,
    faultKinds: ['tr181NoAgent'],
    faults: [faults],
    seed: 1,
    servers: {
      acsUrl: `http://127.0.0.1:${acs.acs.port}/`,
      enrolmentSecret: ENROLMENT_SECRET,
      usp: { endpointId: 'proto::c', host: '127.0.0.1', port: 9, path: '/usp', tls: false },
    },
    timeScale: 20,
    informIntervalS: 2,
    staggerMs: 0,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  stops.push(() => fleet.stop(false))
  const waiting: { operation: Operation; done(result: OperationResult): void; failed(error: unknown): void }[] = []
  acs.onContact(async (contact: Contact) => {
    const next = waiting.shift()
    const hooks = { beforeSend: async () => undefined, signal: contact.signal, timeoutMs: 20_000 }
    if (next !== undefined) await contact.execute(next.operation, hooks).then(next.done, next.failed)
  })
  await fleet.start()
  const [device] = fleet.devices
  if (device === undefined) throw new Error('the fleet has no device')
  await until(() => acs.stores.inside.devices.size === 1 && device.cpe?.counters.sessions !== 0)
  return {
    acs,
    device,
    run(request, id = 'op1') {
      return new Promise((done, failed) => {
        waiting.push({ operation: { id, request } as Partial<Operation> as Operation, done, failed })
        for (const record of acs.stores.inside.devices.values()) record.work = { open: true, seq: 1 }
      })
    },
  }
}

async function files(contents: Record<string, string>): Promise<FileServer> {
  const server = await startFileServer(
    Object.fromEntries(Object.entries(contents).map(([name, text]) => [name, Buffer.from(text)])),
  )
  stops.push(() => server.stop())
  return server
}

function descriptor(urls: readonly string[]): string {
  const links = urls.map((url) => `<link><url>${url}</url></link>`).join('')
  return `<?xml version="1.0" encoding="UTF-8"?><upgrade version="1" type="links"><config/><links>${links}</links></upgrade>`
}

const INTERFACE = 'Device.IP.Interface.'

describe.each(['mikrotikV6', 'mikrotikV7'] as const)('the ACS and a MikroTik router (%s)', (family) => {
  it('a device whose product class has a space and ^ is a record', async () => {
    const { acs } = await start(family)
    const [device] = acs.stores.inside.devices.values()
    expect(device?.id).toBe(
      family === 'mikrotikV6' ? 'E48D8C-hAP%20ac%5E2-B8009000000' : '48A98A-hAP%20ax%5E3-HF009000000',
    )
    expect(device).toMatchObject({ root: 'Device.', manufacturer: 'MikroTik' })
  })

  it('reads a tree that has neither NAT nor Users, without a header in any envelope', async () => {
    const { run, device } = await start(family)
    expect(await run({ verb: 'discover' })).toMatchObject({ outcome: 'done' })
    const { results } = await run({ verb: 'get', paths: ['Device.DeviceInfo.', `${INTERFACE}2.IPv4Address.1.`] })
    const values = Object.assign({}, ...(results ?? []).map((result) => ('values' in result ? result.values : {})))
    expect(JSON.stringify(results)).toContain('192.168.88.1')
    expect(device.cpe?.counters.failedSessions, JSON.stringify(values).slice(0, 200)).toBe(0)
    const top = await run({ verb: 'get', paths: ['Device.NAT.'] })
    expect(JSON.stringify(top)).toMatch(/9005|unknown|notFound/i)
  })

  it('writes what can be written, and says of a dynamic row that it cannot be', async () => {
    const { run, device } = await start(family)
    const set = (path: string, value: string) => run({ verb: 'set', values: [{ path, value }] })
    expect(await set('Device.DeviceInfo.X_MIKROTIK_SystemIdentity', 'post <1> & 2')).toMatchObject({ outcome: 'done' })
    expect(device.tree.raw('Device.DeviceInfo.X_MIKROTIK_SystemIdentity')).toBe('post <1> & 2')
    expect(await set(`${INTERFACE}2.IPv4Address.1.IPAddress`, '192.168.89.1')).toMatchObject({ outcome: 'done' })
    const refused = await set(`${INTERFACE}1.IPv4Address.1.IPAddress`, '203.0.113.9')
    expect(refused.outcome).toBe('failed')
    expect(JSON.stringify(refused)).toContain('9008')
  })

  it('adds and deletes a port forward in the table of the maker', async () => {
    const { run, device } = await start(family)
    const table = 'Device.Firewall.X_MIKROTIK_NAT.Chain.2.Rule.'
    const added = await run({
      verb: 'add',
      object: table,
      values: { Target: 'DestNAT', ToAddresses: '192.168.88.30', ToPorts: '80' },
    })
    expect(added).toMatchObject({ outcome: 'done' })
    const row = device.tree.instances(table).at(-1)
    expect(device.tree.raw(`${row}ToAddresses`)).toBe('192.168.88.30')
    expect(await run({ verb: 'delete', paths: [row ?? ''] })).toMatchObject({ outcome: 'done' })
    expect(device.tree.instances(table)).toHaveLength(1)
  })
})

describe('firmware of a MikroTik router', () => {
  const npk = (name: string, version: string) => `${name}-${version}-arm64.npk`
  const NAMES = ['routeros', 'tr069-client', 'wifi-qcom']

  async function download(faults: readonly Fault[], names: readonly string[], version = '7.19.1') {
    const world = await start('mikrotikV7', faults)
    const packages = Object.fromEntries(names.map((name) => [npk(name, version), 'package']))
    const packageServer = await files(packages)
    const server = await files({
      'upgrade.xml': descriptor(Object.keys(packages).map((name) => packageServer.url(name))),
    })
    const request = { verb: 'download', url: server.url('upgrade.xml'), version } as const
    expect(await world.run(request, 'op-fw')).toMatchObject({ outcome: 'pending' })
    return { ...world, asked: packageServer.asked }
  }

  it.each([
    ['in TransferComplete', []],
    ['on the event M Download alone', ['keyOnEvent']],
  ] as const)(
    'is installed by a descriptor of all its packages; the operation ends with the CommandKey %s',
    async (_, faults) => {
      const { acs, device, asked } = await download(faults, NAMES)
      await until(() => acs.completions.some(({ kind }) => kind === 'transfer'))
      expect(acs.completions.filter(({ kind }) => kind === 'transfer')).toMatchObject([{ commandKey: 'op-fw' }])
      expect(asked.map(({ name }) => name)).toEqual(NAMES.map((name) => npk(name, '7.19.1')))
      await until(() => device.tree.raw('Device.DeviceInfo.SoftwareVersion') === '7.19.1')
      expect(device.reboots).toBe(1)
    },
  )

  it('is refused as a package in place of the descriptor', async () => {
    const { run, acs } = await start('mikrotikV7')
    const server = await files({ 'routeros-7.19.1-arm64.npk': 'package' })
    await run({ verb: 'download', url: server.url('routeros-7.19.1-arm64.npk') }, 'op-fw')
    await until(() => acs.completions.some(({ kind }) => kind === 'transfer'))
    expect(acs.completions.find(({ kind }) => kind === 'transfer')).toMatchObject({ fault: { code: '9018' } })
  })

  it('without the package of the TR-069 client is the last that the ACS sees of the router', async () => {
    const { device } = await download([], ['routeros', 'wifi-qcom'])
    await until(() => device.tree.raw('Device.DeviceInfo.SoftwareVersion') === '7.19.1')
    expect(device.cpe?.running).toBe(false)
  })
})

it('a configuration file of a MikroTik router runs as a script when its name ends in .alter, and needs a boot otherwise', async () => {
  const { run, device, acs } = await start('mikrotikV7')
  const server = await files({ 'name.alter': '/system identity set name="altered"\n', 'full.rsc': '/ip address add' })
  const transfers = () => acs.completions.filter(({ kind }) => kind === 'transfer').length
  const fileType = '3 Vendor Configuration File'
  await run({ verb: 'download', url: server.url('name.alter'), fileType }, 'op-a')
  await until(() => transfers() === 1)
  expect(device.tree.raw('Device.DeviceInfo.X_MIKROTIK_SystemIdentity')).toBe('altered')
  expect(device.reboots).toBe(0)
  await run({ verb: 'download', url: server.url('full.rsc'), fileType }, 'op-b')
  await until(() => transfers() === 2)
  expect(device.reboots).toBe(1)
})

it('a factory configuration of a MikroTik router runs at the next reset, and at no time before', async () => {
  const { run, device, acs } = await start('mikrotikV7')
  const server = await files({ 'default.rsc': '/system identity set name="from the factory"\n' })
  const fileType = 'X MIKROTIK Factory Configuration File'
  await run({ verb: 'download', url: server.url('default.rsc'), fileType }, 'op-f')
  await until(() => acs.completions.some(({ kind }) => kind === 'transfer'))
  const name = () => device.tree.raw('Device.DeviceInfo.X_MIKROTIK_SystemIdentity')
  expect(name()).toBe('MikroTik')
  expect(await run({ verb: 'factoryReset' })).toMatchObject({ outcome: 'pending' })
  await until(() => name() === 'from the factory')
})
