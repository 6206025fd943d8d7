import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FAMILIES, MappingRefusal, standardRows, TRANSFORMS, vendorRows } from '../../../../../src/datamodel/index.ts'
import { type ContextFacts, readBy, transformContext, transformOf } from '../../../../support/transform-context.ts'

const ROWS = [
  ...standardRows(),
  ...FAMILIES.flatMap(({ name, rows }) => [...rows, ...vendorRows({ family: name, models: [] })]),
]
const names = [...TRANSFORMS.keys()]
const writable = names.filter((name) => transformOf(name).write !== undefined)

/** Words and numbers of devices, from which texts are made that nearly mean something. */
const WORDS = [
  ...[
    '0',
    '1',
    '-1',
    '2',
    '-60',
    '-274',
    '4294967295',
    '4294967296',
    '1e5',
    '0x10',
    '.',
    ',',
    ';',
    '%',
    ' dBm',
    '-',
    '+',
  ],
  ...[
    'true',
    'FALSE',
    'Enabled',
    'None',
    'Basic',
    '11i',
    'WPA',
    'and',
    'WPA2',
    'WPA3',
    '/',
    'AES',
    'TKIP',
    'Encryption',
  ],
  ...[
    'Up',
    'Error_',
    'Auto',
    '20MHz',
    'b',
    'g',
    'n',
    'ac',
    '802.11',
    'PVC:',
    '8/35',
    '192.0.2.1',
    '255.255.255.0',
    '::1',
  ],
  ...[
    'InternetGatewayDevice.',
    'LANDevice.1.',
    'WLANConfiguration.1',
    'VID_',
    'INTERNET',
    '_',
    'HWTC',
    '__proto__',
    '\u0000',
  ],
]
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }).map((parts) => parts.join('')),
  fc.integer({ min: -70_000, max: 70_000 }).map(String),
  fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map(String),
)

const WLAN = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.'
const SOURCES = [
  `${WLAN}BeaconType`,
  `${WLAN}PreSharedKey.1.KeyPassphrase`,
  'InternetGatewayDevice.QueueManagement.DefaultPolicer',
  'InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.DHCPConditionalServingPool.1.PoolOrder',
  'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.DNSServers',
  'InternetGatewayDevice.Time.NTPServer2',
]
const BESIDE = [
  ...['BasicEncryptionModes', 'WEPKeyIndex', 'WEPKey.1.WEPKey', 'WEPEncryptionLevel', 'KeyPassphrase', 'Mode'],
  ...['PreSharedKey.1.PreSharedKey', 'IEEE11iAuthenticationMode', 'X_AVM-DE_PossibleBeaconTypes', 'ConnectionStatus'],
]

/** A device that shows any text anywhere. */
const facts: fc.Arbitrary<ContextFacts> = fc.record({
  from: fc.constantFrom(...SOURCES),
  to: fc.constantFrom('Device.Firewall.Config', 'Device.IP.Diagnostics.IPPing.DiagnosticsState', 'Device.A.1.Enable'),
  raw: fc.dictionary(fc.constantFrom(...SOURCES, ...BESIDE.map((name) => WLAN + name)), text),
  mapped: fc.dictionary(fc.constantFrom('Device.Firewall.Config'), text),
  requested: fc.dictionary(
    fc.constantFrom('Device.Firewall.Enable', 'Device.A.1.ModeEnabled', 'Device.A.1.WEPKey'),
    text,
  ),
  rows: fc.constant({ [WLAN]: ['Device.WiFi.SSID.1.', 'Device.WiFi.Radio.1.'] }),
  family: fc.constantFrom(undefined, 'huawei', 'zte', 'nokia', 'avm'),
  position: fc.nat(3),
  bootAt: fc.option(fc.nat(), { nil: undefined }),
  previous: fc.option(fc.record({ raw: text, value: text, at: fc.nat() }), { nil: undefined }),
})

