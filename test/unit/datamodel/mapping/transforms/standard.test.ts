import { describe, expect, it } from 'vitest'
import { type ContextFacts, readBy, refusedBy, writtenBy } from '../../../../support/transform-context.ts'

const IGD = 'InternetGatewayDevice.'

/** Name, text of the device, value in TR-181. */
const READS: [name: string, raw: string, value: string | undefined][] = [
  // Status words.
  ['ifStatus', 'Up', 'Up'],
  ['ifStatus', 'NoLink', 'Down'],
  ['ifStatus', 'Disabled', 'Down'],
  ['ifStatus', 'Error', 'Error'],
  ['ifStatus', 'Initializing', 'Dormant'],
  ['ifStatus', 'EstablishingLink', 'Dormant'],
  ['ifStatus', 'NoSignal', 'Down'],
  ['ifStatus', 'Dialing', 'Dormant'],
  ['ifStatus', 'Connecting', 'Dormant'],
  ['ifStatus', 'Unavailable', 'NotPresent'],
  ['ifStatus', 'vendor word', 'Unknown'],
  ['ifStatus', '', undefined],
  ['physToIfStatus', 'Up', 'Up'],
  ['physToIfStatus', 'Down', 'Down'],
  ['physToIfStatus', 'Initializing', 'Dormant'],
  ['physToIfStatus', 'Unavailable', 'NotPresent'],
  ['physToIfStatus', 'odd', 'Unknown'],
  ['connToIfStatus', 'Connected', 'Up'],
  ['connToIfStatus', 'PendingDisconnect', 'Up'],
  ['connToIfStatus', 'Connecting', 'Dormant'],
  ['connToIfStatus', 'Authenticating', 'Dormant'],
  ['connToIfStatus', 'Disconnecting', 'Down'],
  ['connToIfStatus', 'Disconneting', 'Down'],
  ['connToIfStatus', 'Disconnected', 'Down'],
  ['connToIfStatus', 'Unconfigured', 'Down'],
  ['connToIfStatus', 'odd', 'Unknown'],
  ['dslLinkStatus', 'Up', 'Up'],
  ['dslLinkStatus', 'Down', 'NoSignal'],
  ['dslLinkStatus', 'Initializing', 'Initializing'],
  ['dslLinkStatus', 'Unavailable', 'NoSignal'],
  ['enabledStatus', 'Enabled', 'Enabled'],
  ['enabledStatus', 'Disabled', 'Disabled'],
  ['enabledStatus', 'odd', 'Error'],
  ['fwdStatus', 'Enabled', 'Enabled'],
  ['fwdStatus', 'Error', 'Error'],
  ['wlanApStatus', 'Up', 'Enabled'],
  ['wlanApStatus', 'Disabled', 'Disabled'],
  ['wlanApStatus', 'odd', 'Error'],
  ['timeStatus', 'Error_FailedToSynchronize', 'Error'],
  ['timeStatus', 'Synchronized', 'Synchronized'],
  // Words of the configuration.
  ['addrType4', 'DHCP', 'DHCP'],
  ['addrType4', 'AutoIP', 'AutoIP'],
  ['addrType4', 'odd', 'Static'],
  ['addrTypeToDhcp', 'DHCP', 'true'],
  ['addrTypeToDhcp', 'Static', 'false'],
  ['addrTypeToDhcp', 'odd', undefined],
  ['atmLinkType', 'PPPoE', 'EoA'],
  ['atmLinkType', 'PPPoA', 'PPPoA'],
  ['bridgeStandard', '802.1D', '802.1D-2004'],
  ['bridgeStandard', '802.1Q', '802.1Q-2005'],
  ['bridgeStandard', '802.1Q-2005', '802.1Q-2005'],
  ['hostIfType', '802.11', 'Wi-Fi'],
  ['hostIfType', 'WLAN', 'Wi-Fi'],
  ['hostIfType', 'HomePNA', 'HPNA'],
  ['hostIfType', 'USB', 'Other'],
  ['hostIfType', 'Unkown', 'Other'],
  ['nonZeroVlan', '-1', '0'],
  ['nonZeroVlan', '100', '100'],
  ['pppCompression', 'Van Jacobsen', 'Van Jacobson'],
  ['pppCompression', 'STAC LZS', 'STAC LZS'],
  ['dhcpRelay', '1', 'true'],
  ['dhcpRelay', 'false', 'false'],
  ['dhcpRelay', 'odd', undefined],
  // Voice.
  ['callState', 'Calling', 'Dialing'],
  ['callState', 'Ringing', 'Alerting'],
  ['callState', 'Connecting', 'Delivered'],
  ['callState', 'InCall', 'Connected'],
  ['callState', 'Hold', 'Connected'],
  ['callState', 'Disconnecting', 'Disconnected'],
  ['voiceLineStatus', 'Up', 'Up'],
  ['voiceLineStatus', 'Registering', undefined],
  ['voiceLineStatus', 'Initializing', undefined],
  ['sipClientStatus', 'Unregistering', 'Deregistering'],
  ['sipClientStatus', 'Error', 'Error_Registration'],
  ['sipClientStatus', 'Testing', 'Up'],
  ['dtmf', 'RFC2833', 'RFC4733'],
  ['dtmf', '', ''],
  ['voiceEnable', 'Enabled', 'true'],
  ['voiceEnable', 'Quiescent', 'false'],
  ['voiceEnable', 'Disabled', 'false'],
  ['voiceQuiescent', 'Quiescent', 'true'],
  ['voiceQuiescent', 'Enabled', 'false'],
  ['voiceQuiescent', 'odd', undefined],
  ['sipUri', 'alice@isp.example', 'sip:alice@isp.example'],
  ['sipUri', 'sip:alice@isp.example', 'sip:alice@isp.example'],
  ['sipUri', '', ''],
  // Rates and numbers.
  ['bitRateMbps', 'Auto', '-1'],
  ['bitRateMbps', '1000', '1000'],
  ['bitRateMbps', '10Mbps', '10'],
  ['bitRateMbps', '0', undefined],
  ['bpsToKbps', '24000999', '24000'],
  ['bpsToKbps', '0', undefined],
  ['bpsToMbps', '1000000000', '1000'],
  ['bpsToMbps', '0', undefined],
  ['mbpsToKbps', '866.7', '866700'],
  ['mbpsToKbps', '54', '54000'],
  ['mbpsToKbps', '866700', '866700'],
  ['mbpsToKbps', '0', undefined],
  ['mbpsToKbps', '', undefined],
  ['wlanMaxBitRate', '5.5', '6'],
  ['wlanMaxBitRate', '300', '300'],
  ['wlanMaxBitRate', 'Auto', undefined],
  ['negToZero', '-1', '0'],
  ['negToZero', '64', '64'],
  ['noClass', '-1', undefined],
  ['noClass', '3', '3'],
  ['txPower', '100', '100'],
  ['txPower', '20%', '20'],
  ['txPower', '-1', undefined],
  ['wlanChannel', '6', '6'],
  ['wlanChannel', '0', undefined],
  ['wlanChannel', '256', undefined],
  ['regDomain', 'US', 'US '],
  ['regDomain', 'BRI', 'BRI'],
  ['regDomain', '', undefined],
  ['wlanStandard', 'g', 'b,g'],
  ['wlanStandard', 'g-only', 'g'],
  ['wlanStandard', 'n', 'n'],
  ['wlanStandard', 'ac', 'ac'],
  ['wlanStandard', 'bgn', 'b,g,n'],
  ['wlanStandard', '11bgn', 'b,g,n'],
  ['wlanStandard', 'b,g,n', 'b,g,n'],
  ['wlanStandard', 'b/g/n', 'b,g,n'],
  ['wlanStandard', '802.11n', 'n'],
  ['wlanStandard', 'an+ac', 'a,n,ac'],
  ['wlanStandard', 'anac', 'a,n,ac'],
  ['wlanStandard', 'ac,n,a', 'a,n,ac'],
  ['wlanStandard', 'n 2*2', 'n'],
  ['wlanStandard', 'bgnax', 'b,g,n,ax'],
  ['wlanStandard', 'Auto', undefined],
  ['wlanStandard', '', undefined],
  ['wpsVersion', '16', '1.0'],
  ['wpsVersion', '32', '2.0'],
  ['wpsVersion', '0', undefined],
  ['wpsMethods', 'Keypad, PushButton', 'PIN,PushButton'],
  ['pinPad', '1234565', '01234565'],
  ['pinPad', '123', '0123'],
  ['pinPad', '12345678', '12345678'],
  ['pinPad', '0', undefined],
  ['pinPad', '', undefined],
  // Lists.
  ['listSelf', ' 192.0.2.1 , 192.0.2.2', '192.0.2.1,192.0.2.2'],
  ['listSelf', '', ''],
  ['macList', 'AA-BB-CC-00-00-01, aabbcc000002', 'AA:BB:CC:00:00:01,aa:bb:cc:00:00:02'],
  ['macList', 'no address', ''],
  // Addresses.
  ['zeroToEmpty', '0.0.0.0', ''],
  ['zeroToEmpty', ' ', ''],
  ['zeroToEmpty', '192.0.2.1', '192.0.2.1'],
  ['maskToPrefix', '255.255.255.0', '/24'],
  ['maskToPrefix', '255.255.255.255', '/32'],
  ['maskToPrefix', '0.0.0.0', '/0'],
  ['maskToPrefix', '', ''],
  ['maskToPrefix', '255.0.255.0', undefined],
  ['maskToPrefix', 'odd', undefined],
  ['atmDest', 'PVC: 8/35', '8/35'],
  ['atmDest', 'PVC:8/35', '8/35'],
  ['atmDest', 'SVC:odd', undefined],
  ['atmDest', '', ''],
  // Bytes.
  ['base64ToHex', 'AQID', '010203'],
  ['base64ToHex', 'aXNw', '697370'],
  ['base64ToHex', '', ''],
  ['base64ToHex', 'no base64!', undefined],
  ['idHex', '01AABBCC000001', '01AABBCC000001'],
  ['idHex', 'isp', '697370'],
  ['idHex', '', ''],
  ['rgbHex', 'ff8800', 'FF8800'],
  ['rgbHex', 'red', undefined],
  ['pskHex', 'a'.repeat(64), 'a'.repeat(64)],
  ['pskHex', 'passphrase', undefined],
  ['pskHex', '', undefined],
  ['wepKeyHex', '0123456789', '0123456789'],
  ['wepKeyHex', '0123456789abcdef0123456789', '0123456789ABCDEF0123456789'],
  ['wepKeyHex', 'abcde', '6162636465'],
  ['wepKeyHex', 'abcdefghijklm', '6162636465666768696A6B6C6D'],
  ['wepKeyHex', '*****', undefined],
  ['wepKeyHex', '', undefined],
  // Time.
  ['tzOffset', '+01:00', '<+01>-1'],
  ['tzOffset', '-08:00', '<-08>8'],
  ['tzOffset', '+05:30', '<+0530>-5:30'],
  ['tzOffset', '-03:30', '<-0330>3:30'],
  ['tzOffset', '+00:00', 'UTC0'],
  ['tzOffset', 'UTC', undefined],
  ['tzName', 'CET-1CEST,M3.5.0,M10.5.0/3', 'CET-1CEST,M3.5.0,M10.5.0/3'],
  ['tzName', '<+0530>-5:30', '<+0530>-5:30'],
  ['tzName', 'Europe/Berlin', undefined],
  ['tzName', 'Berlin, Rome', undefined],
  ['tzName', '', undefined],
  // States of tests.
  ['diagState', 'None', 'None'],
  ['diagState', 'Requested', 'Requested'],
  ['diagState', 'Complete', 'Complete'],
  ['diagState', 'Completed', 'Complete'],
  ['diagState', 'odd', undefined],
  // Firewall.
  ['firewallConfig', 'High', 'High'],
  ['firewallConfig', 'Off', undefined],
  ['firewallConfig', 'Medium', 'Medium'],
  ['firewallEnable', 'Off', 'false'],
  ['firewallEnable', 'Low', 'true'],
  ['firewallEnable', 'Medium', 'true'],
  // Security.
  ['wlanEncryption', 'AESEncryption', 'AES'],
  ['wlanEncryption', 'TKIPEncryption', 'TKIP'],
  ['wlanEncryption', 'TKIPandAESEncryption', 'TKIP,AES'],
  ['wlanEncryption', 'WEPEncryption', ''],
  ['wlanEncryption', 'WEPandTKIPEncryption', 'TKIP'],
  ['wlanEncryption', 'WEPandAESEncryption', 'AES'],
  ['wlanEncryption', 'WEPandTKIPandAESEncryption', 'TKIP,AES'],
  ['wlanEncryption', 'odd', undefined],
  // Never read.
  ['wlanSecurityPart', 'None', undefined],
  ['countRows', '7', undefined],
]

