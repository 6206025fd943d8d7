import { describe, expect, it } from 'vitest'
import { type ContextFacts, readBy, refusedBy, writtenBy } from '../../../../support/transform-context.ts'

const IGD = 'InternetGatewayDevice.'
const WAN_IP = `${IGD}WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.`

describe('lists over several parameters and rows', () => {
  const dns = `${WAN_IP}DNSServers`
  const servers = (shown: string, position: number, more = {}): ContextFacts => ({
    from: dns,
    to: `Device.DNS.Client.Server.${position + 1}.DNSServer`,
    raw: { [dns]: shown, ...more },
    position,
  })

  it('gives each DNS server its row', () => {
    expect(readBy('splitList', '192.0.2.1, 192.0.2.2', servers('', 0))).toBe('192.0.2.1')
    expect(readBy('splitList', '192.0.2.1,0.0.0.0,192.0.2.2', servers('', 1))).toBe('192.0.2.2')
    expect(readBy('splitList', '192.0.2.1', servers('', 1))).toBeUndefined()
  })

  it('writes one server into the list of its connection', () => {
    expect(writtenBy('splitList', '192.0.2.9', servers('192.0.2.1,192.0.2.2', 1))).toBe('192.0.2.1,192.0.2.9')
    expect(writtenBy('splitList', '192.0.2.9', servers('', 0))).toBe('192.0.2.9')
    expect(writtenBy('splitList', '', servers('192.0.2.1,192.0.2.2', 0))).toBe('192.0.2.2')
    expect(refusedBy('splitList', '192.0.2.1,192.0.2.2', servers('', 0))?.message).toMatch(/one server/)
  })

  it('keeps the next lease from replacing a server that was written', () => {
    const override = `${WAN_IP}DNSOverrideAllowed`
    const written = { [dns]: '192.0.2.9', [override]: '0' }
    expect(writtenBy('splitList', '192.0.2.9', servers('', 0, { [override]: '1' }))).toEqual(written)
    expect(writtenBy('splitList', '192.0.2.9', servers('', 0, { [override]: 'false' }))).toBe('192.0.2.9')
  })

  const time = `${IGD}Time.`
  const slots = (...values: string[]): ContextFacts => ({
    from: `${time}NTPServer1`,
    to: 'Device.Time.Client.1.Servers',
    raw: Object.fromEntries(values.map((value, at) => [`${time}NTPServer${at + 1}`, value])),
  })

  it('makes one list of the time servers, and spreads it again', () => {
    const facts = slots('a.ntp.example', '', 'b.ntp.example', '')
    expect(readBy('ntpSlot', 'a.ntp.example', facts)).toBe('a.ntp.example,b.ntp.example')
    expect(writtenBy('ntpSlot', 'c.ntp.example,d.ntp.example', facts)).toEqual({
      [`${time}NTPServer1`]: 'c.ntp.example',
      [`${time}NTPServer2`]: 'd.ntp.example',
      [`${time}NTPServer3`]: '',
      [`${time}NTPServer4`]: '',
    })
    expect(refusedBy('ntpSlot', 'a,b,c', slots('', ''))?.message).toMatch(/2 servers, not 3/)
  })

  const pools = (lan: number, ...orders: string[]) =>
    Object.fromEntries(
      orders.map((order, at) => [
        `${IGD}LANDevice.${lan}.LANHostConfigManagement.DHCPConditionalServingPool.${at + 1}.PoolOrder`,
        order,
      ]),
    )

  it('counts DHCP pools over all LANs, the default pool of each after its conditional ones', () => {
    const raw = { ...pools(1, '2', '1'), ...pools(2, '1') }
    const pool = (lan: number, n: number) => ({
      raw,
      from: `${IGD}LANDevice.${lan}.LANHostConfigManagement.DHCPConditionalServingPool.${n}.PoolOrder`,
    })
    expect(readBy('poolOrder', '2', pool(1, 1))).toBe('2')
    expect(readBy('poolOrder', '1', pool(1, 2))).toBe('1')
    expect(readBy('poolOrder', '1', pool(2, 1))).toBe('4')
    expect(readBy('poolOrder', 'odd', pool(2, 1))).toBeUndefined()
    expect(writtenBy('poolOrder', '1', pool(1, 1))).toBe('1')
    expect(writtenBy('poolOrder', '4', pool(2, 1))).toBe('1')
    expect(refusedBy('poolOrder', '3', pool(1, 1))?.message).toMatch(/write 1 to 2/)
  })

  it('tells the state of WPS by its switch and its lock', () => {
    const wps = `${IGD}LANDevice.1.WLANConfiguration.1.WPS.`
    const facts = (enable: string, lock: string) => ({
      from: `${wps}ConfigurationState`,
      raw: { [`${wps}Enable`]: enable, [`${wps}SetupLockedState`]: lock },
    })
    expect(readBy('wpsStatus', 'Configured', facts('1', 'Unlocked'))).toBe('Configured')
    expect(readBy('wpsStatus', 'Not configured', facts('1', ''))).toBe('Unconfigured')
    expect(readBy('wpsStatus', 'Configured', facts('1', 'PINRetryLimitReached'))).toBe('SetupLocked')
    expect(readBy('wpsStatus', 'Configured', facts('0', 'Unlocked'))).toBe('Disabled')
    expect(readBy('wpsStatus', 'odd', facts('1', 'Unlocked'))).toBeUndefined()
  })
})
