import { describe, expect, it } from 'vitest'
import {
  applyQuirks,
  type DeviceWrite,
  MappingRefusal,
  planNewObject,
  planWrite,
  RawTree,
  type RawValue,
  writeQuirks,
} from '../../../../src/datamodel/index.ts'
import { expectedFacts, TREE_NAMES } from '../../../support/device-trees.ts'
import { mapTree } from '../../../support/map-tree.ts'
import { mappedDevice, READING_TIME, viewOf } from '../../../support/mapped-tree.ts'

const IGD = 'InternetGatewayDevice.'
const WLAN = `${IGD}LANDevice.1.WLANConfiguration.`
const WCD = `${IGD}WANDevice.1.WANConnectionDevice.`

/** Returns what a request in TR-181 is on a test device. */
function write(name: string, request: Record<string, string>): DeviceWrite {
  const { own, kind, tree, device } = mappedDevice(name)
  const values = Object.entries(request).map(([path, value]) => ({ path, value }))
  const plan = planWrite(device, values, tree, READING_TIME, (path) => own.get(path)?.writable)
  return applyQuirks(plan.values, writeQuirks(kind), tree, (path) => own.get(path)?.type)
}

/** Returns the one SetParameterValues of a request, `path=value` with the beginning of the path left out. */
function oneStep(name: string, request: Record<string, string>, beginning: string): string[] {
  const { steps } = write(name, request)
  expect(steps).toHaveLength(1)
  return (steps[0] ?? []).map(({ path, value }) => `${path.replace(beginning, '')}=${value}`)
}

