import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/base/index.ts'
import { loadModel, type Model, type ModelName } from '../../../src/datamodel/index.ts'
import type { Device, OperationRequest, Protocol } from '../../../src/domain/index.ts'
import { validate } from '../../../src/operations/validate.ts'

const models = new Map<ModelName, Model>()
function model(name: ModelName): Model {
  const loaded = models.get(name) ?? loadModel(name)
  models.set(name, loaded)
  return loaded
}

function check(request: OperationRequest, protocol: Protocol = 'cwmp', root?: Device['root']): string[] {
  const device = root === undefined ? { owner: protocol } : { owner: protocol, root }
  return validate(request, { device, protocol, model })
}

function refusal(request: OperationRequest, protocol: Protocol = 'cwmp', root?: Device['root']): string {
  try {
    check(request, protocol, root)
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid') return error.message
    throw error
  }
  return 'accepted'
}

const set = (path: string, value: string): OperationRequest => ({ verb: 'set', values: [{ path, value }] })
const ping = (input: Record<string, string>, command = 'Device.IP.Diagnostics.IPPing()'): OperationRequest => ({
  verb: 'operate',
  command,
  input: { Host: 'h', ...input },
})

describe('a download to a router of MikroTik', () => {
  const asked = (url: string, more: object = {}, protocol: Protocol = 'cwmp', manufacturer = 'MikroTik') => {
    try {
      const device = { owner: protocol, root: 'Device.', manufacturer } as const
      return validate({ verb: 'download', url, ...more }, { device, protocol, model }).join()
    } catch (error) {
      return error instanceof AppError ? error.message : String(error)
    }
  }
  const config = { fileType: '3 Vendor Configuration File' }

  it.each([
    'http://h/a.alter',
    'http://h/a.ALTER?x=1',
    'http://h/x/.alter#y',
    'http://h/a%2Ealter',
    'http://h/?a.alter',
    'http://h/%ff/a%2ealter',
    'http://h/%/a.%61lter',
  ])('is no script: %s', (url) => {
    expect(asked(url, config)).toMatch(/run the file as a script/)
    expect(asked(url)).toMatch(/run the file as a script/)
    expect(asked(url, config, 'cwmp', 'Acme')).toBe('')
  })

  it('is a descriptor of all packages, not one of them; a bridge takes one', () => {
    expect(asked('https://h/routeros-7.18.2-arm64.npk')).toMatch(/descriptor that lists all packages/)
    expect(asked('https://h/upgrade.xml')).toBe('')
    expect(asked('https://h/routeros-7.18.2-arm64.npk', {}, 'usp')).toBe('')
    expect(asked('https://h/config.rsc', config)).toBe('')
  })
})

describe('accepted requests', () => {
  const passes: [string, OperationRequest, Protocol, Device['root']][] = [
    [
      'a get of a parameter and an object',
      { verb: 'get', paths: ['Device.DeviceInfo.', 'Device.DeviceInfo.UpTime'] },
      'cwmp',
      'Device.',
    ],
    ['a TR-098 get', { verb: 'get', paths: ['InternetGatewayDevice.DeviceInfo.'] }, 'cwmp', 'InternetGatewayDevice.'],
    ['a search path over CWMP', { verb: 'get', paths: ['Device.WiFi.SSID.[Enable==true].SSID'] }, 'cwmp', 'Device.'],
    ['a search path over USP', { verb: 'get', paths: ['Device.WiFi.SSID.[Enable==true].SSID'] }, 'usp', 'Device.'],
    ['a discovery of everything', { verb: 'discover' }, 'cwmp', 'Device.'],
    ['a boolean as 1', set('Device.ManagementServer.PeriodicInformEnable', '1'), 'cwmp', 'Device.'],
    [
      'tabs, line ends and emoji over CWMP',
      set('Device.DeviceInfo.ProvisioningCode', 'a\tb\r\nc \u{1f600}'),
      'cwmp',
      'Device.',
    ],
    ['a control character over USP', set('Device.DeviceInfo.ProvisioningCode', 'a\u0001b'), 'usp', 'Device.'],
    [
      'a ping of a host alone',
      { verb: 'operate', command: 'Device.IP.Diagnostics.IPPing()', input: { Host: 'h' } },
      'cwmp',
      'Device.',
    ],
    [
      'a command of TR-181 that a parameter of TR-098 does',
      { verb: 'operate', command: 'Device.PPP.Interface.1.Reset()', input: {} },
      'cwmp',
      'InternetGatewayDevice.',
    ],
    ['a vendor value in an enumeration', set('Device.WiFi.Radio.1.PreambleType', 'X_ACME_Special'), 'cwmp', 'Device.'],
    ['an Alias over CWMP', set('Device.WiFi.SSID.1.Alias', 'home'), 'cwmp', 'Device.'],
    [
      'a row with values',
      { verb: 'add', object: 'Device.LocalAgent.Subscription.', values: { ID: 'a', Enable: 'true' } },
      'usp',
      'Device.',
    ],
    [
      'rows by a search path',
      { verb: 'add', object: 'Device.LocalAgent.Controller.*.MTP.', values: { Protocol: 'WebSocket' } },
      'usp',
      'Device.',
    ],
    ['a row with an alias', { verb: 'add', object: 'Device.WiFi.SSID.', values: { Alias: 'x' } }, 'usp', 'Device.'],
    ['a delete of a row', { verb: 'delete', paths: ['Device.NAT.PortMapping.3.'] }, 'cwmp', 'Device.'],
    ['a command', { verb: 'operate', command: 'Device.Reboot()', input: {} }, 'usp', 'Device.'],
    [
      'a ValueChange over CWMP',
      { verb: 'subscribe', id: 's', notifType: 'ValueChange', paths: ['Device.DeviceInfo.'], enable: true },
      'cwmp',
      'Device.',
    ],
    [
      'the end of a subscription without its paths',
      { verb: 'subscribe', id: 's', notifType: 'Event', paths: [], enable: false },
      'usp',
      'Device.',
    ],
    ['a download', { verb: 'download', url: 'http://127.0.0.1/fw.bin', version: '2.0' }, 'cwmp', 'Device.'],
    ['either root while the root is unknown', { verb: 'get', paths: ['InternetGatewayDevice.'] }, 'cwmp', undefined],
    ['a reboot', { verb: 'reboot' }, 'cwmp', undefined],
  ]
  it.each(passes)('%s', (_name, request, protocol, root) => {
    expect(check(request, protocol, root)).toEqual([])
  })
})

