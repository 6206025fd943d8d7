import { describe, expect, it } from 'vitest'
import type { OperationRequest } from '../../../src/domain/index.ts'
import { type OwnTreeDevice, startOwnTreeDevice } from '../../support/own-tree-device.ts'

const WLAN = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.'
const SSID = 'Device.WiFi.SSID.1.SSID'
const STANDARDS = 'Device.WiFi.Radio.1.OperatingStandards'

describe('a write of which the model refuses one value', () => {
  const refused = { path: STANDARDS, from: { path: `${WLAN}1.X_ZTE-COM_WlanStandard` }, error: { code: 'notMapped' } }

  it('is refused as a whole before anything is sent', async () => {
    const device = await startOwnTreeDevice('zte-f670l', { [`${WLAN}1.Standard`]: 'b,g,n' })
    const values = [
      { path: STANDARDS, value: 'b,g' },
      { path: SSID, value: 'Attic' },
    ]
    expect(await device.run({ verb: 'set', values })).toEqual({
      outcome: 'failed',
      error: expect.objectContaining({ code: 'notMapped' }),
      results: [
        { path: STANDARDS, from: refused.from, error: expect.objectContaining({ code: 'notMapped' }) },
        { path: SSID, from: { path: `${WLAN}1.SSID` }, error: expect.objectContaining({ code: 'notApplied' }) },
      ],
    })
    expect(device.asked.map(({ verb }) => verb)).not.toContain('set')
  })

  it('is done for the others where the request allows it, or does not require the value', async () => {
    for (const free of [true, false]) {
      const device = await startOwnTreeDevice('zte-f670l', { [`${WLAN}1.Standard`]: 'b,g,n' })
      const values = [
        { path: STANDARDS, value: 'b,g', ...(free ? {} : { required: false }) },
        { path: SSID, value: 'Attic' },
      ]
      const result = await device.run({ verb: 'set', values, allowPartial: free })
      expect(result).toMatchObject({
        outcome: free ? 'failed' : 'done',
        results: [refused, { path: SSID, value: 'Attic' }],
      })
      expect(device.values.get(`${WLAN}1.SSID`)).toBe('Attic')
    }
  })
})

describe('the standards of a radio', () => {
  it('are those of its band', async () => {
    const device = await startOwnTreeDevice('intelbras-wifiber121')
    const set = (value: string) => device.run({ verb: 'set', values: [{ path: STANDARDS, value }] })
    const refused = await set('b,g,n')
    expect(refused).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' } })
    expect(refused.error?.text).toContain('the radio is that of 5GHz')
    expect(device.asked.map(({ verb }) => verb)).not.toContain('set')
    expect(await set('a,n')).toMatchObject({ outcome: 'done' })
  })
})

describe('a refused write', () => {
  const start = () => startOwnTreeDevice('huawei-hg8145v5')
  const MODE = 'Device.WiFi.AccessPoint.1.Security.ModeEnabled'
  const set = async (values: Record<string, string>) => {
    const device = await start()
    const result = await device.run({
      verb: 'set',
      values: Object.entries(values).map(([path, value]) => ({ path, value })),
    })
    expect(device.asked.map(({ verb }) => verb)).not.toContain('set')
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' } })
    return result.results.map(({ path, error }) => [path, error?.code])
  }

  it.each<[string, Record<string, string>]>([
    ['has no place', { 'Device.Optical.Interface.1.X_ACME_Colour': 'red' }],
    ['follows from others', { 'Device.WiFi.SSID.1.LowerLayers': 'Device.WiFi.Radio.2' }],
    ['is a row that the device does not have', { 'Device.WiFi.Radio.9.Channel': '48' }],
    ['has a word that the device does not know', { [MODE]: 'WPA3-Personal-SAE-PK' }],
  ])('names the path that was asked for: one that %s', async (_name, values) => {
    expect(await set(values)).toEqual(Object.keys(values).map((path) => [path, 'notMapped']))
  })

  it('says which values were the reason, and that the others were not written', async () => {
    const both = { 'Device.WiFi.SSID.1.Enable': 'false', 'Device.WiFi.AccessPoint.1.Enable': 'true' }
    expect(await set({ [SSID]: 'Attic', ...both, 'Device.WiFi.Radio.9.Channel': '48' })).toEqual([
      [SSID, 'notApplied'],
      ['Device.WiFi.SSID.1.Enable', 'notMapped'],
      ['Device.WiFi.AccessPoint.1.Enable', 'notMapped'],
      ['Device.WiFi.Radio.9.Channel', 'notMapped'],
    ])
  })

  it('of an argument names the argument', async () => {
    const device = await start()
    const command = 'InternetGatewayDevice.IPPingDiagnostics()'
    const result = await device.run({ verb: 'operate', command, input: { Interface: 'Device.IP.Interface.77' } })
    expect(result.results).toMatchObject([
      { path: 'Device.IP.Diagnostics.IPPing.Interface', error: { code: 'notMapped' } },
    ])
  })
})