/** Name, value in TR-181, text of the device; with what the device shows before where that matters. */
const WRITES: [name: string, value: string, written: string, shown?: string][] = [
  ['addrTypeToDhcp', 'true', 'DHCP'],
  ['addrTypeToDhcp', '0', 'Static'],
  ['atmLinkType', 'EoA', 'EoA'],
  ['atmLinkType', 'EoA', 'PPPoE', 'PPPoE'],
  ['bridgeStandard', '802.1D-2004', '802.1D'],
  ['bridgeStandard', '802.1Q-2011', '802.1Q'],
  ['nonZeroVlan', '0', '-1'],
  ['nonZeroVlan', '100', '100'],
  ['dtmf', 'RFC4733', 'RFC2833'],
  ['dtmf', '', ''],
  ['voiceEnable', 'true', 'Enabled'],
  ['voiceEnable', 'false', 'Disabled'],
  ['voiceEnable', 'false', 'Quiescent', 'Quiescent'],
  ['voiceQuiescent', 'true', 'Quiescent'],
  ['voiceQuiescent', 'false', 'Disabled', 'Quiescent'],
  ['sipUri', 'sip:alice@isp.example', 'alice@isp.example', 'bob@isp.example'],
  ['sipUri', 'sip:alice@isp.example', 'sip:alice@isp.example', 'sip:bob@isp.example'],
  ['bitRateMbps', '-1', 'Auto'],
  ['bitRateMbps', '100', '100'],
  ['bitRateMbps', '100', '100Mbps', '10Mbps'],
  ['noClass', '', '-1'],
  ['noClass', '3', '3'],
  ['txPower', '60', '60'],
  ['wlanChannel', '36', '36'],
  ['regDomain', 'US ', 'US'],
  ['regDomain', 'US ', 'US ', 'US '],
  ['wlanStandard', 'b,g,n', 'bgn', 'bg'],
  ['wlanStandard', 'b,g', '11bg', '11bgn'],
  ['wlanStandard', 'b,g,n', 'b/g/n', 'b/g'],
  ['wlanStandard', 'a,n', 'n,a', 'ac,n,a'],
  ['wlanStandard', 'b,g', 'g', 'g'],
  ['wlanStandard', 'g', 'g-only', 'n'],
  ['wlanStandard', 'b,g,n', 'b,g,n'],
  ['wpsMethods', 'PIN,PushButton', 'Keypad,PushButton'],
  ['pinPad', '01234565', '1234565'],
  ['pinPad', '0123', '123'],
  ['listSelf', '192.0.2.1, 192.0.2.2', '192.0.2.1,192.0.2.2'],
  ['listSelf', '192.0.2.1,192.0.2.2', '192.0.2.1, 192.0.2.2', '192.0.2.3, 192.0.2.4'],
  ['macList', 'aa:bb:cc:00:00:01', 'aa:bb:cc:00:00:01'],
  ['zeroToEmpty', '', '0.0.0.0', '0.0.0.0'],
  ['zeroToEmpty', '', '', '192.0.2.1'],
  ['zeroToEmpty', '192.0.2.1', '192.0.2.1'],
  ['maskToPrefix', '/24', '255.255.255.0'],
  ['maskToPrefix', '/0', '0.0.0.0'],
  ['maskToPrefix', '/32', '255.255.255.255'],
  ['maskToPrefix', '', ''],
  ['atmDest', '8/35', 'PVC:8/35'],
  ['atmDest', '8/36', 'PVC: 8/36', 'PVC: 8/35'],
  ['base64ToHex', '010203', 'AQID'],
  ['idHex', '697370', '697370'],
  ['idHex', '697370', 'isp', 'other'],
  ['idHex', '01AABB', '01AABB', '01AABBCC'],
  ['rgbHex', 'FF8800', 'FF8800'],
  ['rgbHex', 'FF8800', '#FF8800', '#000000'],
  ['pskHex', 'a'.repeat(64), 'a'.repeat(64)],
  ['wepKeyHex', '0123456789', '0123456789'],
  ['wepKeyHex', '6162636465', 'abcde', 'vwxyz'],
  ['tzName', 'CET-1CEST,M3.5.0,M10.5.0/3', 'CET-1CEST,M3.5.0,M10.5.0/3'],
  ['diagState', 'Requested', 'Requested'],
  ['firewallConfig', 'Low', 'Low', 'High'],
  ['firewallEnable', 'false', 'Off', 'High'],
  ['firewallEnable', 'true', 'Low', 'Low'],
  ['wlanEncryption', 'AES', 'AESEncryption'],
  ['wlanEncryption', 'AES,TKIP', 'TKIPandAESEncryption'],
  ['wlanEncryption', 'TKIP', 'TKIPEncryption'],
]

