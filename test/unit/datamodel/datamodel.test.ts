import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkType,
  checkValue,
  loadModel,
  objectsOn,
  parentOf,
  parsePath,
  quoteConstant,
  sameParameterValue,
  sameValue,
  schemaPathOf,
  splitLeaf,
  versionKey,
} from '../../../src/datamodel/index.ts'

describe('parsePath', () => {
  it.each([
    ['Device.', 'object', false],
    ['Device.WiFi.SSID.1.', 'object', false],
    ['Device.WiFi.SSID.1.Enable', 'parameter', false],
    ['Device.Reboot()', 'command', false],
    ['Device.Boot!', 'event', false],
    ['Device.WiFi.SSID.*.Enable', 'parameter', true],
    ['Device.LocalAgent.Controller.[EndpointID=="a.b"&&Enable==true].', 'object', true],
    ['Device.WiFi.AccessPoint.1.SSIDReference+.SSID', 'parameter', true],
    ['Device.X_ARRIS-COM_Box.Status', 'parameter', false],
    ['InternetGatewayDevice.WANDevice.1.X_CT-COM_WANGponLinkConfig.802-1pMark', 'parameter', false],
    ['Device.WiFi.SSID.{i}.', 'object', false],
  ])('takes %s for an %s (search: %s)', (text, kind, search) => {
    expect(parsePath(text)).toMatchObject({ kind, search })
  })

  it('reads the terms of a search expression, quotes and escapes included', () => {
    const path = parsePath('Device.A.[Name=="x.%22]&&%25"&&Stats.Errors>=3].B')
    expect(path.segments[2]).toEqual({
      kind: 'search',
      terms: [
        { path: 'Name', operator: '==', value: 'x."]&&%', quoted: true },
        { path: 'Stats.Errors', operator: '>=', value: '3', quoted: false },
      ],
    })
    expect(quoteConstant('x."]&&%')).toBe('"x.%22]&&%25"')
  })

  it.each([
    '',
    '.',
    'Device',
    'Device..A',
    'Device.0.',
    'Device.A.[].',
    'Device.A.[B==1',
    'Device.1x.',
    `Device.${'a.'.repeat(50)}`,
    'a'.repeat(2000),
    '1.A',
  ])('refuses %j or takes it for a bare name', (text) => {
    if (text === 'Device') expect(parsePath(text).kind).toBe('parameter')
    else expect(() => parsePath(text)).toThrow()
  })

  it('never throws anything but a ProtocolError', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        try {
          parsePath(text)
        } catch (error) {
          expect((error as Error).name).toBe('ProtocolError')
        }
      }),
    )
  })
})

describe('parts of paths', () => {
  it('are found without parsing', () => {
    expect(splitLeaf('Device.A.1.B')).toEqual({ object: 'Device.A.1.', leaf: 'B' })
    expect(parentOf('Device.A.1.')).toBe('Device.A.')
    expect(parentOf('Device.')).toBe('')
    expect(objectsOn('Device.A.1.B')).toEqual(['Device.', 'Device.A.', 'Device.A.1.'])
    expect(objectsOn('Device.A.')).toEqual(['Device.', 'Device.A.'])
    expect(schemaPathOf('Device.A.12.B.3.C4')).toBe('Device.A.{i}.B.{i}.C4')
    expect(schemaPathOf('Device.A.*.')).toBe('Device.A.{i}.')
  })
})

describe('versionKey', () => {
  it.each([
    ['1.9', '1.10'],
    ['1.0-rc1', '1.0'],
    ['1.0-rc2', '1.0-rc10'],
    ['1.0', '1.0.1'],
    ['v2.0', 'V10.0'],
    ['7.1.9_b12', '7.1.10_b1'],
    ['R21.1', 'R22.0'],
    ['', '0'],
  ])('orders %s before %s', (a, b) => {
    expect(versionKey(a) < versionKey(b)).toBe(true)
  })

  it('orders any numeric versions by value', () => {
    const part = fc.nat(99_999)
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        const order = a !== c ? a < c : b < d
        if (a !== c || b !== d) expect(versionKey(`${a}.${b}`) < versionKey(`${c}.${d}`)).toBe(order)
      }),
    )
  })
})