describe('a write that the device refuses', () => {
  const set = (device: OwnTreeDevice, values: Record<string, string>) =>
    device.run({ verb: 'set', values: Object.entries(values).map(([path, value]) => ({ path, value })) })

  it('has the reason of the refused value, whichever place that has in the request', async () => {
    const device = await startOwnTreeDevice('zte-f670l')
    const user = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.Username'
    device.refused.add(user)
    const result = await set(device, { [SSID]: 'Attic', 'Device.PPP.Interface.1.Username': 'ana' })
    expect(result).toMatchObject({
      outcome: 'failed',
      error: { code: '9007' },
      results: [
        { path: SSID, error: { code: 'notApplied' } },
        { path: 'Device.PPP.Interface.1.Username', from: { path: user }, error: { code: '9007' } },
      ],
    })
  })

  it('of several parameters names the one that is the reason', async () => {
    const device = await startOwnTreeDevice('tr098-router')
    device.refused.add(`${WLAN}1.IEEE11iEncryptionModes`)
    const path = 'Device.WiFi.AccessPoint.1.Security.ModeEnabled'
    expect(await set(device, { [path]: 'WPA-WPA2-Personal' })).toMatchObject({
      error: { code: '9007' },
      results: [{ path, from: { path: `${WLAN}1.IEEE11iEncryptionModes` }, error: { code: '9007' } }],
    })
  })

  it('names a parameter that is the reason although nobody has asked for it', async () => {
    const device = await startOwnTreeDevice('zte-f670l')
    device.refused.add(`${WLAN}1.Name`)
    expect(await set(device, { [SSID]: 'Attic' })).toMatchObject({
      error: { code: '9007' },
      results: [{ path: SSID, from: { path: `${WLAN}1.Name` }, error: { code: '9007' } }],
    })
  })
})

describe('a write in parts', () => {
  const MODE = 'Device.WiFi.AccessPoint.1.Security.ModeEnabled'
  const values = [
    { path: MODE, value: 'WPA-WPA2-Personal' },
    { path: SSID, value: 'Attic' },
  ]
  const refused = { path: MODE, from: { path: `${WLAN}1.IEEE11iEncryptionModes` }, error: { code: '9007' } }
  const start = async () => {
    const device = await startOwnTreeDevice('tr098-router')
    device.refused.add(`${WLAN}1.IEEE11iEncryptionModes`)
    return { device, beacon: device.values.get(`${WLAN}1.BeaconType`) }
  }

  it('writes all parameters behind one value, or none of them', async () => {
    const { device, beacon } = await start()
    const result = await device.run({ verb: 'set', allowPartial: true, values })
    expect(result).toMatchObject({ outcome: 'failed', results: [refused, { path: SSID, value: 'Attic' }] })
    expect(device.values.get(`${WLAN}1.BeaconType`)).toBe(beacon)
    expect(device.values.get(`${WLAN}1.SSID`)).toBe('Attic')
  })

  it('does so for values that are not required', async () => {
    const { device, beacon } = await start()
    const free = values.map((value) => (value.path === MODE ? { ...value, required: false } : value))
    const result = await device.run({ verb: 'set', values: free })
    expect(result).toMatchObject({ outcome: 'done', results: [{ ...refused, optional: true }, { path: SSID }] })
    expect(device.values.get(`${WLAN}1.BeaconType`)).toBe(beacon)
    expect(device.values.get(`${WLAN}1.SSID`)).toBe('Attic')
  })

  it('writes nothing where a required value is refused', async () => {
    const { device } = await start()
    const free = values.map((value) => (value.path === SSID ? { ...value, required: false } : value))
    const before = new Map(device.values)
    expect(await device.run({ verb: 'set', values: free })).toMatchObject({
      outcome: 'failed',
      error: { code: '9007' },
    })
    expect(device.values).toEqual(before)
  })

  it('leaves out a parameter that is written along and refused', async () => {
    const device = await startOwnTreeDevice('zte-f670l')
    device.refused.add(`${WLAN}1.Name`)
    const result = await device.run({ verb: 'set', allowPartial: true, values: [{ path: SSID, value: 'Attic' }] })
    expect(result).toMatchObject({ outcome: 'done', results: [{ path: SSID, value: 'Attic' }] })
    expect(device.values.get(`${WLAN}1.SSID`)).toBe('Attic')
  })

  it('finds the refused value where the device does not name it', async () => {
    const { device } = await start()
    device.names = false
    const more = [...values, { path: 'Device.WiFi.SSID.1.Enable', value: 'false' }]
    const result = await device.run({ verb: 'set', allowPartial: true, values: more })
    expect(result.results.map(({ path, error }) => [path, error?.code])).toEqual([
      [MODE, '9003'],
      [SSID, undefined],
      ['Device.WiFi.SSID.1.Enable', undefined],
    ])
  })

  it('keeps a new row without a value that the device refuses and nobody requires', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const own = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.PortMapping.2.'
    device.template = { ExternalPort: '0', PortMappingDescription: '' }
    device.refused.add(`${own}PortMappingDescription`)
    const values = { ExternalPort: '80', Description: 'x' }
    const object = 'Device.NAT.PortMapping.'
    const result = await device.run({ verb: 'add', object, values, optional: ['Description'] })
    expect(result).toMatchObject({ outcome: 'done', results: [{ created: expect.anything() }, {}, { optional: true }] })
    expect(device.values.get(`${own}ExternalPort`)).toBe('80')
  })
})

