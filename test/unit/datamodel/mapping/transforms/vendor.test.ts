import { describe, expect, it } from 'vitest'
import { type ContextFacts, readBy, refusedBy, writtenBy } from '../../../../support/transform-context.ts'

const from = 'InternetGatewayDevice.Any.1.Value'
const shows = (shown?: string, family?: string): ContextFacts => ({
  from,
  family,
  raw: shown === undefined ? {} : { [from]: shown },
})

const READS: [name: string, raw: string, value: string | undefined][] = [
  // Load and memory.
  ['percent', '17', '17'],
  ['percent', '17%', '17'],
  ['percent', '4%;1%', '3'],
  ['percent', '10%;20%;30%', '20'],
  ['percent', '0', '0'],
  ['percent', '101', undefined],
  ['percent', '-1', undefined],
  ['percent', '4%;odd', undefined],
  ['percent', '', undefined],
  ['memoryKib', '256', '262144'],
  ['memoryKib', '249856', '249856'],
  ['memoryKib', '268435456', '262144'],
  ['memoryKib', '512 MB', '524288'],
  ['memoryKib', '249856 kB', '249856'],
  ['memoryKib', '0', undefined],
  ['memoryKib', '', undefined],
  ['boardTemperature', '52', '52'],
  ['boardTemperature', '-274', undefined],
  // Stations.
  ['rssi', '-66', '-66'],
  ['rssi', '-66 dBm', '-66'],
  ['rssi', ' -70dBm ', '-70'],
  ['rssi', '0', undefined],
  ['rssi', '44', undefined],
  ['rssi', '-200', undefined],
  ['rssi', '', undefined],
  ['rssiNegated', '66', '-66'],
  ['rssiNegated', '0', undefined],
  ['rssiNegated', '-66', undefined],
  ['rcpi', '90', '-65'],
  ['rcpi', '110', '-55'],
  ['rcpi', '0', undefined],
  ['rcpi', '255', undefined],
  ['snr', '35', '35'],
  ['snr', '35 dB', '35'],
  ['snr', '0', undefined],
  ['kbps', '866700', '866700'],
  ['kbps', '0', undefined],
  ['kbps', '65', undefined],
  ['kbpsToMbps', '1000000', '1000'],
  ['usToMs', '12345', '12'],
  ['stationStandard', '11bgn', 'n'],
  ['stationStandard', '802.11ac', 'ac'],
  ['stationStandard', '11axa', 'ax'],
  ['stationStandard', 'n', 'n'],
  ['stationStandard', 'odd', undefined],
  // VLAN and service.
  ['vlanId', '100', '100'],
  ['vlanId', '4094', '4094'],
  ['vlanId', '0', undefined],
  ['vlanId', '-1', undefined],
  ['vlanId', '4095', undefined],
  ['vlanId', '', undefined],
  ['vlanMode', '2', 'true'],
  ['vlanMode', '1', 'false'],
  ['vlanMode', '0', 'false'],
  ['vlanMode', '3', undefined],
  ['vlanOfName', '2_INTERNET_R_VID_100', '100'],
  ['vlanOfName', '1_TR069_VOIP_INTERNET_R_VID_120', '120'],
  ['vlanOfName', '3_IPTV_B_VID_', undefined],
  ['vlanOfName', 'wan', undefined],
  ['servicesOfName', '2_INTERNET_R_VID_100', 'INTERNET'],
  ['servicesOfName', '1_TR069_VOIP_INTERNET_R_VID_120', 'TR069,VOIP,INTERNET'],
  ['servicesOfName', '1_TRN_R_VID_10', 'TR069,INTERNET'],
  ['servicesOfName', 'wan', undefined],
  ['serviceList', 'INTERNET', 'INTERNET'],
  ['serviceList', 'TR069,INTERNET', 'TR069,INTERNET'],
  ['serviceList', 'TR069_INTERNET', 'TR069,INTERNET'],
  ['serviceList', 'Other', 'OTHER'],
  ['serviceList', 'odd', undefined],
  ['serviceList', '', undefined],
  // Booleans.
  ['bool', 'TRUE', 'true'],
  ['bool', '0', 'false'],
  ['bool', 'Enable', 'true'],
  ['bool', 'odd', undefined],
  ['boolNot', '0', 'true'],
  ['boolNot', 'TRUE', 'false'],
  ['boolNot', '', undefined],
  // Bands, channels, countries.
  ['rfBand', '0', '2.4GHz'],
  ['rfBand', '1', '5GHz'],
  ['rfBand', '2', '6GHz'],
  ['rfBand', '2.4G', '2.4GHz'],
  ['rfBand', '2.4GHz', '2.4GHz'],
  ['rfBand', '5GHz', '5GHz'],
  ['rfBand', '5G', '5GHz'],
  ['rfBand', '6GHz', '6GHz'],
  ['rfBand', 'odd', undefined],
  ['bandOfChannels', '1-13', '2.4GHz'],
  ['bandOfChannels', '36,40,44', '5GHz'],
  ['bandOfChannels', '11', '2.4GHz'],
  ['bandOfChannels', '0', undefined],
  ['bandOfChannels', 'odd', undefined],
  ['channelAuto', '0', 'true'],
  ['channelAuto', '6', 'false'],
  ['channelAuto', '', undefined],
  ['regionName', 'BRAZIL', 'BR '],
  ['regionName', 'FCC', 'US '],
  ['regionName', 'USI', 'USI'],
  ['regionName', 'odd name', undefined],
  // IPv6.
  ['ipv6Address', '2001:db8::1', '2001:db8::1'],
  ['ipv6Address', '2001:db8::1/64', '2001:db8::1'],
  ['ipv6Address', '::', undefined],
  ['ipv6Address', '192.0.2.1', undefined],
  ['ipv6Address', '', undefined],
  ['ipv6Prefix', '2001:db8:1::/56', '2001:db8:1::/56'],
  ['ipv6Prefix', '::/0', undefined],
  ['ipv6Prefix', '2001:db8:1::', undefined],
  ['ipv6Prefix', '2001:db8:1::/129', undefined],
]

