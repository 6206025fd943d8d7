import { afterEach, describe, expect, it } from 'vitest'
import type { RouterOptions } from '../../src/simulator/index.ts'
import { CommandBench } from '../support/bridge-commands.ts'
import { BridgeRouter } from '../support/bridge-router.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

const bridges: BridgeRouter[] = []
afterEach(async () => {
  for (const bridge of bridges.splice(0)) await bridge.stop()
})

async function start(options: RouterOptions = {}, clock = createManualClock()) {
  const bridge = await BridgeRouter.start(options)
  bridges.push(bridge)
  return { bridge, bench: new CommandBench(bridge, clock), clock }
}
const error = (code: number, message: string | RegExp) =>
  expect.objectContaining({ code, message: typeof message === 'string' ? message : expect.stringMatching(message) })
const written = (bridge: BridgeRouter) => bridge.sent.filter(({ writes }) => writes).map(({ path }) => path)

describe('danger levels', () => {
  it('commands above the level of the router are refused before anything is asked', async () => {
    const { bench, bridge } = await start()
    bench.policy = { ...bench.policy, level: 1 }
    await expect(bench.run('Device.Reboot()')).rejects.toEqual(
      error(7006, 'commands of level 2 are not enabled for this router'),
    )
    bench.policy = { ...bench.policy, level: 0 }
    await expect(bench.run('Device.IP.Diagnostics.IPPing()', { Host: '203.0.113.9' })).rejects.toEqual(
      error(7006, /level 1/),
    )
    bench.policy = { ...bench.policy, level: 2 }
    await expect(bench.run('Device.FactoryReset()')).rejects.toEqual(error(7006, /level 3/))
    expect(bridge.sent).toEqual([])
    expect(bench.audited).toEqual([])
    expect(bench.counted).toEqual(['2 refused', '1 refused', '3 refused'])
  })

  it('a command that the bridge does not have is none', async () => {
    const { bench } = await start()
    await expect(bench.run('Device.SelfTestDiagnostics()')).rejects.toEqual(error(7026, /no such command/))
  })

  it('level 3 is done with a token that was shown for the same call, once and in time', async () => {
    const { bench, bridge, clock } = await start()
    const token = await bench.tokenFor('Device.FactoryReset()', { Cause: 'RemoteFactoryReset' })
    expect(token).toMatch(/^[0-9a-z]+\.[\w-]{22}$/)
    const wrong = error(7027, /not good/)
    await expect(bench.run('Device.FactoryReset()', { X_MIKROTIK_Confirm: token })).rejects.toEqual(wrong)
    const args = { Cause: 'RemoteFactoryReset', X_MIKROTIK_Confirm: token }
    const forged = `${(clock.now() + 1e9).toString(36)}.${token.split('.')[1]}`
    await expect(bench.run('Device.FactoryReset()', { ...args, X_MIKROTIK_Confirm: forged })).rejects.toEqual(wrong)
    await bench.run('Device.FactoryReset()', args)
    await expect(bench.run('Device.FactoryReset()', args)).rejects.toEqual(wrong)
    const late = await bench.tokenFor('Device.FactoryReset()')
    clock.advance(120_001)
    await expect(bench.run('Device.FactoryReset()', { X_MIKROTIK_Confirm: late })).rejects.toEqual(wrong)
    expect(written(bridge)).toEqual([])
    expect(bench.audited).toEqual([
      {
        router: 'router-1',
        command: 'Device.FactoryReset()',
        level: 3,
        commandKey: 'key-1',
        by: { endpointId: 'self::controller', roles: ['Manager'] },
        args: ['Cause', 'X_MIKROTIK_Confirm'],
      },
    ])
  })
})