describe('a value that devices of the model never take', () => {
  const TABLE = 'Device.NAT.PortMapping.'
  const HOST = { path: `${TABLE}1.RemoteHost`, value: '198.51.100.7' }
  const MAPPINGS = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.PortMapping.'
  const from = { path: `${MAPPINGS}1.RemoteHost` }
  const start = () => startOwnTreeDevice('huawei-hg8145v5', { [`${MAPPINGS}1.RemoteHost`]: '' })
  const verbs = ({ asked }: OwnTreeDevice) => asked.map(({ verb }) => verb)

  it('is refused, and nothing is sent', async () => {
    const device = await start()
    const port = { path: `${TABLE}1.ExternalPort`, value: '8443' }
    const result = await device.run({ verb: 'set', values: [HOST, port] })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' } })
    expect(result.error?.text).toContain(from.path)
    expect(verbs(device)).toEqual(['get'])
  })

  it('is left out where the request allows it', async () => {
    const device = await start()
    const port = { path: `${TABLE}1.ExternalPort`, value: '8443' }
    const result = await device.run({ verb: 'set', values: [HOST, port], allowPartial: true })
    expect(result.results).toMatchObject([{ path: HOST.path, from, error: { code: 'notMapped' } }, port])
    expect(device.values.get(`${MAPPINGS}1.ExternalPort`)).toBe('8443')
  })

  it('is done where the device shows it', async () => {
    const device = await start()
    device.values.set(from.path, HOST.value)
    expect(await device.run({ verb: 'set', values: [HOST] })).toMatchObject({ outcome: 'done' })
    expect(verbs(device)).toEqual(['get'])
  })

  it('takes a new row away again, for it would be open to everybody', async () => {
    const device = await start()
    device.template = { PortMappingEnabled: '0', ExternalPort: '0', RemoteHost: '' }
    const values = { ExternalPort: '8443', RemoteHost: HOST.value }
    const result = await device.run({ verb: 'add', object: TABLE, values })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' } })
    expect(result.results).not.toContainEqual(expect.objectContaining({ created: expect.anything() }))
    expect(verbs(device)).toEqual(['get', 'add', 'get', 'delete'])
    expect([...device.values.keys()].filter((path) => path.startsWith(`${MAPPINGS}2.`))).toEqual([])
  })
})