/** Name, value in TR-181 that has no form, and what the message says. */
const REFUSALS: [name: string, value: string, message: RegExp, shown?: string][] = [
  ['addrTypeToDhcp', 'maybe', /no form.*"true", "false"/],
  ['atmLinkType', 'PPPoE', /no form/],
  ['bridgeStandard', '802.1AX', /no form/],
  ['dtmf', 'InBand,RFC4733', /no form/],
  ['voiceEnable', 'odd', /no boolean/],
  ['sipUri', 'two words', /no SIP address/],
  ['bitRateMbps', '0', /write Mbit\/s, or -1/],
  ['noClass', '-2', /no traffic class/],
  ['txPower', '-1', /no automatic power/],
  ['txPower', '101', /0 to 100/],
  ['wlanChannel', '0', /AutoChannelEnable/],
  ['regDomain', 'Europe', /no country/],
  ['wlanStandard', 'z', /no list of a, b, g, n/],
  ['pinPad', '123', /4 or 8 digits/],
  ['macList', 'odd', /no MAC address/],
  ['zeroToEmpty', 'odd', /no IPv4 address/],
  ['maskToPrefix', '/33', /no IPv4 prefix length/],
  ['maskToPrefix', '10.0.0.0/8', /no IPv4 prefix length/],
  ['atmDest', 'odd', /no circuit/],
  ['base64ToHex', 'odd', /no hexBinary/],
  ['idHex', 'odd', /no hexBinary/],
  ['rgbHex', 'red', /no color/],
  ['pskHex', 'passphrase', /Security.KeyPassphrase/],
  ['wepKeyHex', 'abcde', /10 or 26 hex digits/],
  ['tzName', 'Europe/Berlin', /no POSIX time zone/],
  ['diagState', 'Canceled', /Requested starts the test/],
  ['diagState', 'None', /Requested starts the test/],
  ['firewallConfig', 'Off', /write High or Low/],
  ['firewallConfig', 'High', /Enable true in the same request/, 'Off'],
  ['firewallEnable', 'true', /Config High or Low/, 'Off'],
  ['firewallEnable', 'odd', /no boolean/],
  ['wlanEncryption', '', /no form/],
  ['wlanEncryption', 'GCMP', /no form/],
]