const WRITES: [name: string, value: string, written: string, shown?: string][] = [
  ['bool', 'true', 'true'],
  ['bool', 'true', '1', '0'],
  ['bool', 'false', 'FALSE', 'TRUE'],
  ['bool', '1', 'Enable', 'Disable'],
  ['boolNot', 'true', '0', '1'],
  ['boolNot', 'false', 'TRUE', 'FALSE'],
  ['vlanId', '100', '100'],
  ['vlanMode', 'true', '2', '1'],
  ['vlanMode', 'false', '0', '0'],
  ['vlanMode', 'false', '1', '1'],
  ['vlanMode', 'false', '1', '2'],
  ['serviceList', 'TR069,INTERNET', 'TR069,INTERNET'],
  ['serviceList', 'TR069,INTERNET', 'TR069_INTERNET', 'TR069_VOIP'],
  ['serviceList', 'OTHER', 'Other', 'Other'],
  ['channelAuto', 'true', '0', '6'],
  ['channelAuto', 'false', '6', '6'],
  ['regionName', 'BR ', 'BRAZIL', 'FCC'],
  ['regionName', 'BR ', 'BR', 'US'],
]

const REFUSALS: [name: string, value: string, message: RegExp, shown?: string][] = [
  ['bool', 'odd', /no boolean/],
  ['boolNot', '', /no boolean/],
  ['vlanId', '0', /write 1 to 4094/],
  ['vlanId', '4095', /write 1 to 4094/],
  ['vlanMode', 'odd', /no boolean/],
  ['serviceList', 'GAMES', /INTERNET, TR069, VOIP, IPTV, OTHER/],
  ['channelAuto', 'false', /write Channel instead/, '0'],
]

describe('values of vendors', () => {
  it.each(READS)('%s reads %j as %j', (name, raw, value) => {
    expect(readBy(name, raw, shows())).toBe(value)
  })

  it.each(WRITES)('%s writes %j as %j where the device shows %j', (name, value, written, shown) => {
    expect(writtenBy(name, value, shows(shown))).toBe(written)
  })

  it.each(REFUSALS)('%s refuses %j', (name, value, message, shown) => {
    expect(refusedBy(name, value, shows(shown))?.message).toMatch(message)
  })

  it('takes the unit of free memory from the total', () => {
    const memory = 'InternetGatewayDevice.DeviceInfo.MemoryStatus.'
    const free = (total: string) => ({ from: `${memory}Free`, raw: { [`${memory}Total`]: total } })
    expect(readBy('memoryKib', '6000', free('249856'))).toBe('6000')
    expect(readBy('memoryKib', '60', free('256'))).toBe('61440')
    expect(readBy('memoryKib', '6144000', free('268435456'))).toBe('6000')
    expect(readBy('memoryKib', '60', free(''))).toBe('61440')
  })

  it('computes free memory from what is used', () => {
    const info = 'InternetGatewayDevice.DeviceInfo.'
    const facts = { from: `${info}X_HW_MemUsed`, raw: { [`${info}MemoryStatus.Total`]: '262144' } }
    expect(readBy('memoryFreeOfUsed', '25%', facts)).toBe('196608')
    expect(readBy('memoryFreeOfUsed', '25%', { from: `${info}X_HW_MemUsed` })).toBeUndefined()
  })
})