describe('restarts', () => {
  it.each(['done', 'nothing', 'silence'] as const)(
    'a reboot begins after the answer; the router answers with %s',
    async (answer) => {
      const { bench, bridge } = await start({ faults: { rebootAnswer: answer, bootMs: 50 } })
      const uptime = async () => (await bridge.print('/system/resource'))[0]?.uptime
      expect(await uptime()).toContain('1d')
      const { output, afterwards } = await bench.run('Device.Reboot()', { Cause: 'LocalReboot' })
      expect(output).toEqual({})
      expect(written(bridge)).toEqual([])
      afterwards?.()
      expect(bench.restarts).toEqual([{ cause: 'RemoteReboot', commandKey: 'key-1' }])
      await until(() => bridge.emulated.sessions === 0 || bridge.emulated.state.upS < 10)
      expect(written(bridge)).toEqual(['/system/reboot'])
      expect(bench.lines).toEqual([])
    },
  )

  it('commands are counted by level and outcome', async () => {
    const { bench, bridge } = await start()
    await bench.run('Device.IP.Diagnostics.IPPing()', { Host: '203.0.113.9', NumberOfRepetitions: '1' })
    await bench.run('Device.Reboot()')
    bridge.level = 0
    await expect(bench.run('Device.IP.Diagnostics.IPPing()', { Host: '203.0.113.9' })).rejects.toThrow()
    expect(bench.counted).toEqual(['1 done', '2 done', '1 failed'])
  })

  it('a reboot that the router refuses is an error in the log', async () => {
    const { bench, bridge } = await start()
    bridge.level = 1
    const { afterwards } = await bench.run('Device.Reboot()')
    afterwards?.()
    await until(() => bench.lines.length > 0)
    expect(bench.lines).toMatchObject([{ command: '/system/reboot' }])
  })

  it('a factory reset drops what was configured', async () => {
    const { bench, bridge } = await start({ faults: { bootMs: 50 } })
    await bridge.other('/system/identity/set', { name: 'mine' })
    const { afterwards } = await bench.confirmed('Device.FactoryReset()')
    afterwards?.()
    await until(() => bridge.emulated.store.table('/system/identity')[0]?.values.name !== 'mine')
    expect(bridge.sent.at(-1)).toMatchObject({
      path: '/system/reset-configuration',
      args: { 'skip-backup': 'yes' },
    })
    expect(bench.restarts).toEqual([{ cause: 'RemoteFactoryReset', commandKey: 'key-1' }])
  })
})