describe('accepted with a warning', () => {
  const odd: [string, OperationRequest, string][] = [
    ['a vendor parameter', set('Device.X_ACME_Led.Mode', 'blink'), 'Device.X_ACME_Led.Mode'],
    ['a parameter newer than the model', set('Device.DeviceInfo.FutureThing', '1'), 'Device.DeviceInfo.FutureThing'],
    ['a vendor table', { verb: 'add', object: 'Device.X_ACME_Rule.', values: {} }, 'Device.X_ACME_Rule.'],
    ['a row of a vendor table', { verb: 'delete', paths: ['Device.X_ACME_Rule.1.'] }, 'Device.X_ACME_Rule.1.'],
    ['a vendor command', { verb: 'operate', command: 'Device.X_ACME_Do()', input: { A: '1' } }, 'Device.X_ACME_Do()'],
  ]
  it.each(odd)('%s', (_name, request, path) => {
    expect(check(request, 'usp', 'Device.')).toEqual([`${path} is not in the model`])
  })
})

describe('arguments of a command', () => {
  const OLD = 'InternetGatewayDevice.IPPingDiagnostics'

  it.each<[string, OperationRequest, Protocol, Device['root']]>([
    ['of a vendor', ping({ X_ACME_Fast: '1' }), 'cwmp', 'Device.'],
    ['that ask for nothing', ping({ ProtocolVersion: 'Any', DSCP: '0' }, `${OLD}()`), 'cwmp', 'InternetGatewayDevice.'],
    ['that refer to a row', ping({ Interface: 'Device.IP.Interface.1' }, `${OLD}()`), 'cwmp', 'InternetGatewayDevice.'],
  ])('%s pass', (_name, request, protocol, root) => {
    expect(check(request, protocol, root)).not.toContainEqual(expect.stringContaining('argument'))
  })

  it('that the device has shown pass where they are of their type', () => {
    const request = (value: string) => ping({ ProtocolVersion: value, Packets: value }, `${OLD}()`)
    const reported = new Map([
      [`${OLD}.ProtocolVersion`, { type: 'string', value: 'Any', writable: true }],
      [`${OLD}.Packets`, { type: 'string', value: '', writable: true }],
    ] as const)
    const device = { owner: 'cwmp', root: 'InternetGatewayDevice.' } as const
    expect(() => validate(request('IPv4'), { device, protocol: 'cwmp', model, reported })).not.toThrow()
    expect(() => validate(request('IPv9'), { device, protocol: 'cwmp', model, reported })).toThrow(/none of Any/)
  })

  it('that an Agent alone can know, and those of a restart, pass with a warning', () => {
    expect(check(ping({ Fresh: '1' }), 'usp', 'Device.')).toEqual([
      'Fresh is no argument of Device.IP.Diagnostics.IPPing() in the model',
    ])
    expect(check({ verb: 'operate', command: 'Device.Reboot()', input: { Cause: 'RemoteReboot' } }, 'cwmp')).toEqual([
      'Cause is not sent: CWMP has no argument for it',
    ])
  })
})

