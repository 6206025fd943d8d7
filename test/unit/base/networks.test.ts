import { describe, expect, it } from 'vitest'
import { groupsOf, networksOf, plainAddress, shareOf } from '../../../src/base/index.ts'

describe('networks', () => {
  it('are read from addresses and CIDR forms', () => {
    const networks = networksOf(' 10.0.0.0/8,192.0.2.7 ,2001:db8::/32,')
    const asked = ['10.1.2.3', '11.0.0.1', '192.0.2.7', '192.0.2.8', '2001:db8::5', '2001:db9::5', 'no address']
    expect(asked.map((address) => networks.has(address))).toEqual([true, false, true, false, true, false, false])
  })

  it.each(['10.0.0.0/33', '10.0.0', 'example.org', '10.0.0.0/8/9', '::/129', '10.0.0.0/x', '10.0.0.0/-1'])(
    'are not %s',
    (text) => expect(() => networksOf(text)).toThrow(/is no network/),
  )
})

describe('addresses', () => {
  it('that are mapped into IPv6 are IPv4', () => {
    expect(['::ffff:192.0.2.1', '192.0.2.1', 'fe80::1%eth0', '2001:db8::1'].map(plainAddress)).toEqual([
      '192.0.2.1',
      '192.0.2.1',
      'fe80::1',
      '2001:db8::1',
    ])
  })

  it('share a budget per IPv4 address and per IPv6 network of 64 bits', () => {
    expect(shareOf('192.0.2.1')).toBe('192.0.2.1')
    expect(shareOf('2001:db8:1:2::9')).toBe(shareOf('2001:DB8:1:2:ffff:0:0:1'))
    expect(shareOf('2001:db8:1:2::9')).not.toBe(shareOf('2001:db8:1:3::9'))
  })

  it('of IPv6 have eight groups in any spelling', () => {
    expect(groupsOf('::')).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect(groupsOf('1::')).toEqual([1, 0, 0, 0, 0, 0, 0, 0])
    expect(groupsOf('64:ff9b::192.0.2.1')).toEqual([0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x201])
    expect(groupsOf('1:2:3:4:5:6:7:8')).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })
})