describe('a value of a new row that has no way to the device', () => {
  const object = 'Device.NAT.PortMapping.'
  const start = async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    device.template = { PortMappingEnabled: '0', ExternalPort: '0' }
    return device
  }
  const verbs = ({ asked }: OwnTreeDevice) => asked.map(({ verb }) => verb)

  it('is refused before the row is made', async () => {
    const device = await start()
    const values = { ExternalPort: '8443', AllInterfaces: 'true' }
    const result = await device.run({ verb: 'add', object, values })
    const error = { code: 'notMapped', text: expect.stringContaining('AllInterfaces is always "false" on this device') }
    expect(result).toMatchObject({ outcome: 'failed', error, results: [{ path: object, error }] })
    expect(verbs(device)).toEqual(['get'])
  })

  it('is refused for a later row before the first one is made', async () => {
    const device = await start()
    const more = [{ object, values: { X_ACME_Colour: 'red' } }]
    const result = await device.run({ verb: 'add', object, values: { ExternalPort: '8443' }, more })
    expect(result.error?.text).toContain('PortMapping.{i}.X_ACME_Colour has no place in the device')
    expect(verbs(device)).toEqual(['get'])
  })

  it('is no hindrance where the device has it already, or the request can do without it', async () => {
    const shown = await start()
    const values = { ExternalPort: '8443', AllInterfaces: 'false' }
    expect(await shown.run({ verb: 'add', object, values })).toMatchObject({ outcome: 'done' })
    const optional = await start()
    const wanted = { ...values, AllInterfaces: 'true' }
    const result = await optional.run({ verb: 'add', object, values: wanted, optional: ['AllInterfaces'] })
    expect(result).toMatchObject({ outcome: 'done', results: [{ created: `${object}2.` }, { optional: true }, {}] })
  })

  it('names the table where that has no place itself', async () => {
    const device = await start()
    const table = 'Device.WiFi.Radio.'
    const error = { code: 'notMapped' }
    expect(await device.run({ verb: 'add', object: table, values: {} })).toMatchObject({
      error,
      results: [{ path: table, error }],
    })
  })
})

describe('the value of a new row that chooses its owner', () => {
  const object = 'Device.PPP.Interface.'
  const CONNECTIONS = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.'
  const start = async (name: string) => {
    const device = await startOwnTreeDevice(name)
    device.template = { Enable: '0', Username: '', ConnectionType: 'IP_Routed' }
    return device
  }

  it.each(['Device.Ethernet.Link.3', 'Device.Ethernet.VLANTermination.2'])(
    'is no hindrance where the new row has another layer between, whose VLAN it shares (%s)',
    async (LowerLayers) => {
      const device = await start('cmcc-f673av9')
      const result = await device.run({ verb: 'add', object, values: { Username: 'ana', LowerLayers } })
      expect(result).toMatchObject({
        outcome: 'done',
        results: [
          { created: `${object}2.`, from: { path: `${CONNECTIONS}2.` } },
          { path: `${object}2.Username`, value: 'ana' },
          { path: `${object}2.LowerLayers`, value: expect.stringMatching(/^Device\.Ethernet\.VLANTermination\.\d+$/) },
        ],
      })
      expect(device.values.get(`${CONNECTIONS}2.Username`)).toBe('ana')
    },
  )

  it('is refused before the row is made where it is the VLAN of another connection alone', async () => {
    const device = await start('huawei-hg8145v5')
    const bound = { X_HW_SERVICELIST: '', 'X_HW_LANBIND.Lan1Enable': '0', 'X_HW_LANBIND.SSID1Enable': '0' }
    device.template = { ...device.template, ...bound }
    const values = { Username: 'ana', LowerLayers: 'Device.Ethernet.VLANTermination.2' }
    const result = await device.run({ verb: 'add', object, values })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' }, results: [{ path: object }] })
    expect(result.error?.text).toContain('is the VLAN of another connection')
    expect(device.asked.map(({ verb }) => verb)).toEqual(['get'])
    const onLink = { ...values, LowerLayers: 'Device.Ethernet.Link.3' }
    expect(await device.run({ verb: 'add', object, values: onLink })).toMatchObject({ outcome: 'done' })
  })
})

describe('a value of a new row that is not required', () => {
  it('is left out when the model refuses it', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    device.template = { PortMappingEnabled: '0', ExternalPort: '0', RemoteHost: '' }
    const values = { ExternalPort: '8443', RemoteHost: '198.51.100.7' }
    const object = 'Device.NAT.PortMapping.'
    const result = await device.run({ verb: 'add', object, values, optional: ['RemoteHost'] })
    expect(result).toMatchObject({
      outcome: 'done',
      results: [
        { created: `${object}2.` },
        { path: `${object}2.RemoteHost`, error: { code: 'notMapped' }, optional: true },
        { path: `${object}2.ExternalPort`, value: '8443' },
      ],
    })
  })
})