const from = `${IGD}Any.1.Value`
const shows = (shown: string | undefined): ContextFacts => ({ from, raw: shown === undefined ? {} : { [from]: shown } })

describe('values of TR-098', () => {
  it.each(READS)('%s reads %j as %j', (name, raw, value) => {
    expect(readBy(name, raw, { from })).toBe(value)
  })

  it.each(WRITES)('%s writes %j as %j where the device shows %j', (name, value, written, shown) => {
    expect(writtenBy(name, value, shows(shown))).toBe(written)
  })

  it.each(REFUSALS)('%s refuses %j', (name, value, message, shown) => {
    const refused = refusedBy(name, value, shows(shown))
    expect(refused?.message).toMatch(message)
    expect(refused?.source).toBe(from)
  })

  it('says no secret in a refusal', () => {
    for (const name of ['passphrase', 'pskHex', 'wepKeyHex', 'pinPad'])
      expect(refusedBy(name, 'topsec', { from })?.message).not.toContain('topsec')
  })
})

describe('hex digits of a vendor and of a country', () => {
  it.each([
    ['XTURVendor', '4244434D', '4244434D'],
    ['XTURVendor', '0x4244434d', '4244434D'],
    ['XTURVendor', '44434D', '0044434D'],
    ['XTURVendor', 'BDCM', '4244434D'],
    ['XTURCountry', 'B5', '00B5'],
    ['XTURCountry', '0F 00', '0F00'],
    ['XTURVendor', '4244434D0000', undefined],
    ['XTURCountry', 'odd', undefined],
    ['XTURVendor', '', undefined],
  ])('%s reads %j as %j', (leaf, raw, value) => {
    expect(readBy('hexString', raw, { to: `Device.DSL.Line.1.${leaf}` })).toBe(value)
  })
})