describe('every transform', () => {
  it.each(names)('%s reads any text of any device', (name) => {
    fc.assert(
      fc.property(text, facts, (raw, device) => {
        const value = readBy(name, raw, device)
        expect(value === undefined || typeof value === 'string').toBe(true)
      }),
    )
  })

  it.each(writable)('%s writes any text, or refuses it and says why', (name) => {
    fc.assert(
      fc.property(text, facts, (value, device) => {
        const context = transformContext(device)
        try {
          for (const write of transformOf(name).write?.(value, context) ?? []) {
            expect(write.path).toMatch(/^InternetGatewayDevice\./)
            expect(write.value).toBeTypeOf('string')
          }
        } catch (error) {
          expect(error).toBeInstanceOf(MappingRefusal)
          expect((error as MappingRefusal).message).toContain(context.from)
        }
      }),
    )
  })

  it.each(writable)('%s shows a value again after it wrote it', (name) => {
    const transform = transformOf(name)
    fc.assert(
      fc.property(text, facts, (shown, device) => {
        const before = { ...device, raw: { ...device.raw, [device.from ?? '']: shown }, requested: {} }
        const value = readBy(name, shown, before)
        if (value === undefined) return
        const raw: Record<string, string> = { ...before.raw }
        try {
          for (const write of transform.write?.(value, transformContext(before)) ?? []) raw[write.path] = write.value
        } catch (error) {
          expect(error).toBeInstanceOf(MappingRefusal)
          return
        }
        expect(readBy(name, raw[before.from ?? ''] ?? '', { ...before, raw })).toBe(value)
      }),
    )
  })

  it.each(['7', ' ', 'a,', '-1.', '192.0.2.1,', 'WPAand', 'Error_', 'A.1.', '_VID_', '=', '\\x2d', '%;'])(
    'takes a very long text of %j in one go',
    (part) => {
      const long = part.repeat(200_000)
      for (const name of names) {
        readBy(name, long)
        try {
          transformOf(name).write?.(long, transformContext({ raw: { 'InternetGatewayDevice.DeviceInfo.Value': long } }))
        } catch (error) {
          expect(error).toBeInstanceOf(MappingRefusal)
        }
      }
    },
  )

  it('that a row names exists', () => {
    const named = new Set(ROWS.flatMap(({ transform }) => (transform === undefined ? [] : [transform])))
    expect([...named].filter((name) => !TRANSFORMS.has(name))).toEqual([])
    expect(named.size).toBeGreaterThan(90)
  })

  it('of a writable row can write', () => {
    const rows = ROWS.filter(({ writable, transform }) => writable === true && transform !== undefined)
    const oneWay = rows.filter(({ transform = '' }) => TRANSFORMS.get(transform)?.write === undefined)
    expect(oneWay.map(({ from, transform }) => `${from} ${transform}`)).toEqual([])
  })
})

describe('readings', () => {
  const number = fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 })
    .map((value) => value.toFixed(3))

  it.each([
    ['opticalRx', -40_000, 10_000],
    ['opticalRxTenths', -400, 100],
    ['opticalTx', -10_000, 10_000],
    ['opticalTemperature', -40, 125],
    ['opticalVoltage', 1, 10_000],
    ['opticalBias', 1, 150_000],
    ['rssi', -120, -1],
    ['rcpi', -110, -1],
    ['percent', 0, 100],
    ['vlanId', 1, 4094],
  ])('%s are from %d to %d, or none', (name, min, max) => {
    fc.assert(
      fc.property(number, fc.constantFrom(undefined, 'zte', 'nokia', 'realtek'), (raw, family) => {
        const value = readBy(name, raw, { family })
        if (value === undefined) return
        expect(value).toMatch(/^-?\d+$/)
        expect(value).not.toBe('-0')
        expect(Number(value)).toBeGreaterThanOrEqual(min)
        expect(Number(value)).toBeLessThanOrEqual(max)
      }),
      { numRuns: 500 },
    )
  })

  it('grow with the light', () => {
    const level = (raw: number) => Number(readBy('opticalRx', String(raw)))
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 10_000 }), fc.integer({ min: 10, max: 10_000 }), (a, b) => {
        if (a < b) expect(level(a)).toBeLessThanOrEqual(level(b))
      }),
    )
  })

  it('of counters never go back while the device runs', () => {
    const at = Date.UTC(2026, 0, 1)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 32 - 2 }), { minLength: 2, maxLength: 20 }), (readings) => {
        let previous: ContextFacts['previous']
        let last = 0n
        for (const [n, raw] of readings.map(String).entries()) {
          const shown = { 'InternetGatewayDevice.DeviceInfo.UpTime': '100000000' }
          const value = readBy('counter32', raw, { at: at + n * 60_000, raw: shown, previous })
          expect(BigInt(value ?? -1)).toBeGreaterThanOrEqual(last)
          expect(BigInt(value ?? -1) % 2n ** 32n).toBe(BigInt(raw))
          last = BigInt(value ?? 0)
          previous = { raw, value: value ?? '', at: at + n * 60_000 }
        }
      }),
    )
  })
})

describe('enumerations of TR-098', () => {
  const WORDS_OF: [name: string, ...words: string[]][] = [
    ['addrTypeToDhcp', 'DHCP', 'Static'],
    ['atmLinkType', 'EoA', 'IPoA', 'PPPoA', 'PPPoE', 'CIP', 'Unconfigured'],
    ['bridgeStandard', '802.1D', '802.1Q', '802.1D-2004', '802.1Q-2005'],
    ['nonZeroVlan', '-1', '1', '4094'],
    ['dtmf', '', 'InBand', 'RFC2833', 'SIPInfo'],
    ['voiceEnable', 'Enabled', 'Disabled'],
    ['voiceQuiescent', 'Quiescent', 'Disabled'],
    ['firewallConfig', 'High', 'Low'],
    ['firewallEnable', 'Off'],
    ['wlanEncryption', 'TKIPEncryption', 'AESEncryption', 'TKIPandAESEncryption'],
  ]

  it.each(WORDS_OF)('%s has a word for each of its values, with nothing shown before', (name, ...words) => {
    const from = 'InternetGatewayDevice.Any.1.Value'
    for (const word of words) {
      const value = readBy(name, word)
      const [written] = transformOf(name).write?.(value ?? '', transformContext({ from })) ?? []
      expect(readBy(name, written?.value ?? 'nothing')).toBe(value)
    }
  })
})