describe('the models', () => {
  const usp = loadModel('tr181-usp')
  const cwmp = loadModel('tr181-cwmp')

  it('find objects, parameters and commands by instantiated paths', () => {
    expect(usp.object('Device.WiFi.SSID.3.')?.table).toBe(true)
    expect(usp.object('Device.WiFi.SSID.')?.path).toBe('Device.WiFi.SSID.{i}.')
    expect(usp.parameter('Device.WiFi.SSID.3.Enable')).toMatchObject({ type: 'boolean', access: 'w' })
    expect(usp.command('Device.Reboot()')).toMatchObject({ async: false })
    expect(cwmp.parameter('Device.USPAgent.Controller.1.EndpointID')?.access).toBe('w')
    expect(usp.object('Device.USPAgent.')).toBeUndefined()
    expect(loadModel('tr098').parameter('InternetGatewayDevice.ManagementServer.URL')?.access).toBe('w')
  })

  it('tell wrong types from excluded values', () => {
    const interval = cwmp.parameter('Device.ManagementServer.PeriodicInformInterval')!
    expect(checkValue(interval, '60')).toBeUndefined()
    expect(checkValue(interval, 'soon')?.kind).toBe('type')
    expect(checkValue(interval, '0')?.kind).toBe('value')
    const mode = cwmp.parameter('Device.ManagementServer.InstanceMode')!
    expect(checkValue(mode, 'Other')?.text).toContain('InstanceNumber')
    const key = cwmp.parameter('Device.ManagementServer.Username')!
    expect(checkValue(key, 'x'.repeat(257))?.kind).toBe('value')
  })

  it('hold values against patterns and take words of vendors, in lists too', () => {
    const router = cwmp.parameter('Device.DHCPv4.Server.Pool.1.MinAddress')!
    expect(checkValue(router, '192.168.1.1')).toBeUndefined()
    expect(checkValue(router, '')).toBeUndefined()
    expect(checkValue(router, '192.168.1.256')?.kind).toBe('value')
    const country = cwmp.parameter('Device.WiFi.Radio.1.RegulatoryDomain')!
    expect(checkValue(country, 'DEI')).toBeUndefined()
    expect(checkValue(country, 'DEIX')?.kind).toBe('value')
    const standards = cwmp.parameter('Device.WiFi.Radio.1.OperatingStandards')!
    expect(checkValue(standards, 'n, X_ACME_turbo')).toBeUndefined()
    for (const model of [usp, cwmp, loadModel('tr098')]) {
      const patterns = [...model.objects.values()].flatMap(({ params }) =>
        [...params.values()].flatMap(({ facets }) => facets.p ?? []),
      )
      for (const pattern of patterns) expect(() => new RegExp(pattern)).not.toThrow()
    }
  })
})

describe('checkType', () => {
  it.each([
    ['dateTime', '2024-02-29T23:59:59Z', true],
    ['dateTime', '2023-02-29T00:00:00Z', false],
    ['dateTime', '2024-13-01T00:00:00Z', false],
    ['dateTime', '2024-01-01T25:00:00Z', false],
    ['dateTime', '0001-01-01T00:00:00Z', true],
    ['dateTime', '9999-12-31T23:59:59Z', true],
    ['dateTime', '2024-01-01T00:30:00+02:00', true],
    ['dateTime', 'yesterday', false],
    ['base64', 'QUJD', true],
    ['base64', 'QUI=', true],
    ['base64', 'QUJ', false],
    ['base64', 'QU=I', false],
    ['hexBinary', '0aF', false],
    ['unsignedLong', '18446744073709551615', true],
    ['unsignedLong', '18446744073709551616', false],
    ['long', '-9223372036854775808', true],
    ['long', '-9223372036854775809', false],
    ['decimal', '-1.50', true],
    ['decimal', '1e3', false],
  ] as const)('%s: %s', (type, text, fits) => {
    expect(checkType(type, text) === undefined).toBe(fits)
  })
})

describe('sameParameterValue', () => {
  const model = loadModel('tr181-cwmp')
  it.each([
    ['Device.WiFi.Radio.1.OperatingStandards', 'n, ac', 'n,ac', true],
    ['Device.WiFi.Radio.1.OperatingStandards', 'n,ac', 'ac,n', false],
    ['Device.WiFi.SSID.1.SSID', 'a, b', 'a,b', false],
    ['Device.DHCPv4.Server.Pool.1.StaticAddress.1.Chaddr', '02:00:00:00:00:aa', '02-00-00-00-00-AA', true],
    ['Device.DHCPv4.Server.Pool.1.StaticAddress.1.Chaddr', '02:00:00:00:00:aa', '02:00:00:00:00:ab', false],
  ])('%s: %s and %s', (path, a, b, same) => {
    const parameter = model.parameter(path)
    expect(parameter).toBeDefined()
    expect(sameParameterValue(parameter, 'string', a, b)).toBe(same)
  })
})

describe('sameValue', () => {
  it.each([
    ['boolean', '1', 'TRUE', true],
    ['boolean', '0', 'true', false],
    ['unsignedInt', '007', '7', true],
    ['unsignedLong', '18446744073709551615', '18446744073709551614', false],
    ['hexBinary', 'ab', 'AB', true],
    ['dateTime', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:00Z', true],
    ['dateTime', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00', false],
    ['string', '1', 'true', false],
    ['decimal', '+01.50', '1.5', true],
    ['decimal', '-0.0', '0', true],
    ['decimal', '12345678901234567890.1', '12345678901234567890.2', false],
  ])('%s: %s and %s', (type, a, b, same) => {
    expect(sameValue(type, a, b)).toBe(same)
  })
})