describe('diagnostics', () => {
  const PING = { ProtocolVersion: 'Any', NumberOfRepetitions: '2', Timeout: '1000', DataBlockSize: '64' }

  it('ping counts answers and gives times in milliseconds and microseconds', async () => {
    const { bench, bridge } = await start()
    const { output } = await bench.run('Device.IP.Diagnostics.IPPing()', { ...PING, Host: '203.0.113.9', DSCP: '10' })
    expect(output).toMatchObject({
      Status: 'Complete',
      IPAddressUsed: '203.0.113.9',
      SuccessCount: '2',
      FailureCount: '0',
    })
    expect(Number(output.AverageResponseTimeDetailed)).toBeGreaterThan(0)
    expect(bridge.sent.at(-1)).toMatchObject({
      path: '/ping',
      args: { address: '203.0.113.9', count: '2', size: '92', interval: '1s', dscp: '10' },
    })
  })

  it('ping of an address that never answers, and of a name that does not resolve', async () => {
    const { bench } = await start()
    const lost = await bench.run('Device.IP.Diagnostics.IPPing()', { ...PING, Host: '192.0.2.7' })
    expect(lost.output).toMatchObject({ Status: 'Complete', SuccessCount: '0', FailureCount: '2' })
    const unknown = await bench.run('Device.IP.Diagnostics.IPPing()', { ...PING, Host: 'nobody.invalid' })
    expect(unknown.output).toMatchObject({ Status: 'Error_CannotResolveHostName', FailureCount: '2' })
  })

  it('numbers are brought into bounds', async () => {
    const { bench, bridge } = await start()
    const args = { Host: '203.0.113.9', NumberOfRepetitions: '0', Timeout: '1', DataBlockSize: '65535' }
    await bench.run('Device.IP.Diagnostics.IPPing()', args)
    expect(bridge.sent.at(-1)?.args).toMatchObject({ count: '1', size: '1500' })
  })

  it.each([
    '127.0.0.1',
    '0.0.0.0',
    '169.254.1.1',
    '224.0.0.1',
    '255.255.255.255',
    'localhost',
    'a.localhost',
    '::1',
    'fe80::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '2130706433',
    '0x7f000001',
    'a.0x7f',
    '-c',
    'a b',
    '$(reboot)',
    '1.2.3.4;/system/reboot',
    '',
  ])('no packet goes to %j', async (Host) => {
    const { bench, bridge } = await start()
    await expect(bench.run('Device.IP.Diagnostics.IPPing()', { ...PING, Host })).rejects.toEqual(error(7027, /^Host/))
    await expect(bench.run('Device.IP.Diagnostics.TraceRoute()', { Host })).rejects.toEqual(error(7027, /^Host/))
    expect(bridge.sent.map(({ path }) => path)).not.toContain('/ping')
  })

  it('arguments that are wrong are refused', async () => {
    const { bench } = await start()
    const run = (args: Record<string, string>) =>
      bench.run('Device.IP.Diagnostics.IPPing()', { ...PING, Host: '203.0.113.9', ...args })
    await expect(run({ NumberOfRepetitions: '1 ' })).rejects.toEqual(error(7027, /^NumberOfRepetitions/))
    await expect(run({ ProtocolVersion: 'IPv6' })).rejects.toEqual(error(7027, /^Host/))
    await expect(run({ ProtocolVersion: 'x' })).rejects.toEqual(error(7027, /^ProtocolVersion/))
    await expect(run({ Interface: '/interface' })).rejects.toEqual(error(7027, /^Interface/))
    await expect(run({ Interface: 'Device.Ethernet.Interface.99.' })).rejects.toEqual(error(7027, /^Interface/))
  })

  it('goes out by the interface that a path names', async () => {
    const { bench, bridge } = await start()
    const [path] = await bench.model.instances('Device.Ethernet.Interface.')
    await bench.run('Device.IP.Diagnostics.IPPing()', { ...PING, Host: '203.0.113.9', Interface: path ?? '' })
    expect(bridge.sent.at(-1)?.args).toMatchObject({ interface: 'ether1' })
  })

  it('traceroute gives the hops of the last section', async () => {
    const { bench } = await start()
    const { output } = await bench.run('Device.IP.Diagnostics.TraceRoute()', { Host: '203.0.113.9', MaxHopCount: '10' })
    expect(output).toMatchObject({
      Status: 'Complete',
      IPAddressUsed: '203.0.113.9',
      'RouteHops.4.HostAddress': '203.0.113.9',
    })
    expect(output['RouteHops.5.Host']).toBeUndefined()
    const short = await bench.run('Device.IP.Diagnostics.TraceRoute()', { Host: '203.0.113.9', MaxHopCount: '2' })
    expect(short.output.Status).toBe('Error_MaxHopCountExceeded')
  })

  it('ends when it is cancelled', async () => {
    const { bench } = await start()
    const running = bench.run('Device.IP.Diagnostics.IPPing()', {
      ...PING,
      NumberOfRepetitions: '20',
      Host: '203.0.113.9',
    })
    const ended = expect(running).rejects.toEqual(error(7023, /cancelled/))
    await until(() => bridges[0]?.sent.some(({ path }) => path === '/ping') === true)
    bench.cancel()
    await ended
  })
})

