import { describe, expect, it } from 'vitest'
import { type ContextFacts, readBy } from '../../../../support/transform-context.ts'

const IGD = 'InternetGatewayDevice.'
const WAN_IP = `${IGD}WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.`

describe('seconds', () => {
  const at = Date.UTC(2026, 4, 1, 12)

  it.each([
    ['3600', '2026-05-01T13:00:00Z'],
    ['-1', '9999-12-31T23:59:59Z'],
    ['0', '0001-01-01T00:00:00Z'],
    ['-2', undefined],
    ['', undefined],
    ['odd', undefined],
  ])('%j left are the date %j', (raw, value) => {
    expect(readBy('secondsToDate', raw, { at })).toBe(value)
  })

  it('keep their date while new readings agree within two minutes', () => {
    const previous = { raw: '3600', value: '2026-05-01T13:00:00Z', at: at - 600_000 }
    expect(readBy('secondsToDate', '3681', { at, previous })).toBe('2026-05-01T13:00:00Z')
    expect(readBy('secondsToDate', '3720', { at, previous })).toBe('2026-05-01T13:02:00Z')
    expect(readBy('secondsToDate', '7200', { at, previous })).toBe('2026-05-01T14:00:00Z')
  })

  it('connected are the last change, while the connection is up', () => {
    const facts = (status?: string): ContextFacts => ({
      from: `${WAN_IP}Uptime`,
      raw: status === undefined ? {} : { [`${WAN_IP}ConnectionStatus`]: status },
    })
    expect(readBy('uptimeToLastChange', '4711', facts('Connected'))).toBe('4711')
    expect(readBy('uptimeToLastChange', '4711', facts('Disconnected'))).toBeUndefined()
    expect(readBy('uptimeToLastChange', '4711', facts())).toBeUndefined()
    expect(readBy('uptimeToLastChange', '', facts('Connected'))).toBeUndefined()
    expect(readBy('uptimeToLastChange', '4294967295', facts('Connected'))).toBeUndefined()
  })

  it.each([
    ['4711', '4711'],
    ['0', '0'],
    ['630720000', '630720000'],
    ['630720001', undefined],
    ['4294967295', undefined],
    ['-1', undefined],
    ['2 days', undefined],
    ['', undefined],
  ])('of an uptime %j are %j', (raw, value) => {
    expect(readBy('uptime', raw)).toBe(value)
  })
})

describe('counters of 32 bits', () => {
  const at = Date.UTC(2026, 0, 2)
  const earlier = (raw: string, value = raw) => ({ raw, value, at: at - 60_000 })
  const UP_TIME = `${IGD}DeviceInfo.UpTime`
  const shows = (seconds: string) => ({ at, raw: { [UP_TIME]: seconds } })
  const up = shows('86400')
  const stale = { ...up, readAt: { [UP_TIME]: at - 60_000 } }
  const booted = { ...stale, bootAt: at - 30_000 }

  it.each([
    ['grow', '2000', earlier('1000'), up, '2000'],
    ['wrap', '100', earlier('4294967290'), up, '4294967396'],
    ['grow after a wrap', '200', earlier('100', '4294967396'), up, '4294967496'],
    ['wrap twice', '50', earlier('4294967290', '8589934586'), up, '8589934642'],
    ['start again with the device', '100', earlier('4294967290'), shows('30'), '100'],
    ['forget their wraps with the device', '5000', earlier('100', '4294967396'), shows('30'), '5000'],
    ['do not wrap where the uptime is not known', '100', earlier('4294967290'), { at }, '100'],
    ['keep their wraps where the uptime is not known', '200', earlier('100', '4294967396'), { at }, '4294967496'],
    ['do not wrap where the uptime was read before', '100', earlier('4294967290'), stale, '100'],
    ['keep their wraps where the uptime was read before', '200', earlier('100', '4294967396'), stale, '4294967496'],
    ['do not wrap after a boot', '100', earlier('4294967290'), booted, '100'],
    ['forget their wraps after a boot', '200', earlier('100', '4294967396'), booted, '200'],
    ['take an uptime of all ones for none', '100', earlier('4294967290'), shows('4294967295'), '100'],
    ['take an odd uptime for none', '100', earlier('4294967290'), shows('2 days'), '100'],
    ['do not wrap faster than 10 Gbit/s', '100', { ...earlier('5000000'), at: at - 1000 }, up, '100'],
    ['begin', '4294967290', undefined, up, '4294967290'],
    ['are 64 bits on some devices', '4294967396', earlier('4294967290'), up, '4294967396'],
    ['are 64 bits on some devices and start again', '7', earlier('5294967290'), up, '7'],
    ['hold no value when all bits are set', '4294967295', earlier('1000'), up, undefined],
    ['are no text', 'odd', earlier('1000'), up, undefined],
    ['are not negative', '-5', earlier('1000'), up, undefined],
    ['are not empty', '', undefined, up, undefined],
  ])('%s', (_, raw, previous, facts, value) => {
    expect(readBy('counter32', raw, { previous, ...facts })).toBe(value)
  })

  it('begin anew with their interface, and wrap where its uptime was read with them', () => {
    const connection = `${IGD}WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.`
    const read = (raw: string, previous: typeof facts.previous, seconds: string, more: Partial<ContextFacts> = {}) =>
      readBy('counter32', raw, {
        ...facts,
        previous,
        raw: { ...up.raw, [`${connection}Uptime`]: seconds },
        ...more,
      })
    const facts = { at, from: `${connection}Stats.EthernetBytesSent`, previous: earlier('4294967290') }
    const wrapped = earlier('100', '4294967396')
    expect(read('100', facts.previous, '10')).toBe('100')
    expect(read('100', facts.previous, '9000')).toBe('4294967396')
    expect(read('100', facts.previous, '9000', { readAt: { [`${connection}Uptime`]: at - 1 } })).toBe('100')
    expect(read('100', facts.previous, '4294967295')).toBe('100')
    expect(read('200', wrapped, '9000')).toBe('4294967496')
    expect(read('200', wrapped, '10')).toBe('200')
  })

  it('give up a wrap that cannot have passed since their interface began', () => {
    const connection = `${IGD}WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.`
    const facts = { at, from: `${connection}Stats.EthernetBytesSent`, raw: { ...up.raw, [`${connection}Uptime`]: '2' } }
    const previous = { ...earlier('100', '4294967396'), at: at - 1000 }
    expect(readBy('counter32', '200', { ...facts, previous })).toBe('200')
  })

  it('of one reading stay as they are, whatever is known since', () => {
    const from = `${IGD}WANDevice.1.WANCommonInterfaceConfig.TotalBytesSent`
    const previous = earlier('100', '4294967396')
    const facts = { ...booted, from, previous, readAt: { [from]: previous.at } }
    expect(readBy('counter32', '100', facts)).toBe('4294967396')
  })
})
