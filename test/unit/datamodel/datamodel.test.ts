import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkValue,
  isPath,
  loadModel,
  parentOf,
  parsePath,
  quoteConstant,
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
    else expect(isPath(text)).toBe(false)
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
  ])('%s: %s and %s', (type, a, b, same) => {
    expect(sameValue(type, a, b)).toBe(same)
  })
})