describe('firmware', () => {
  const IMAGE = 'Device.DeviceInfo.FirmwareImage.2.'
  const NOW = { 'TimeWindow.1.Start': '0', 'TimeWindow.1.End': '3600', 'TimeWindow.1.Mode': 'AnyTime' }

  it('of a channel is downloaded, and activated by a restart', async () => {
    const { bench, bridge } = await start({ profile: 'v7.16', faults: { bootMs: 50 } })
    await expect(bench.run(`${IMAGE}Activate()`, NOW)).rejects.toEqual(error(7022, 'no image is downloaded'))
    await bench.run(`${IMAGE}Download()`, { URL: 'routeros-channel:stable', AutoActivate: 'false' })
    expect(written(bridge)).toEqual([
      '/system/package/update/set',
      '/system/package/update/check-for-updates',
      '/system/package/update/download',
    ])
    const { afterwards } = await bench.confirmed(`${IMAGE}Activate()`, NOW)
    afterwards?.()
    await until(() => bridge.emulated.state.version === '7.18.2')
    expect(bench.audited.map(({ command, level }) => `${command} ${level}`)).toEqual([
      `${IMAGE}Download() 2`,
      `${IMAGE}Activate() 3`,
    ])
  })

  it('of a channel that has nothing newer is not downloaded', async () => {
    const { bench } = await start({ profile: 'chr' })
    const running = bench.run(`${IMAGE}Download()`, { URL: 'routeros-channel:stable', AutoActivate: 'false' })
    await expect(running).rejects.toEqual(error(7022, /runs the version of the channel already/))
  })

  it('of a server of the operator is loaded by the router, and its size is checked', async () => {
    const { bench, bridge } = await start({ profile: 'chr' })
    const URL = 'https://firmware.example/v7/routeros-7.19.1.npk'
    await bench.confirmed(`${IMAGE}Download()`, { URL, AutoActivate: 'false', FileSize: '12288' })
    expect(bridge.sent.find(({ path }) => path === '/tool/fetch')?.args).toEqual({
      url: URL,
      'dst-path': 'routeros-7.19.1.npk',
      'check-certificate': 'yes',
    })
    const short = bench.confirmed(`${IMAGE}Download()`, { URL, AutoActivate: 'false', FileSize: '9' })
    await expect(short).rejects.toMatchObject({ code: 7022, transferFault: 9010 })
  })

  it.each([
    ['http://firmware.example/routeros-7.19.1.npk', 7027, /https/],
    ['https://elsewhere.example/routeros-7.19.1.npk', 7027, /not among the firmware hosts/],
    ['https://u:p@firmware.example/routeros-7.19.1.npk', 7027, /without credentials/],
    ['https://firmware.example/routeros-7.19.1-arm.npk', 7027, /package for x86_64/],
    ['https://firmware.example/evil.auto.rsc', 7027, /package for x86_64/],
    ['https://firmware.example/routeros-7.19.1.auto.npk', 7027, /package for x86_64/],
    ['https://firmware.example/routeros-6.49.17.npk', 7022, /major version/],
    ['routeros-channel:other', 7027, /https/],
    ['', 7027, /https/],
  ])('is not loaded from %j', async (URL, code, text) => {
    const { bench, bridge } = await start({ profile: 'chr' })
    await expect(bench.run(`${IMAGE}Download()`, { URL, AutoActivate: 'false' })).rejects.toEqual(error(code, text))
    expect(written(bridge)).toEqual([])
  })

  it('is refused where the router cannot have it', async () => {
    const URL = 'https://firmware.example/routeros-7.19.1-arm64.npk'
    const args = { URL, AutoActivate: 'false' }
    const home = await start({ profile: 'home' })
    await expect(home.bench.run(`${IMAGE}Download()`, args)).rejects.toEqual(error(7022, /device-mode/))
    const { bench } = await start({ profile: 'v7.18' })
    await expect(bench.run(`${IMAGE}Download()`, args)).rejects.toEqual(error(7022, /other packages.*wifi-qcom/))
    await expect(bench.run(`${IMAGE}Download()`, { ...args, Username: 'u' })).rejects.toEqual(error(7027, /^Username/))
    await expect(bench.run(`${IMAGE}Download()`, { ...args, CheckSum: '00' })).rejects.toEqual(error(7027, /^CheckSum/))
    const first = 'Device.DeviceInfo.FirmwareImage.1.Download()'
    await expect(bench.run(first, args)).rejects.toEqual(error(7022, /image 2/))
  })

  it('waits for its time window', async () => {
    const { bench, bridge, clock } = await start({ profile: 'v7.16' })
    await bench.run(`${IMAGE}Download()`, { URL: 'routeros-channel:stable', AutoActivate: 'false' })
    const later = { ...NOW, 'TimeWindow.1.Start': '600' }
    const token = await bench.tokenFor(`${IMAGE}Activate()`, later)
    let isDone = false
    const running = bench.run(`${IMAGE}Activate()`, { ...later, X_MIKROTIK_Confirm: token }).then(() => {
      isDone = true
    })
    await until(() => bench.audited.length === 2)
    clock.advance(599_000)
    expect(isDone).toBe(false)
    await until(() => {
      clock.advance(1000)
      return isDone
    })
    await running
    expect(written(bridge)).not.toContain('/system/reboot')
    const wrong = { ...NOW, 'TimeWindow.1.Mode': 'ConfirmationNeeded' }
    await expect(bench.run(`${IMAGE}Activate()`, wrong)).rejects.toEqual(error(7027, /Mode/))
  })
})

