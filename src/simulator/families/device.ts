import {
  counter64,
  type FamilyContent,
  type Identity,
  identityOf,
  MANAGEMENT,
  type ObjectContent,
  r,
  w,
} from './family.ts'
import type { Home, HomeDevice } from './home.ts'

/** The objects that devices with the root Device have in common (TR-181). */

export const ROOT = 'Device.'

/** Identity, management, time, and the ping. */
export function base(facts: Identity, home: Home, info: ObjectContent = {}): FamilyContent {
  return {
    '': { RootDataModelVersion: '2.12' },
    'DeviceInfo.': {
      ...identityOf(facts, home),
      ...info,
    },
    'DeviceInfo.MemoryStatus.': { Total: '262144', Free: '98304' },
    'DeviceInfo.ProcessStatus.': { CPUUsage: '7' },
    'ManagementServer.': {
      ...MANAGEMENT,
      EnableCWMP: 'true',
    },
    'Time.': { Enable: 'true', NTPServer1: 'ntp.example.com', Status: 'Synchronized' },
    'IP.Diagnostics.': {},
    'IP.Diagnostics.IPPing.': {
      DiagnosticsState: 'None',
      Host: '',
      NumberOfRepetitions: '4',
      SuccessCount: '0',
      FailureCount: '0',
      AverageResponseTime: '0',
      MinimumResponseTime: '0',
      MaximumResponseTime: '0',
    },
  }
}

/** A port. */
export function port(home: Home, row: number, upstream = false): FamilyContent {
  return {
    'Ethernet.': { InterfaceNumberOfEntries: '0' },
    [`Ethernet.Interface.${row}.`]: {
      Enable: 'true',
      Status: row === 1 ? 'Up' : 'Down',
      Name: `eth${row - 1}`,
      Upstream: String(upstream),
      MACAddress: home.mac(0),
      MaxBitRate: '-1',
      DuplexMode: 'Auto',
    },
    [`Ethernet.Interface.${row}.Stats.`]: { BytesSent: counter64(home, 9_000), BytesReceived: counter64(home, 80_000) },
  }
}

/** An IP interface with one address, by DHCP unless `own` makes it another one. */
export function ipInterface(
  row: number,
  name: string,
  lower: string,
  address: string,
  own: { type?: string; more?: ObjectContent } = {},
): FamilyContent {
  return {
    'IP.': { InterfaceNumberOfEntries: '0' },
    [`IP.Interface.${row}.`]: {
      Enable: 'true',
      Status: 'Up',
      Name: name,
      Type: 'Normal',
      LowerLayers: `${ROOT}${lower}`,
      ...own.more,
    },
    [`IP.Interface.${row}.IPv4Address.1.`]: {
      Enable: 'true',
      Status: 'Enabled',
      IPAddress: address,
      SubnetMask: '255.255.255.0',
      AddressingType: own.type ?? 'DHCP',
    },
  }
}

/** A network of a radio of the same number, with its stations. */
export function wifi(home: Home, row: number, radio: number, ssid: string, band: HomeDevice['band']): FamilyContent {
  const point = `WiFi.AccessPoint.${row}.`
  const stations = home.devices.filter((device) => device.band === band)
  return {
    'WiFi.': { RadioNumberOfEntries: '0', SSIDNumberOfEntries: '0', AccessPointNumberOfEntries: '0' },
    [`WiFi.Radio.${radio}.`]: {
      Enable: 'true',
      Status: 'Up',
      Name: `ra${radio - 1}`,
      SupportedFrequencyBands: band ?? '',
      OperatingFrequencyBand: band ?? '',
      OperatingStandards: band === '5GHz' ? 'a,n,ac' : 'b,g,n',
      Channel: band === '5GHz' ? '44' : '9',
      AutoChannelEnable: 'true',
      OperatingChannelBandwidth: band === '5GHz' ? '80MHz' : '20MHz',
      TransmitPower: '100',
    },
    [`WiFi.SSID.${row}.`]: {
      Enable: 'true',
      Status: 'Up',
      Name: `ra${row}`,
      BSSID: home.mac(0x10 + row),
      SSID: ssid,
      LowerLayers: `${ROOT}WiFi.Radio.${radio}.`,
    },
    [point]: {
      Enable: 'true',
      Status: 'Enabled',
      SSIDReference: `${ROOT}WiFi.SSID.${row}.`,
      SSIDAdvertisementEnabled: 'true',
      AssociatedDeviceNumberOfEntries: '0',
    },
    [`${point}Security.`]: {
      ModesSupported: 'None,WPA2-Personal,WPA-WPA2-Personal,WPA3-Personal',
      ModeEnabled: 'WPA2-Personal',
      KeyPassphrase: '',
      SAEPassphrase: '',
    },
    'WiFi.AccessPoint.{i}.AssociatedDevice.{i}.': station(undefined),
    ...Object.fromEntries(stations.map((device, n) => [`${point}AssociatedDevice.${n + 1}.`, station(device)])),
  }
}

function station(device: HomeDevice | undefined): ObjectContent {
  return {
    MACAddress: device?.mac ?? '',
    AuthenticationState: 'true',
    LastDataDownlinkRate: '585000',
    LastDataUplinkRate: '433000',
    SignalStrength: String(device?.rssiDbm ?? 0),
    Active: 'true',
  }
}

/** The hosts of a home. */
export function hosts(home: Home, network: (device: HomeDevice) => string): FamilyContent {
  return {
    'Hosts.': { HostNumberOfEntries: '0' },
    ...Object.fromEntries(
      home.devices.map((device, n) => [
        `Hosts.Host.${n + 1}.`,
        {
          PhysAddress: device.mac,
          IPAddress: device.ip,
          HostName: device.name,
          Layer1Interface: `${ROOT}${network(device)}`,
          Active: 'true',
          InterfaceType: r(device.band === undefined ? 'Ethernet' : 'Wi-Fi'),
        },
      ]),
    ),
  }
}

/** Returns an account of the web page of a device. */
export function user(row: number, name: string): FamilyContent {
  return { 'Users.': { UserNumberOfEntries: '0' }, [`Users.User.${row}.`]: { Username: name, Password: w('') } }
}