/** Places that a new key goes to, below the network of the first SSID at 2.4 GHz. */
const KEY_PLACES: Record<string, [network: string, ...places: string[]]> = {
  'avm-5530': ['1', 'KeyPassphrase'],
  'cdata-fd512xw': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'cmcc-f673av9': ['1', 'KeyPassphrase'],
  'cmcc-h1s3-epon': ['1', 'KeyPassphrase'],
  'cmcc-nokia-g140wc': ['1', 'KeyPassphrase'],
  'ctcom-dm985-gpon': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'ctcom-f460-epon': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'ctcom-gm220s-epon': ['1', 'KeyPassphrase'],
  'cu-f477v2': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'fiberhome-hg6143d': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'fiberhome-hg6543c': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'huawei-hg8145v5': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase', 'PreSharedKey.1.PreSharedKey'],
  'intelbras-wifiber121': ['6', 'KeyPassphrase'],
  'nokia-g2425g': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'realtek-v2802dac': ['5', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'tr098-router': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'zte-f6600p': ['1', 'KeyPassphrase', 'PreSharedKey.1.KeyPassphrase'],
  'zte-f670l': ['1', 'KeyPassphrase'],
}
/** Devices of TR-181: the place is the one of TR-181 itself. */
const OWN_TR181 = ['mikrotik-ltap', 'tplink-xc220']

/** Returns the AccessPoint of the first network of the device at 2.4 GHz. */
function firstAccessPoint(name: string): string {
  const view = viewOf(mappedDevice(name))
  const ssid = expectedFacts(name).ssids['2.4GHz']?.[0]
  const radio = [...view].find(([path, value]) => path.endsWith('.OperatingFrequencyBand') && value === '2.4GHz')
  const radioRow = radio?.[0].replace('.OperatingFrequencyBand', '')
  const row = [...view].find(
    ([path, value]) =>
      /^Device\.WiFi\.SSID\.\d+\.SSID$/.test(path) &&
      value === ssid &&
      view.get(path.replace(/SSID$/, 'LowerLayers')) === radioRow,
  )
  return row?.[0].replace(/SSID\.(\d+)\.SSID$/, 'AccessPoint.$1.') ?? ''
}

describe('a new Wi-Fi key', () => {
  it('has its places listed for every test device', () => {
    expect([...Object.keys(KEY_PLACES), ...OWN_TR181].sort()).toEqual(TREE_NAMES)
  })

  it.each(Object.entries(KEY_PLACES))('goes to every place of %s in one SetParameterValues', (name, [n, ...places]) => {
    const path = `${firstAccessPoint(name)}Security.KeyPassphrase`
    const { steps } = write(name, { [path]: 'new-key-2024' })
    const wanted = places.map((place) => ({ path: `${WLAN}${n}.${place}`, value: 'new-key-2024' }))
    expect(steps).toEqual([wanted])
  })

  it.each(Object.keys(KEY_PLACES))('of seven characters is refused for %s, with the place to write', (name) => {
    const path = `${firstAccessPoint(name)}Security.KeyPassphrase`
    expect(() => write(name, { [path]: 'sevench' })).toThrow(MappingRefusal)
    expect(() => write(name, { [path]: 'sevench' })).toThrow(/KeyPassphrase/)
  })
})

/** VLAN 321 for the PPP line: what is written, in order. */
const VLAN_WRITES: Record<string, string[]> = {
  'cdata-fd512xw': ['2.X_CT-COM_WANGponLinkConfig.Mode=2', '2.X_CT-COM_WANGponLinkConfig.VLANIDMark=321'],
  'cmcc-f673av9': [
    '2.WANPPPConnection.1.X_CMCC_VLANMode=2',
    '2.WANPPPConnection.1.X_CMCC_VLANIDMark=321',
    '2.X_CMCC_WANGponLinkConfig.Mode=2',
    '2.X_CMCC_WANGponLinkConfig.VLANIDMark=321',
  ],
  'cmcc-h1s3-epon': ['2.WANPPPConnection.1.X_CMCC_VLANMode=2', '2.WANPPPConnection.1.X_CMCC_VLANIDMark=321'],
  'cmcc-nokia-g140wc': ['1.X_CMCC_WANGponLinkConfig.Mode=2', '1.X_CMCC_WANGponLinkConfig.VLANIDMark=321'],
  'ctcom-dm985-gpon': ['2.X_CT-COM_WANGponLinkConfig.Mode=2', '2.X_CT-COM_WANGponLinkConfig.VLANIDMark=321'],
  'ctcom-f460-epon': ['2.X_CT-COM_WANEponLinkConfig.Mode=2', '2.X_CT-COM_WANEponLinkConfig.VLANIDMark=321'],
  'ctcom-gm220s-epon': ['1.X_CT-COM_WANEponLinkConfig.Mode=2', '1.X_CT-COM_WANEponLinkConfig.VLANIDMark=321'],
  'cu-f477v2': ['2.WANPPPConnection.1.X_CU_VLANEnabled=1', '2.WANPPPConnection.1.X_CU_VLAN=321'],
  'fiberhome-hg6143d': [
    '2.X_FH_WANGponLinkConfig.Enable=1',
    '2.X_FH_WANGponLinkConfig.Mode=2',
    '2.X_FH_WANGponLinkConfig.VLANID=321',
    '2.X_FH_WANGponLinkConfig.VLANIDMark=321',
  ],
  'fiberhome-hg6543c': [
    '1.WANPPPConnection.1.VLANID=321',
    `1.WANPPPConnection.1.X_FH_LanInterface=${IGD}LANDevice.1.LANEthernetInterfaceConfig.1,${WLAN}1,${WLAN}5`,
  ],
  'huawei-hg8145v5': ['2.WANPPPConnection.1.X_HW_VLAN=321'],
  'intelbras-wifiber121': ['1.WANPPPConnection.1.X_ITBS_VlanMuxID=321'],
  'nokia-g2425g': ['1.X_CT-COM_WANGponLinkConfig.Mode=2', '1.X_CT-COM_WANGponLinkConfig.VLANIDMark=321'],
  'realtek-v2802dac': ['2.X_RTK_WANGponLinkConfig.VLANIDMark=321'],
  'zte-f6600p': ['1.WANPPPConnection.1.X_ZTE-COM_VLANEnable=1', '1.WANPPPConnection.1.X_ZTE-COM_VLANID=321'],
  'zte-f670l': ['1.WANPPPConnection.1.X_ZTE-COM_VLANEnable=1', '1.WANPPPConnection.1.X_ZTE-COM_VLANID=321'],
}

describe('a new VLAN of the internet line', () => {
  it.each(Object.entries(VLAN_WRITES))('%s', (name, wanted) => {
    const vlan = viewOf(mappedDevice(name)).get('Device.PPP.Interface.1.LowerLayers')
    expect(vlan).toMatch(/^Device\.Ethernet\.VLANTermination\.\d+$/)
    expect(oneStep(name, { [`${vlan}.VLANID`]: '321' }, WCD)).toEqual(wanted)
  })
})

/** Modes of security of the first network: what is written, in order, below its WLANConfiguration. */
const MODE_WRITES: [name: string, mode: string, network: string, wanted: string[]][] = [
  [
    'cmcc-nokia-g140wc',
    'WPA2-Personal',
    '1',
    ['BeaconType=WPA2', 'IEEE11iAuthenticationMode=PSKAuthentication', 'IEEE11iEncryptionModes=AESEncryption'],
  ],
  ['ctcom-f460-epon', 'None', '1', ['BeaconType=None']],
  ['huawei-hg8145v5', 'None', '1', ['BeaconType=Basic', 'BasicEncryptionModes=None', 'BasicAuthenticationMode=None']],
  [
    'zte-f6600p',
    'WPA3-Personal-Transition',
    '1',
    ['BeaconType=11iandWPA3', 'IEEE11iAuthenticationMode=PSKAuthentication', 'IEEE11iEncryptionModes=AESEncryption'],
  ],
  ['avm-5530', 'WPA3-Personal', '1', ['BeaconType=WPA3']],
  [
    'fiberhome-hg6143d',
    'WPA-WPA2-Personal',
    '1',
    [
      'BeaconType=WPAand11i',
      'WPAAuthenticationMode=PSKAuthentication',
      'IEEE11iAuthenticationMode=PSKAuthentication',
      'WPAEncryptionModes=TKIPandAESEncryption',
      'IEEE11iEncryptionModes=TKIPandAESEncryption',
    ],
  ],
]

describe('a new mode of security, in the words of the device', () => {
  it.each(MODE_WRITES)('%s: %s', (name, mode, network, wanted) => {
    const path = `${firstAccessPoint(name)}Security.ModeEnabled`
    expect(oneStep(name, { [path]: mode }, `${WLAN}${network}.`)).toEqual(wanted)
  })

  it('that the device has no word for is refused, and the source is named', () => {
    const path = `${firstAccessPoint('ctcom-dm985-gpon')}Security.ModeEnabled`
    expect(() => write('ctcom-dm985-gpon', { [path]: 'WPA3-Personal' })).toThrow(/BeaconType/)
  })
})

describe('a value that a device shows already', () => {
  it.each(TREE_NAMES)('is not sent to %s, whatever parameter it is of', (name) => {
    const { own, tree, device } = mappedDevice(name)
    const sent: string[] = []
    for (const { path, value } of mapTree(device, tree, READING_TIME).values) {
      // A command acts whatever it shows, and a key goes to the places that show none, too.
      if (/\.(?:Reset|KeyPassphrase)$/.test(path)) continue
      try {
        const { values } = planWrite(device, [{ path, value }], tree, READING_TIME, (raw) => own.get(raw)?.writable)
        for (const raw of values) sent.push(`${path}=${value}: ${raw.path}=${raw.value}`)
      } catch (error) {
        expect(error, path).toBeInstanceOf(MappingRefusal)
      }
    }
    expect(sent).toEqual([])
  })
})

/** Values of the first network and its radio that are tried on every device. */
const TRIED: [leaf: string, values: string[]][] = [
  ['Radio.OperatingChannelBandwidth', ['Auto', '20MHz', '40MHz', '80MHz', '160MHz']],
  ['Radio.OperatingFrequencyBand', ['5GHz']],
  ['Radio.Channel', ['3', '11']],
  ['Radio.AutoChannelEnable', ['true', 'false']],
  ['Radio.OperatingStandards', ['b,g,n', 'n']],
  ['Radio.Enable', ['true', 'false']],
  ['Radio.RegulatoryDomain', ['US ']],
  ['AccessPoint.SSIDAdvertisementEnabled', ['true', 'false']],
  ['AccessPoint.MaxAllowedAssociations', ['7']],
  ['AccessPoint.Security.ModeEnabled', ['None', 'WPA2-Personal', 'WPA-WPA2-Personal', 'WPA3-Personal-Transition']],
  ['AccessPoint.Enable', ['true', 'false']],
]

describe('a value that was written', () => {
  it.each(Object.keys(KEY_PLACES))('is the one that %s shows, or the write is refused', (name) => {
    const { own, kind, tree, device } = mappedDevice(name)
    const accessPoint = firstAccessPoint(name)
    const ssid = accessPoint.replace('AccessPoint', 'SSID')
    const radio = viewOf({ own, kind, tree, device }).get(`${ssid}LowerLayers`)
    let shown = 0
    for (const [leaf, values] of TRIED)
      for (const value of values) {
        const path = leaf.startsWith('Radio.')
          ? `${radio}.${leaf.slice('Radio.'.length)}`
          : accessPoint + leaf.slice('AccessPoint.'.length)
        try {
          const { steps, omitted } = write(name, { [path]: value })
          const after = new Map([...own].map(([raw, { value }]) => [raw, value]))
          for (const raw of steps.flat()) after.set(raw.path, raw.value)
          const changed = new RawTree([...after].map(([raw, value]) => ({ path: raw, value })))
          const read = device.evaluate(path, changed, READING_TIME)?.value
          // Booleans have several spellings.
          const word = read?.toLowerCase().replace(/^1$/, 'true').replace(/^0$/, 'false')
          const same = read === value || word === value || omitted.length > 0
          expect(same, `${path} = ${value} reads ${read} after ${JSON.stringify(steps)}`).toBe(true)
          shown++
        } catch (error) {
          if (!(error instanceof MappingRefusal)) throw error
        }
      }
    expect(shown).toBeGreaterThan(8)
  })
})

describe('rules of a family', () => {
  it('Huawei: a width in unsignedInt, and the mixed mode in its own parameters', () => {
    const { steps } = write('huawei-hg8145v5', { 'Device.WiFi.Radio.1.OperatingChannelBandwidth': '40MHz' })
    expect(steps).toEqual([[{ path: `${WLAN}1.X_HW_HT20`, value: '2', type: 'unsignedInt' }]])
    const mixed = { 'Device.WiFi.AccessPoint.1.Security.ModeEnabled': 'WPA2-Personal' }
    expect(oneStep('huawei-hg8145v5', mixed, `${WLAN}1.`)).toContain('BeaconType=11i')
  })

  it('ZTE: the name of a network and its Name have one value', () => {
    const request = { 'Device.WiFi.SSID.1.SSID': 'Neu' }
    expect(oneStep('zte-f670l', request, `${WLAN}1.`)).toEqual(['SSID=Neu', 'Name=Neu'])
    expect(oneStep('huawei-hg8145v5', request, `${WLAN}1.`)).toEqual(['SSID=Neu'])
  })

  it('ZTE F6600P: a change of the line counts after the next boot', () => {
    const request = { 'Device.PPP.Interface.1.Username': 'other' }
    expect(write('zte-f6600p', request).afterBoot).toEqual([`${WCD}1.WANPPPConnection.1.Username`])
    expect(write('zte-f670l', request).afterBoot).toEqual([])
  })

  it('Nokia with the firmware of an operator: booleans are words', () => {
    const request = { 'Device.WiFi.AccessPoint.1.SSIDAdvertisementEnabled': 'false' }
    expect(oneStep('cmcc-nokia-g140wc', request, `${WLAN}1.`)).toEqual(['SSIDAdvertisementEnabled=FALSE'])
  })

  it('FiberHome HG6143D: a hidden network is one that is advertised', () => {
    const request = { 'Device.WiFi.AccessPoint.1.SSIDAdvertisementEnabled': 'false' }
    expect(oneStep('fiberhome-hg6143d', request, `${WLAN}1.`)).toEqual(['SSIDAdvertisementEnabled=1'])
  })

  it('FiberHome: a radio is not switched, for the device ignores it', () => {
    const request = { 'Device.WiFi.Radio.1.Enable': 'false' }
    expect(() => write('fiberhome-hg6543c', request)).toThrow(
      /write InternetGatewayDevice\S+WLANConfiguration\.1\.Enable/,
    )
  })

  it('AVM: parts of the mode that take one value alone are not sent', () => {
    const request = { 'Device.WiFi.AccessPoint.1.Security.ModeEnabled': 'WPA-WPA2-Personal' }
    expect(oneStep('avm-5530', request, `${WLAN}1.`)).toEqual(['BeaconType=WPAand11i'])
  })
})

describe('rules for writes, by hand', () => {
  const { tree } = mappedDevice('fiberhome-hg6143d')
  const values = (...paths: string[]): RawValue[] => paths.map((path) => ({ path, value: 'x' }))
  const quirk = { evidence: 'test' }

  it('what the request names itself goes before what is written along, in the order of the rule', () => {
    const link = `${WCD}2.X_FH_WANGponLinkConfig.`
    const request = [
      { path: `${link}VLANID`, value: '7' },
      { path: `${link}Mode`, value: '1' },
    ]
    const rules = writeQuirks({ family: 'fiberhome', models: [] })
    const { steps } = applyQuirks(request, rules, tree)
    expect(steps[0]?.map(({ path, value }) => `${path.replace(link, '')}=${value}`)).toEqual([
      'Enable=1',
      'Mode=1',
      'VLANID=7',
    ])
  })

  it('a value beside it that the device does not show is not written, and an empty one has to be named', () => {
    const on = '*.WANIPConnection.{i}.Name'
    const ip = `${WCD}1.WANIPConnection.1.`
    const none = { parameters: [{ ...quirk, on, after: [{ param: 'X_ACME', value: '1' }] }], objects: [] }
    expect(applyQuirks(values(`${ip}Name`), none, tree).steps).toEqual([[{ path: `${ip}Name`, value: 'x' }]])
    const empty = {
      parameters: [{ ...quirk, on, after: [{ param: 'X_FH_LanInterface', shown: true as const }] }],
      objects: [],
    }
    expect(() => applyQuirks(values(`${ip}Name`), empty, tree)).toThrow(/write both/)
    expect(applyQuirks(values(`${ip}Name`, `${ip}X_FH_LanInterface`), empty, tree).steps[0]).toHaveLength(2)
  })

  it('one that has a SetParameterValues of its own comes behind those that share one', () => {
    const rules = { parameters: [{ ...quirk, on: '*.B', alone: true as const }], objects: [] }
    const { steps } = applyQuirks(values('Device.B', 'Device.A', 'Device.C'), rules, tree)
    expect(steps.map((step) => step.map(({ path }) => path))).toEqual([['Device.A', 'Device.C'], ['Device.B']])
  })

  it('nothing is left for a request of which nothing is sent', () => {
    const rules = { parameters: [{ ...quirk, on: 'Device.A.', omit: true as const }], objects: [] }
    expect(applyQuirks(values('Device.A.B'), rules, tree)).toMatchObject({ steps: [], omitted: ['Device.A.B'] })
    expect(applyQuirks([], rules, tree).steps).toEqual([])
  })
})

describe('a new connection', () => {
  const asked = (object: string) => [{ path: `${object}Username`, value: 'u' }]

  it('Huawei: gets a service and a binding, which it needs for traffic', () => {
    const { kind, tree } = mappedDevice('huawei-hg8145v5')
    const object = `${WCD}4.WANPPPConnection.1.`
    const { steps, pauseMs } = planNewObject(object, asked(object), writeQuirks(kind), tree)
    expect(pauseMs).toBe(0)
    expect(steps[0]?.map(({ path, value }) => `${path.replace(object, '')}=${value}`)).toEqual([
      'Username=u',
      'X_HW_SERVICELIST=INTERNET',
      'X_HW_LANBIND.Lan1Enable=1',
      'X_HW_LANBIND.SSID1Enable=1',
    ])
  })

  it('FiberHome: takes the lowest free WanIndex of all connections, after a pause', () => {
    const { kind, tree } = mappedDevice('fiberhome-hg6543c')
    const object = `${WCD}3.WANPPPConnection.1.`
    const { steps, pauseMs } = planNewObject(object, asked(object), writeQuirks(kind), tree)
    expect(pauseMs).toBe(1000)
    expect(steps[0]).toContainEqual({ path: `${object}WanIndex`, value: '3' })
    const link = `${WCD}3.`
    expect(planNewObject(link, [], writeQuirks(kind), tree).needs).toEqual([
      `${link}WANPPPConnection.`,
      `${link}WANIPConnection.`,
    ])
  })

  it('CMCC: one SetParameterValues for each value', () => {
    const { kind, tree } = mappedDevice('cmcc-h1s3-epon')
    const object = `${WCD}3.WANPPPConnection.1.`
    const values = [...asked(object), { path: `${object}X_CMCC_VLANIDMark`, value: '9' }]
    const { steps } = planNewObject(object, values, writeQuirks(kind), tree)
    expect(steps.map((step) => step.length)).toEqual([1, 1])
  })

  it('TP-Link: a port mapping names the last IP interface, where rows of the table show the name', () => {
    const { kind, own } = mappedDevice('tplink-xc220')
    const rows = [...own].map(([path, { value }]) => ({ path, value }))
    const other = 'Device.NAT.PortMapping.1.'
    const tree = new RawTree([...rows, { path: `${other}Interface`, value: 'Device.IP.Interface.3' }])
    const object = 'Device.NAT.PortMapping.2.'
    const asked = [{ path: `${object}ExternalPort`, value: '80' }]
    const wanted = { path: `${object}Interface`, value: 'Device.IP.Interface.3' }
    expect(planNewObject(object, asked, writeQuirks(kind), tree).steps).toEqual([[...asked, wanted]])
    expect(planNewObject(object, asked, writeQuirks(kind), new RawTree(rows)).steps).toEqual([asked])
  })

  it('what is asked for is kept', () => {
    const { kind, tree } = mappedDevice('huawei-hg8145v5')
    const object = `${WCD}4.WANPPPConnection.1.`
    const values = [{ path: `${object}X_HW_SERVICELIST`, value: 'VOIP' }]
    const { steps } = planNewObject(object, values, writeQuirks(kind), tree)
    expect(steps.flat().filter(({ path }) => path.endsWith('SERVICELIST'))).toEqual(values)
  })
})