describe('configuration files', () => {
  const FILE = 'Device.DeviceInfo.VendorConfigFile.1.'
  const ARGS = { URL: 'https://backup.example/a', Username: 'u', Password: 'long enough' }

  it.each(['Backup()', 'Restore()'])('%s checks its arguments before anything is sent', async (name) => {
    const { bench, bridge } = await start()
    const run = (args: Record<string, string>) => bench.run(FILE + name, { ...ARGS, ...args })
    await expect(run({ URL: 'https://elsewhere.example/a' })).rejects.toEqual(error(7027, /backup hosts/))
    for (const URL of ['http://backup.example/a', 'routeros-file:0', 'routeros-file:10', 'routeros-file:../x', ''])
      await expect(run({ URL })).rejects.toEqual(error(7027, /https/))
    await expect(run({ Password: 'short' })).rejects.toEqual(error(7027, /encrypted/))
    await expect(run({ URL: 'routeros-file:1', Password: 'seven\nlines' })).rejects.toEqual(error(7027, /password/))
    expect(written(bridge)).toEqual([])
  })

  it('a backup goes to no server, and says where it may be', async () => {
    const { bench, bridge } = await start()
    await expect(bench.run(`${FILE}Backup()`, ARGS)).rejects.toEqual(
      error(7022, /no transfer of files.*routeros-file:1/),
    )
    expect(written(bridge)).toEqual([])
  })

  it('a backup is encrypted, stays on the router, and is loaded again with its password', async () => {
    const { bench, bridge } = await start({ faults: { bootMs: 50 } })
    const at = { URL: 'routeros-file:3', Password: 'long enough' }
    await expect(bench.run(`${FILE}Restore()`, at)).rejects.toEqual(error(7022, /no backup in this place/))
    await bridge.other('/system/identity/set', { name: 'before' })
    expect(await bench.run(`${FILE}Backup()`, at)).toEqual({ output: {} })
    expect(bridge.sent.find(({ path }) => path === '/system/backup/save')?.args).toEqual({
      name: 'isthmus-3.backup',
      password: 'long enough',
      encryption: 'aes-sha256',
    })
    await bridge.other('/system/identity/set', { name: 'after' })
    const wrong = { ...at, Password: 'not that one' }
    await expect(bench.confirmed(`${FILE}Restore()`, wrong)).rejects.toEqual(error(7022, /wrong password/))
    expect(bench.restarts).toEqual([])
    await bench.confirmed(`${FILE}Restore()`, at)
    expect(bench.restarts).toEqual([{ cause: 'RemoteReboot', commandKey: 'key-1' }])
    const nameOf = () => bridge.emulated.store.table('/system/identity')[0]?.values.name
    await until(() => nameOf() === 'before')
    expect(bench.audited.map(({ command, level }) => `${command} ${level}`)).toEqual([
      `${FILE}Backup() 2`,
      `${FILE}Restore() 3`,
      `${FILE}Restore() 3`,
    ])
    expect(JSON.stringify([bench.lines, bench.audited])).not.toContain('long enough')
  })

  it.each(['nothing', 'silence'] as const)(
    'a router that answers a load with %s has loaded it',
    async (rebootAnswer) => {
      const { bench } = await start({ faults: { bootMs: 50, rebootAnswer } })
      const at = { URL: 'routeros-file:1', Password: 'long enough' }
      await bench.run(`${FILE}Backup()`, at)
      await bench.confirmed(`${FILE}Restore()`, at)
      expect(bench.restarts).toHaveLength(1)
    },
  )

  it('a backup of a server of the operator is loaded by the router, under a name of the bridge', async () => {
    const { bench, bridge } = await start({ faults: { bootMs: 50 } })
    await bridge.other('/system/identity/set', { name: 'before' })
    await bench.run(`${FILE}Backup()`, { URL: 'routeros-file:1', Password: 'long enough' })
    const saved = bridge.emulated.state.backups.get('isthmus-1.backup')
    if (saved === undefined) throw new Error('no backup')
    bridge.emulated.state.served.set('https://backup.example/r1', saved)
    await bridge.other('/system/identity/set', { name: 'after' })
    const from = { URL: 'https://backup.example/r1', Password: 'long enough' }
    await bench.confirmed(`${FILE}Restore()`, from)
    expect(bridge.sent.find(({ path }) => path === '/tool/fetch')?.args).toEqual({
      url: 'https://backup.example/r1',
      'dst-path': 'isthmus-restore.backup',
      'check-certificate': 'yes',
    })
    await until(() => bridge.emulated.store.table('/system/identity')[0]?.values.name === 'before')
  })

  it('a router whose device-mode forbids fetch loads a backup of its own alone', async () => {
    const { bench, bridge } = await start({ profile: 'home' })
    await expect(bench.run(`${FILE}Restore()`, ARGS)).rejects.toEqual(error(7022, /device-mode/))
    expect(written(bridge)).toEqual([])
  })

  it('an account without the right to load is named as such', async () => {
    const { bench, bridge } = await start()
    const at = { URL: 'routeros-file:1', Password: 'long enough' }
    await bench.run(`${FILE}Backup()`, at)
    bridge.level = 2
    await expect(bench.confirmed(`${FILE}Restore()`, at)).rejects.toEqual(error(7006, /level 3/))
    expect(bench.restarts).toEqual([])
  })
})

