import { describe, expect, it } from 'vitest'
import { RecordOnly } from '../../../support/live-facts.ts'

const WIFI = {
  'Device.WiFi.Radio.1.OperatingFrequencyBand': '2.4GHz',
  'Device.WiFi.Radio.2.OperatingFrequencyBand': '5GHz',
  'Device.WiFi.Radio.3.Channel': '6',
  'Device.WiFi.SSID.1.SSID': 'Casa',
  'Device.WiFi.SSID.1.Enable': 'true',
  'Device.WiFi.SSID.1.LowerLayers': 'Device.WiFi.Radio.1.',
  'Device.WiFi.SSID.2.SSID': 'Casa',
  'Device.WiFi.SSID.2.LowerLayers': 'Device.WiFi.Radio.2',
  'Device.WiFi.SSID.3.SSID': 'Guests',
  'Device.WiFi.SSID.3.Enable': '0',
  'Device.WiFi.SSID.3.LowerLayers': 'Device.WiFi.Radio.2',
  'Device.WiFi.SSID.4.SSID': 'Attic',
  'Device.WiFi.SSID.4.LowerLayers': 'Device.WiFi.Radio.3',
  'Device.WiFi.AccessPoint.1.AssociatedDevice.1.MACAddress': 'AA:00:00:00:00:01',
  'Device.WiFi.AccessPoint.1.AssociatedDevice.2.MACAddress': 'AA:00:00:00:00:02',
  'Device.WiFi.AccessPoint.2.AssociatedDevice.1.MACAddress': 'AA:00:00:00:00:03',
  'Device.WiFi.AccessPoint.2.AssociatedDevice.1.Active': 'false',
}

describe('the networks at home', () => {
  it('have the SSIDs that are enabled, by band, and the stations', () => {
    expect(new RecordOnly().report(WIFI).wifi).toMatchObject({
      ssids: ['Casa', 'Attic'],
      ssids2g: ['Casa', 'Attic'],
      ssids5g: ['Casa'],
      stations: 2,
    })
  })

  it('count stations by the numbers that the device gives, where it does', () => {
    const values = {
      ...WIFI,
      'Device.WiFi.AccessPoint.1.AssociatedDeviceNumberOfEntries': '3',
      'Device.WiFi.AccessPoint.2.AssociatedDeviceNumberOfEntries': '4',
    }
    expect(new RecordOnly().report(values).wifi?.stations).toBe(7)
  })

  it('follow a new name, a new host and a host that is gone', () => {
    const record = new RecordOnly()
    record.report({ ...WIFI, 'Device.Hosts.Host.1.Active': 'true', 'Device.Hosts.Host.2.Active': 'false' })
    expect(record.device.lan).toMatchObject({ activeHosts: 1 })
    expect(record.report({ 'Device.WiFi.SSID.2.SSID': 'Fast' }).wifi?.ssids5g).toEqual(['Fast'])
    expect(record.report({ 'Device.Hosts.Host.2.Active': 'true' }).lan?.activeHosts).toBe(2)
    expect(record.change({ dropSubtrees: ['Device.Hosts.Host.1.'] }).lan?.activeHosts).toBe(1)
  })

  it('have the number of hosts where no row says whether it is active', () => {
    const record = new RecordOnly()
    expect(record.report({ 'Device.Hosts.HostNumberOfEntries': '5' }).lan?.activeHosts).toBe(5)
    expect(record.report({ 'Device.Hosts.HostNumberOfEntries': '6' }).lan?.activeHosts).toBe(6)
  })
})

describe('the device itself', () => {
  const INFO = 'Device.DeviceInfo.'

  it('has its start, CPU and memory', () => {
    const values = {
      [`${INFO}UpTime`]: '100',
      [`${INFO}ProcessStatus.CPUUsage`]: '17',
      [`${INFO}MemoryStatus.Total`]: '262144',
      [`${INFO}MemoryStatus.Free`]: '65536',
    }
    const record = new RecordOnly()
    expect(record.report(values, 1_000_000).system).toMatchObject({
      upSince: 900_000,
      cpuPercent: 17,
      memoryUsedPercent: 75,
    })
    const { reads } = record
    record.report({ [`${INFO}MemoryStatus.Free`]: '131072', [`${INFO}UpTime`]: '401' }, 1_300_900)
    expect(record.device.system).toMatchObject({ upSince: 900_000, memoryUsedPercent: 50 })
    expect(record.reads).toBe(reads)
    expect(record.report({ [`${INFO}UpTime`]: '5' }, 2_000_000).system?.upSince).toBe(1_995_000)
  })

  it('has no reading that is not plausible', () => {
    const values = {
      [`${INFO}ProcessStatus.CPUUsage`]: '4294967295',
      [`${INFO}MemoryStatus.Total`]: '0',
      [`${INFO}MemoryStatus.Free`]: '10',
      [`${INFO}UpTime`]: 'n/a',
    }
    const { sources: _sources, ...facts } = new RecordOnly().report(values).system ?? {}
    expect(facts).toEqual({ memoryFreeKib: 10 })
  })
})

describe('a value that is stored already', () => {
  it('makes nothing new, except a time since which something holds', () => {
    const record = new RecordOnly()
    record.report({ ...WIFI, 'Device.DeviceInfo.UpTime': '100' }, 1_000_000)
    const { reads } = record
    record.report({ ...WIFI, 'Device.DeviceInfo.UpTime': '100' }, 9_000_000)
    expect(record.reads).toBe(reads)
    expect(record.device.system?.upSince).toBe(8_900_000)
    record.report({ 'Device.WiFi.SSID.1.SSID': 'New' })
    expect(record.device.wifi?.ssids2g).toEqual(['New', 'Attic'])
  })

  it('is the same in the other form of a boolean, as two protocols write it', () => {
    const enable = 'Device.IP.Interface.1.Enable'
    const record = new RecordOnly()
    record.report({ [enable]: 'true' })
    const { reads } = record
    record.report({ [enable]: '1' })
    expect(record.reads).toBe(reads)
    record.report({ [enable]: '0' })
    expect(record.reads).toBeGreaterThan(reads)
  })
})