describe('a new row that the device does not delete again', () => {
  const TABLE = 'Device.NAT.PortMapping.'
  const MAPPINGS = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.PortMapping.'

  it('is named in the error and stays in the results', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    device.template = { PortMappingEnabled: '0', ExternalPort: '0' }
    device.refused.add(`${MAPPINGS}2.ExternalPort`)
    device.faults.set('delete', '9002')
    const result = await device.run({ verb: 'add', object: TABLE, values: { ExternalPort: '8443' } })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: '9007' } })
    expect(result.results[0]).toMatchObject({ created: `${TABLE}2.`, from: { path: `${MAPPINGS}2.` } })
    expect(result.error?.text).toContain(`${TABLE}2. (${MAPPINGS}2. on the device) is still there`)
  })

  it('is named, too, when a later row of the request failed', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    device.template = { PortMappingEnabled: '0', ExternalPort: '0' }
    device.refused.add(`${MAPPINGS}3.ExternalPort`)
    device.faults.set('delete', '9002')
    const values = { ExternalPort: '8443' }
    const result = await device.run({ verb: 'add', object: TABLE, values, more: [{ object: TABLE, values }] })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: '9007' } })
    expect(result.results.flatMap(({ created = [] }) => created)).toEqual([`${TABLE}2.`, `${TABLE}3.`])
    for (const row of [2, 3]) expect(result.error?.text).toContain(`${TABLE}${row}. (${MAPPINGS}${row}. on the device)`)
  })
})

describe('a secret that the device blanks or masks', () => {
  const OWN = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.'
  const PASSWORD = 'Device.PPP.Interface.1.Password'

  it.each(['', '******'])('reads as empty, beside other values (%j)', async (shown) => {
    const device = await startOwnTreeDevice('huawei-hg8145v5', { [`${OWN}Password`]: shown })
    const result = await device.run({ verb: 'get', paths: ['Device.PPP.Interface.1.Username', PASSWORD] })
    expect(result).toMatchObject({
      outcome: 'done',
      results: [
        { path: 'Device.PPP.Interface.1.Username', value: 'ana.souza@fibra.example' },
        { path: PASSWORD, value: '', from: { path: `${OWN}Password` } },
      ],
    })
    expect(result.results[1]?.from?.value).toBeUndefined()
  })

  it('is absent where the device has no parameter for it', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    device.values.delete(`${OWN}Password`)
    const result = await device.run({ verb: 'get', paths: [PASSWORD] })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: '9005' } })
  })
})

describe('search paths of both roots in one request', () => {
  const OWN = `${WLAN}*.SSID`
  const networks = ['1', '2', '5', '6']

  it('are both written', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const result = await device.run({
      verb: 'set',
      values: [
        { path: 'Device.WiFi.SSID.1.Enable', value: 'false' },
        { path: OWN, value: 'Attic' },
      ],
    })
    expect(result.outcome).toBe('done')
    const paths = result.results.map(({ path }) => path)
    expect(paths).toEqual(['Device.WiFi.SSID.1.Enable', ...networks.map((n) => `${WLAN}${n}.SSID`)])
    expect(networks.map((n) => device.values.get(`${WLAN}${n}.SSID`))).toEqual(['Attic', 'Attic', 'Attic', 'Attic'])
  })

  it('are refused when they name one parameter and have two values', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const values = [
      { path: SSID, value: 'Attic' },
      { path: OWN, value: 'Cellar' },
    ]
    const result = await device.run({ verb: 'set', values })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' } })
    expect(result.error?.text).toContain(`${WLAN}1.SSID`)
    expect(device.asked.map(({ verb }) => verb)).not.toContain('set')
  })

  it('are not written when one of them cannot be read', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    device.faults.set('get', '9002')
    const values = [{ path: OWN, value: 'Attic' }]
    const result = await device.run({ verb: 'set', values: [...values, { path: SSID, value: 'Attic' }] })
    expect(result).toMatchObject({ outcome: 'failed', results: [{ path: OWN, error: { code: '9002' } }] })
    expect(device.asked.map(({ verb }) => verb)).not.toContain('set')
  })

  it('are both read', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const { results } = await device.run({ verb: 'get', paths: [SSID, OWN] })
    expect(results.map(({ path }) => path)).toEqual([SSID, ...networks.map((n) => `${WLAN}${n}.SSID`)])
    expect(results.every(({ value }) => value !== undefined)).toBe(true)
  })

  it('are both listed', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const paths = ['Device.WiFi.SSID.', WLAN]
    const { results } = await device.run({ verb: 'instances', paths, firstLevelOnly: true })
    const listed = results.map(({ path }) => path)
    expect(listed).toEqual([
      ...[1, 2, 3, 4].map((n) => `Device.WiFi.SSID.${n}.`),
      ...networks.map((n) => `${WLAN}${n}.`),
    ])
  })
})