describe('options of a host', () => {
  const host = `${IGD}LANDevice.1.Hosts.Host.1.`
  it.each([
    ['VendorClassID', 'MSFT 5.0', '4D53465420352E30'],
    ['VendorClassID', 'abcd', '61626364'],
    ['ClientID', '01AABBCC000001', '01AABBCC000001'],
    ['UserClassID', 'tv!', '747621'],
    ['ClientID', '', undefined],
  ])('%s reads %j as %j', (leaf, raw, value) => {
    expect(readBy('optHex', raw, { from: host + leaf })).toBe(value)
  })
})

describe('states of tests', () => {
  const read = (raw: string, test: string) => readBy('diagState', raw, { to: `Device.${test}.DiagnosticsState` })

  it('keeps a plain error where TR-181 has it, and calls it another error where not', () => {
    expect(read('Error', 'IP.Diagnostics.IPPing')).toBe('Error')
    expect(read('Error', 'DSL.Diagnostics.ADSLLineTest')).toBe('Error')
    expect(read('Error', 'IP.Diagnostics.DownloadDiagnostics')).toBe('Error_Other')
    expect(read('Error', 'IP.Diagnostics.UploadDiagnostics')).toBe('Error_Other')
    expect(read('Error', 'DNS.Diagnostics.NSLookupDiagnostics')).toBe('Error_Other')
    expect(read('Error', 'SelfTestDiagnostics')).toBe('Error_Other')
  })

  it('passes the errors that the test has in TR-181', () => {
    expect(read('Error_CannotResolveHostName', 'IP.Diagnostics.IPPing')).toBe('Error_CannotResolveHostName')
    expect(read('Error_MaxHopCountExceeded', 'IP.Diagnostics.TraceRoute')).toBe('Error_MaxHopCountExceeded')
    expect(read('Error_NoSTOR', 'IP.Diagnostics.UploadDiagnostics')).toBe('Error_NoSTOR')
    expect(read('Error_DNSServerNotResolved', 'DNS.Diagnostics.NSLookupDiagnostics')).toBe('Error_DNSServerNotResolved')
    expect(read('Error_NoSTOR', 'IP.Diagnostics.DownloadDiagnostics')).toBe('Error_Other')
    expect(read('Error_Vendor', 'IP.Diagnostics.IPPing')).toBe('Error_Other')
    expect(read('Error_Internal', 'SelfTestDiagnostics')).toBe('Error_Internal')
  })
})