describe('refused requests', () => {
  const refused: [OperationRequest, RegExp, Protocol?, Device['root']?][] = [
    [{ verb: 'get', paths: [] }, /paths must not be empty/],
    [{ verb: 'get', paths: Array.from({ length: 1001 }, (_, i) => `Device.A.${i + 1}.`) }, /1001 entries/],
    [{ verb: 'get', paths: ['Device..X'] }, /Device\.\.X.*neither a name nor an instance/],
    [{ verb: 'get', paths: ['Device.Reboot()'] }, /is a command, expected object or parameter/],
    [{ verb: 'get', paths: ['InternetGatewayDevice.X'] }, /does not begin with Device\./, 'cwmp', 'Device.'],
    [
      { verb: 'get', paths: ['Router.X'] },
      /begin with Device\. or InternetGatewayDevice\./,
      'cwmp',
      'InternetGatewayDevice.',
    ],
    [{ verb: 'get', paths: ['Foo.X'] }, /begin with Device\. or InternetGatewayDevice\./],
    [{ verb: 'add', object: 'Device.A.*.B.', values: {} }, /search path, which CWMP does not have/],
    [set('Device.WiFi.SSID.*.Status', 'Up'), /read-only/],
    [set('Device.WiFi.SSID.[Enable==true].Enable', 'maybe'), /no boolean/, 'usp'],
    [{ verb: 'delete', paths: ['Device.Hosts.Host.*.'] }, /cannot be deleted/],
    [{ verb: 'get', paths: ['Device.WiFi.SSID.{i}.SSID'] }, /has \{i\}/, 'usp'],
    [{ verb: 'get', paths: ['Device.'], maxDepth: -1 }, /maxDepth/],
    [{ verb: 'discover', path: 'Device.DeviceInfo.UpTime' }, /is a parameter, expected object/],
    [{ verb: 'set', values: [] }, /values must not be empty/],
    [set('Device.DeviceInfo.UpTime', '1'), /UpTime is read-only/],
    [set('Device.ManagementServer.PeriodicInformEnable', 'maybe'), /"maybe" is no boolean/],
    [set('Device.ManagementServer.PeriodicInformInterval', '-1'), /unsignedInt/],
    [set('Device.ManagementServer.PeriodicInformInterval', '0'), /outside 1\.\./],
    [set('Device.WiFi.SSID.1.Alias', 'x'), /only be set when its row is created/, 'usp'],
    [set('Device.WiFi.SSID.1.SSID', 'x'.repeat(33)), /length 33/],
    [set('Device.WiFi.Radio.1.PreambleType', 'tiny'), /is none of/],
    [set('InternetGatewayDevice.DeviceInfo.UpTime', '1'), /is read-only/, 'cwmp', 'InternetGatewayDevice.'],
    [set('Device.X_A', 'x'.repeat(32_769)), /too long/],
    [
      {
        verb: 'set',
        values: [
          { path: 'Device.X_A', value: '1' },
          { path: 'Device.X_A', value: '2' },
        ],
      },
      /named twice/,
    ],
    [{ verb: 'add', object: 'Device.WiFi.SSID.1.', values: {} }, /names a row/],
    [{ verb: 'add', object: 'Device.DeviceInfo.', values: {} }, /is not a table/],
    [{ verb: 'add', object: 'Device.Hosts.Host.', values: {} }, /does not take new rows/],
    [{ verb: 'add', object: 'Device.LocalAgent.Subscription.', values: { Enable: 'perhaps' } }, /no boolean/, 'usp'],
    [{ verb: 'add', object: 'Device.LocalAgent.Subscription.', values: { '.ID': 'x' } }, /not a name relative/, 'usp'],
    [{ verb: 'delete', paths: ['Device.WiFi.SSID.'] }, /is not a row/],
    [{ verb: 'delete', paths: ['Device.Hosts.Host.1.'] }, /cannot be deleted/],
    [{ verb: 'operate', command: 'Device.Reboot', input: {} }, /is a parameter, expected command/],
    [{ verb: 'operate', command: 'Device.IP.Diagnostics.IPPing()', input: {} }, /needs the argument Host$/, 'usp'],
    [
      { verb: 'operate', command: 'Device.WiFi.DataElements.Network.SetSSID()', input: {} },
      /needs the arguments SSID, AddRemoveChange$/,
      'usp',
    ],
    [
      { verb: 'operate', command: 'InternetGatewayDevice.IPPingDiagnostics', input: {} },
      /a command ends in \(\): InternetGatewayDevice\.IPPingDiagnostics\(\)$/,
      'cwmp',
      'InternetGatewayDevice.',
    ],
    [
      { verb: 'operate', command: 'Device.WiFi.DataElements.Network.SetSSID()', input: {} },
      /has no equivalent in CWMP/,
      'cwmp',
    ],
    [
      { verb: 'operate', command: 'Device.WiFi.DataElements.Network.SetSSID()', input: {} },
      /has no equivalent in CWMP; it can be run over USP only$/,
      'cwmp',
      'InternetGatewayDevice.',
    ],
    [
      ping({ NumberOfRepetitions: 'many' }),
      /argument NumberOfRepetitions: value "many" is no unsignedInt/,
      'cwmp',
      'Device.',
    ],
    [ping({ NumberOfRepetitions: 'many' }), /argument NumberOfRepetitions: value "many" is no unsignedInt/, 'usp'],
    [ping({ NumberOfRepetitions: '0' }), /NumberOfRepetitions: value "0" is outside 1\.\./, 'cwmp', 'Device.'],
    [ping({ ProtocolVersion: 'IPv9' }), /ProtocolVersion: value "IPv9" is none of Any, IPv4, IPv6/, 'cwmp', 'Device.'],
    [
      ping({ Bogus: 'x' }),
      /IPPing\(\) has no argument Bogus; it takes Interface, ProtocolVersion, Host, Num/,
      'cwmp',
      'Device.',
    ],
    [
      ping({ ProtocolVersion: 'IPv4' }, 'InternetGatewayDevice.IPPingDiagnostics()'),
      /cannot take the argument ProtocolVersion: its device has no parameter for it; it takes Interface, Host, Num/,
      'cwmp',
      'InternetGatewayDevice.',
    ],
    [
      { verb: 'operate', command: 'Device.PPP.Interface.1.Reset()', input: { Hard: '1' } },
      /has no argument Hard; it takes none$/,
      'cwmp',
      'InternetGatewayDevice.',
    ],
    [
      {
        verb: 'operate',
        command: 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANATMF5LoopbackDiagnostics()',
        input: { Timeout: 'soon' },
      },
      /argument Timeout: value "soon" is no unsignedInt/,
      'cwmp',
      'InternetGatewayDevice.',
    ],
    [
      { verb: 'operate', command: 'Device.WiFi.NeighboringWiFiDiagnostic()', input: {} },
      /is no command of TR-098; where the device shows Device\.WiFi\.NeighboringWiFiDiagnostic\.DiagnosticsState, write/,
      'cwmp',
      'InternetGatewayDevice.',
    ],
    [set('Device.X_A', 'a\u0001b'), /U\+0001, which CWMP cannot carry/],
    [set('Device.WiFi.SSID.1.SSID', 'a\ud800'), /U\+D800/],
    [
      { verb: 'operate', command: 'Device.IP.Diagnostics.IPPing()', input: { Host: '\u0000' } },
      /U\+0000, which CWMP cannot carry/,
    ],
    [{ verb: 'subscribe', id: '', notifType: 'Event', paths: ['Device.Boot!'], enable: true }, /1 to 64/, 'usp'],
    [{ verb: 'subscribe', id: 's', notifType: 'Event', paths: ['Device.Boot!'], enable: true }, /CWMP/, 'cwmp'],
    [
      { verb: 'subscribe', id: 's', notifType: 'Event', paths: ['Device.X_A'], enable: true },
      /expected object or event/,
      'usp',
    ],
    [{ verb: 'download', url: 'file:///etc/passwd' }, /is no http/],
    [{ verb: 'download', url: `http://127.0.0.1/${'x'.repeat(250)}` }, /longer than 256/],
    [{ verb: 'download', url: 'http://127.0.0.1/', fileSize: -1 }, /unsignedInt/],
  ]
  it.each(refused)('%j: %s', (request, reason, protocol, root) => {
    expect(refusal(request, protocol, root)).toMatch(reason)
  })

  it('bounds the size of all values together', () => {
    const values = Array.from({ length: 40 }, (_, i) => ({ path: `Device.X_A${i}`, value: 'x'.repeat(30_000) }))
    expect(refusal({ verb: 'set', values })).toMatch(/too large together/)
  })

  it('names path and reason in the context of the error', () => {
    expect(() => check(set('Device.DeviceInfo.UpTime', '1'))).toThrowError(
      expect.objectContaining({ context: { path: 'Device.DeviceInfo.UpTime', reason: 'is read-only' } }),
    )
  })
})