describe('a search path of TR-181', () => {
  it('names parameters whose value the device blanks, or shows none of, too', async () => {
    const device = await startOwnTreeDevice('zte-f670l', {
      [`${WLAN}1.KeyPassphrase`]: '',
      [`${WLAN}5.KeyPassphrase`]: '',
    })
    const path = 'Device.WiFi.AccessPoint.[SSIDReference=="Device.WiFi.SSID.1"].Security.KeyPassphrase'
    const result = await device.run({ verb: 'set', values: [{ path, value: 'a new key 2026' }] })
    expect(result).toMatchObject({
      outcome: 'done',
      results: [{ path: 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase' }],
    })
    expect(device.values.get(`${WLAN}1.KeyPassphrase`)).toBe('a new key 2026')
    expect(device.values.get(`${WLAN}5.KeyPassphrase`)).toBe('')
  })

  it.each<OperationRequest>([
    { verb: 'get', paths: ['Device.WiFi.SSID.*.SSID'] },
    { verb: 'set', values: [{ path: 'Device.WiFi.SSID.*.Enable', value: 'false' }] },
    { verb: 'delete', paths: ['Device.WiFi.SSID.*.'] },
  ])('names nothing where it cannot be read, which is an error ($verb)', async (request) => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    device.faults.set('get', '9002')
    const result = await device.run(request)
    expect(result).toMatchObject({ outcome: 'failed', error: { code: '9002' }, results: [{ error: { code: '9002' } }] })
    expect(result.results[0]?.path).toMatch(/^Device\.WiFi\.SSID\.\*/)
    expect(device.asked.map(({ verb }) => verb)).toEqual(['get'])
  })
})

describe('the end of a subscription', () => {
  it('needs no row that it has named', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const subscribe = (paths: string[], enable: boolean): OperationRequest => {
      return { verb: 'subscribe', id: 's', notifType: 'ValueChange', paths, enable }
    }
    const paths = ['Device.PPP.Interface.9.']
    expect(await device.run(subscribe(paths, true))).toMatchObject({ error: { code: '9005' } })
    expect(await device.run(subscribe(paths, false))).toMatchObject({ outcome: 'done' })
    expect(device.asked).toEqual([subscribe([], false)])
  })
})

describe('an object of TR-181 that cannot be read', () => {
  it('is no object that the device does not have', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    device.faults.set('get', '9002')
    const result = await device.run({ verb: 'get', paths: ['Device.Hosts.'] })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: '9002' }, results: [{ path: 'Device.Hosts.' }] })
  })

  it('is told beside one that can', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const hosts = 'Device.Hosts.Host.'
    await device.run({ verb: 'get', paths: [hosts] })
    for (const request of device.asked.splice(0))
      if (request.verb === 'get') for (const path of request.paths) device.unreadable.add(path)
    const result = await device.run({ verb: 'get', paths: ['Device.DeviceInfo.SoftwareVersion', hosts] })
    expect(result.results).toMatchObject([
      { path: 'Device.DeviceInfo.SoftwareVersion', value: expect.any(String) },
      { path: hosts, error: { code: '9002' } },
    ])
  })
})

describe('a list of the rows that a search path names', () => {
  it('has no other rows', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const all = await device.run({ verb: 'instances', paths: ['Device.WiFi.SSID.'] })
    expect(all.results).toHaveLength(4)
    const on = await device.run({ verb: 'instances', paths: ['Device.WiFi.SSID.[Enable==true].'] })
    expect(on.results.map(({ from }) => from?.path)).toEqual([`${WLAN}1.`, `${WLAN}5.`])
    const stations = ['Device.WiFi.AccessPoint.*.AssociatedDevice.']
    const below = await device.run({ verb: 'instances', paths: stations, firstLevelOnly: true })
    expect(below.results.length).toBeGreaterThan(0)
    for (const { path } of below.results)
      expect(path).toMatch(/^Device\.WiFi\.AccessPoint\.\d+\.AssociatedDevice\.\d+\.$/)
  })
})