describe('the level of the firewall', () => {
  const config = 'Device.Firewall.Config'
  const enable = 'Device.Firewall.Enable'
  const source = `${IGD}Firewall.Config`

  it('keeps its last value while the firewall is off', () => {
    const previous = { raw: 'High', value: 'High', at: 0 }
    expect(readBy('firewallConfig', 'Off', { previous })).toBe('High')
  })

  it('comes back with the switch', () => {
    const off = { from: source, raw: { [source]: 'Off' } }
    expect(writtenBy('firewallEnable', 'true', { ...off, to: enable, mapped: { [config]: 'Low' } })).toBe('Low')
    expect(writtenBy('firewallEnable', 'true', { ...off, to: enable, requested: { [config]: 'High' } })).toBe('High')
    expect(writtenBy('firewallConfig', 'High', { ...off, to: config, requested: { [enable]: '1' } })).toBe('High')
  })

  it('agrees with the switch in one request', () => {
    const facts = { from: source, to: enable, raw: { [source]: 'High' }, requested: { [config]: 'Low' } }
    expect(writtenBy('firewallEnable', 'true', facts)).toBe('Low')
    const off = { ...facts, to: config, requested: { [enable]: 'false' } }
    expect(refusedBy('firewallConfig', 'Low', off)?.message).toMatch(/firewall is off/)
  })
})