describe('services', () => {
  const radiosOf = async (bridge: BridgeRouter) =>
    (await bridge.print('/interface/wifi')).map(({ name, disabled }) => `${name} ${disabled}`)

  it('the radios that are on are switched off and on', async () => {
    const { bench, bridge } = await start()
    const before = await radiosOf(bridge)
    await bench.run('Device.WiFi.Reset()')
    expect(written(bridge).every((path) => path === '/interface/set')).toBe(true)
    expect(bridge.sent.filter(({ writes }) => writes).map(({ args }) => args?.disabled)).toEqual([
      'yes',
      'yes',
      'no',
      'no',
    ])
    expect(await radiosOf(bridge)).toEqual(before)
  })

  it('a bridge that is killed between off and on switches on again', async () => {
    const { bench, bridge } = await start()
    const before = await radiosOf(bridge)
    bridge.onCommand = ({ path, args }) => {
      if (path === '/interface/set' && args?.disabled === 'no') throw new Error('killed')
    }
    await expect(bench.run('Device.WiFi.Reset()')).rejects.toThrow()
    const next = await BridgeRouter.at(bridge.emulated, bridge.intents)
    await next.writer.settle()
    expect(await radiosOf(bridge)).toEqual(before)
    await next.session.close()
  })

  it.each(['v6.49', 'v7.18'] as const)(
    '%s: WPS begins on the radio of the access point, and a client is kicked',
    async (profile) => {
      const { bench, bridge } = await start({ profile })
      const [point = ''] = await bench.model.instances('Device.WiFi.AccessPoint.')
      const menu = profile === 'v6.49' ? '/interface/wireless' : '/interface/wifi'
      bridge.emulated.join('02:AA:BB:CC:DD:EE', (await bridge.print(menu))[0]?.name ?? '', -60)
      bench.model.renew()
      const paths = await bench.model.instances(`${point}AssociatedDevice.`)
      const values = await bench.model.get(paths.map((path) => `${path}MACAddress`))
      const station = [...values].find(([, mac]) => mac === '02:AA:BB:CC:DD:EE')?.[0].replace('MACAddress', '') ?? ''
      await bench.run(`${station}X_MIKROTIK_Kick()`)
      expect(written(bridge)).toEqual([`${menu}/registration-table/remove`])
      const clients = await bridge.print(`${menu}/registration-table`)
      expect(clients.map((row) => row['mac-address'])).not.toContain('02:AA:BB:CC:DD:EE')
      await expect(bench.run('Device.WiFi.AccessPoint.99.AssociatedDevice.1.X_MIKROTIK_Kick()')).rejects.toEqual(
        error(7016, /not there/),
      )
    },
  )

  it('a port loses its power for a moment, but not that of the bridge', async () => {
    const { bench, bridge } = await start()
    const powered = (await bridge.print('/interface/ethernet/poe'))[0]?.name ?? ''
    const paths = await bench.model.instances('Device.Ethernet.Interface.')
    const names = await bench.model.get(paths.map((path) => `${path}Name`))
    const port = [...names].find(([, name]) => name === powered)?.[0].replace('Name', '') ?? ''
    await expect(bench.run(`${port}X_MIKROTIK_PoECycle()`)).rejects.toEqual(error(7022, /carries the connection/))
    await bridge.other('/ip/address/add', { address: '127.0.0.1/8', interface: 'ether3' })
    await bench.run(`${port}X_MIKROTIK_PoECycle()`, { Duration: '90' })
    expect(bridge.sent.at(-1)).toMatchObject({ path: '/interface/ethernet/poe/power-cycle', args: { duration: '1m' } })
  })
})