describe('the VLAN of a link or connection', () => {
  const link = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.X_CT-COM_WANGponLinkConfig.'
  const id = `${link}VLANIDMark`
  const byMode = (mode?: string): ContextFacts => ({
    from: id,
    raw: mode === undefined ? {} : { [`${link}Mode`]: mode },
  })

  it('counts while the mode is tagged', () => {
    expect(readBy('vlanIdByMode', '100', byMode('2'))).toBe('100')
    expect(readBy('vlanIdByMode', '100', byMode('1'))).toBeUndefined()
    expect(readBy('vlanIdByMode', '100', byMode('0'))).toBeUndefined()
    expect(readBy('vlanIdByMode', '100', byMode())).toBe('100')
    expect(writtenBy('vlanIdByMode', '200', byMode('0'))).toEqual({ [`${link}Mode`]: '2', [id]: '200' })
    expect(writtenBy('vlanIdByMode', '200', byMode())).toBe('200')
    expect(refusedBy('vlanIdByMode', '0', byMode('2'))?.message).toMatch(/1 to 4094/)
  })

  it('counts while it is switched on, and a write switches it on first', () => {
    const connection = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.'
    const vlan = `${connection}X_ZTE-COM_VLANID`
    const enable = `${connection}X_ZTE-COM_VLANEnable`
    const byEnable = (value: string): ContextFacts => ({ from: vlan, raw: { [enable]: value } })
    expect(readBy('vlanIdByEnable', '100', byEnable('1'))).toBe('100')
    expect(readBy('vlanIdByEnable', '100', byEnable('false'))).toBeUndefined()
    expect(Object.entries(writtenBy('vlanIdByEnable', '200', byEnable('0')) ?? {})).toEqual([
      [enable, '1'],
      [vlan, '200'],
    ])
  })
})

describe('the width of a channel', () => {
  const CODES: [name: string, ...words: (string | undefined)[]][] = [
    ['wlanWidth01234', '0', '1', '2', '3', '4'],
    ['wlanWidth0123x', '0', '1', '2', '3'],
    ['wlanWidth2013x', '2', '0', '1', '3'],
    ['wlanWidth3124x', '3', '1', '2', '4'],
    ['wlanWidth4013x', '4', '0', '1', '3'],
    ['wlanWidthx012x', undefined, '0', '1', '2'],
    ['wlanWidthx013x', undefined, '0', '1', '3'],
    ['wlanWidthDlink', '20/40MHz Coexistent', '20MHz', '20/40MHz', '20/40/80MHz'],
    ['wlanWidth', 'Auto', '20MHz', '40MHz', '80MHz', '160MHz'],
    ['wlanWidthShort', 'Auto', '20M', '40M', '80M', '160M'],
    ['wlanWidthAuto', 'Auto20M40M', '20M', '40M', '80M', '160M'],
  ]
  const widths = ['Auto', '20MHz', '40MHz', '80MHz', '160MHz']

  it.each(CODES)('has its words in %s', (name, ...words) => {
    for (const [at, width] of widths.entries()) {
      const word = words[at]
      if (word === undefined) expect(refusedBy(name, width, shows())?.message).toMatch(/no form on the device/)
      else {
        expect(readBy(name, word, shows())).toBe(width)
        expect(writtenBy(name, width, shows())).toBe(word)
      }
    }
    expect(readBy(name, 'odd', shows())).toBeUndefined()
    expect(readBy(name, '', shows())).toBeUndefined()
    expect(refusedBy(name, '320MHz-1', shows())?.message).toMatch(/no form on the device/)
  })

  it('keeps the spelling of the device', () => {
    expect(readBy('wlanWidth', '20Mhz', shows())).toBe('20MHz')
    expect(writtenBy('wlanWidth', '40MHz', shows('20Mhz'))).toBe('40Mhz')
    expect(writtenBy('wlanWidth', '40MHz', shows('20M'))).toBe('40M')
    expect(readBy('wlanWidthAuto', 'Auto20M40M80M', shows())).toBe('Auto')
    const radio = 'InternetGatewayDevice.LANDevice.1.X_CT-COM_Radio.2.FrequencyWidth'
    expect(writtenBy('wlanWidthAuto', 'Auto', { from: radio, raw: { [radio]: '80M' } })).toBe('Auto20M40M80M')
    expect(readBy('wlanWidth4013x', '2', shows())).toBe('Auto')
  })

  it('takes a digit for the code of the family', () => {
    expect(readBy('wlanWidth', '3', shows(undefined, 'fiberhome'))).toBe('80MHz')
    expect(readBy('wlanWidth', '2', shows(undefined, 'nokia'))).toBe('Auto')
    expect(readBy('wlanWidth', '3', shows())).toBeUndefined()
    expect(writtenBy('wlanWidth', '40MHz', shows('3', 'fiberhome'))).toBe('2')
    expect(writtenBy('wlanWidth', '40MHz', shows('3', 'nokia'))).toBe('1')
  })
})
