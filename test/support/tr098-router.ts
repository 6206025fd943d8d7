/** A value of a device's own tree. */
export interface TreeValue {
  path: string
  value: string
}

/** Returns the parameters below an object, given as `name: value` with nested names. */
export function under(object: string, values: Record<string, string | number | boolean>): TreeValue[] {
  return Object.entries(values).map(([name, value]) => ({ path: object + name, value: String(value) }))
}

const IGD = 'InternetGatewayDevice.'
const LAN = `${IGD}LANDevice.1.`
const WAN = `${IGD}WANDevice.1.`

/** One radio network as TR-098 routers report it: a WPA2 home network, or an unused one. */
function network(n: number, ssid: string, channel: number, standard: string, on: boolean): TreeValue[] {
  return under(`${LAN}WLANConfiguration.${n}.`, {
    Enable: on,
    Status: on ? 'Up' : 'Disabled',
    BSSID: `02:10:18:01:02:0${n}`,
    MaxBitRate: 'Auto',
    Channel: channel,
    AutoChannelEnable: channel === 0,
    SSID: ssid,
    BeaconType: on ? '11i' : 'None',
    MACAddressControlEnabled: false,
    Standard: standard,
    WEPKeyIndex: 1,
    KeyPassphrase: '',
    BasicEncryptionModes: 'None',
    BasicAuthenticationMode: 'None',
    WPAEncryptionModes: 'TKIPEncryption',
    WPAAuthenticationMode: 'PSKAuthentication',
    IEEE11iEncryptionModes: 'AESEncryption',
    IEEE11iAuthenticationMode: 'PSKAuthentication',
    PossibleChannels: channel > 14 ? '36,40,44,48' : '1-13',
    SSIDAdvertisementEnabled: true,
    RadioEnabled: true,
    TransmitPower: 100,
    RegulatoryDomain: 'DE',
    TotalBytesSent: 1000 * n,
    TotalBytesReceived: 2000 * n,
    TotalAssociations: on ? 1 : 0,
    'PreSharedKey.1.PreSharedKey': '',
    'PreSharedKey.1.KeyPassphrase': '',
    'WEPKey.1.WEPKey': '',
    'Stats.ErrorsSent': n,
  })
}

/** A host as the Hosts table shows it. */
function host(n: number, mac: string, address: string, name: string, wireless: number | undefined): TreeValue[] {
  return under(`${LAN}Hosts.Host.${n}.`, {
    IPAddress: address,
    MACAddress: mac,
    HostName: name,
    Active: true,
    InterfaceType: wireless === undefined ? 'Ethernet' : '802.11',
    Layer2Interface:
      wireless === undefined
        ? 'InternetGatewayDevice.LANDevice.1.LANEthernetInterfaceConfig.1'
        : `InternetGatewayDevice.LANDevice.1.WLANConfiguration.${wireless}`,
    AddressSource: 'DHCP',
    LeaseTimeRemaining: 3600,
    VendorClassID: n === 1 ? 'android-dhcp-13' : '',
  })
}

/**
 * Returns the tree of a dual band TR-098 router over Ethernet, as such devices report it: four radio networks (1, 2 at
 * 2.4 GHz, 5, 6 at 5 GHz), four LAN ports, a management connection over IP and the internet connection over PPPoE.
 */
export function tr098Router(): TreeValue[] {
  const connection = `${WAN}WANConnectionDevice.`
  return [
    ...under(IGD, {
      DeviceSummary: 'InternetGatewayDevice:1.14[](Baseline:1)',
      LANDeviceNumberOfEntries: 1,
      WANDeviceNumberOfEntries: 1,
    }),
    ...under(`${IGD}DeviceInfo.`, {
      Manufacturer: 'Example',
      ManufacturerOUI: '021018',
      ModelName: 'R-2000',
      ProductClass: 'R2000',
      SerialNumber: 'R2000-000001',
      HardwareVersion: '1.0',
      SoftwareVersion: '3.2.1',
      ProvisioningCode: '',
      UpTime: 86400,
      'MemoryStatus.Total': 131072,
      'MemoryStatus.Free': 40000,
      'ProcessStatus.CPUUsage': 7,
    }),
    ...under(`${IGD}ManagementServer.`, {
      URL: 'http://acs.example/',
      PeriodicInformEnable: true,
      PeriodicInformInterval: 300,
      ConnectionRequestURL: 'http://100.64.0.9:7547/',
      ParameterKey: '',
    }),
    ...under(`${IGD}Time.`, { Enable: true, NTPServer1: 'ntp1.example', NTPServer2: '', LocalTimeZone: '+01:00' }),
    ...under(`${IGD}Layer3Forwarding.`, {
      DefaultConnectionService: `${connection}2.WANPPPConnection.1`,
      ForwardNumberOfEntries: 1,
      'Forwarding.1.Enable': true,
      'Forwarding.1.Status': 'Enabled',
      'Forwarding.1.DestIPAddress': '10.20.0.0',
      'Forwarding.1.DestSubnetMask': '255.255.0.0',
      'Forwarding.1.GatewayIPAddress': '192.168.1.254',
      'Forwarding.1.Interface': `${LAN}LANHostConfigManagement.IPInterface.1`,
    }),
    ...under(LAN, { LANEthernetInterfaceNumberOfEntries: 4, LANWLANConfigurationNumberOfEntries: 4 }),
    ...under(`${LAN}LANHostConfigManagement.`, {
      DHCPServerEnable: true,
      MinAddress: '192.168.1.33',
      MaxAddress: '192.168.1.199',
      SubnetMask: '255.255.255.0',
      DNSServers: '192.168.1.1',
      IPRouters: '192.168.1.1',
      DHCPLeaseTime: 86400,
      MACAddress: '02:10:18:01:02:03',
      IPInterfaceNumberOfEntries: 1,
      'IPInterface.1.Enable': true,
      'IPInterface.1.IPInterfaceIPAddress': '192.168.1.1',
      'IPInterface.1.IPInterfaceSubnetMask': '255.255.255.0',
      'IPInterface.1.IPInterfaceAddressingType': 'Static',
    }),
    ...[1, 2, 3, 4].flatMap((n) =>
      under(`${LAN}LANEthernetInterfaceConfig.${n}.`, {
        Enable: true,
        Status: n === 1 ? 'Up' : 'NoLink',
        MACAddress: '02:10:18:01:02:03',
        MaxBitRate: n === 1 ? '1000' : 'Auto',
        DuplexMode: 'Auto',
        'Stats.BytesSent': 123456 * n,
        'Stats.BytesReceived': 654321 * n,
      }),
    ),
    ...network(1, 'Home', 6, 'b,g,n', true),
    ...network(2, 'Guest', 6, 'b,g,n', false),
    ...network(5, 'Home 5G', 44, 'a,n,ac', true),
    ...network(6, 'Guest 5G', 44, 'a,n,ac', false),
    ...under(`${LAN}WLANConfiguration.5.AssociatedDevice.1.`, {
      AssociatedDeviceMACAddress: 'AA:BB:CC:00:00:01',
      AssociatedDeviceIPAddress: '192.168.1.40',
      AssociatedDeviceAuthenticationState: true,
      LastDataTransmitRate: '866',
    }),
    ...host(1, 'aa:bb:cc:00:00:01', '192.168.1.40', 'phone', 5),
    ...host(2, 'aa:bb:cc:00:00:02', '192.168.1.41', 'desktop', undefined),
    ...under(`${WAN}WANCommonInterfaceConfig.`, {
      WANAccessType: 'Ethernet',
      PhysicalLinkStatus: 'Up',
      Layer1UpstreamMaxBitRate: 1000000000,
      Layer1DownstreamMaxBitRate: 1000000000,
      TotalBytesSent: 1234,
      TotalBytesReceived: 5678,
    }),
    ...under(`${connection}1.WANIPConnection.1.`, {
      Enable: true,
      ConnectionStatus: 'Connected',
      ConnectionType: 'IP_Routed',
      Name: '1_TR069_R_VID_100',
      Uptime: 5000,
      NATEnabled: false,
      AddressingType: 'DHCP',
      ExternalIPAddress: '100.64.0.9',
      SubnetMask: '255.255.192.0',
      DefaultGateway: '100.64.0.1',
      DNSEnabled: true,
      DNSServers: '100.64.0.2',
      MaxMTUSize: 1500,
      MACAddress: '02:10:18:01:02:04',
    }),
    ...under(`${connection}2.WANPPPConnection.1.`, {
      Enable: true,
      ConnectionStatus: 'Connected',
      ConnectionType: 'IP_Routed',
      Name: '2_INTERNET_R_VID_200',
      Uptime: 4000,
      LastConnectionError: 'ERROR_NONE',
      NATEnabled: true,
      Username: 'customer@isp.example',
      Password: '',
      ExternalIPAddress: '203.0.113.7',
      RemoteIPAddress: '203.0.113.1',
      DefaultGateway: '203.0.113.1',
      DNSEnabled: true,
      DNSServers: '9.9.9.9,149.112.112.112',
      MaxMRUSize: 1492,
      MACAddress: '02:10:18:01:02:05',
      PortMappingNumberOfEntries: 1,
      'PortMapping.1.PortMappingEnabled': true,
      'PortMapping.1.ExternalPort': 8080,
      'PortMapping.1.InternalPort': 80,
      'PortMapping.1.InternalClient': '192.168.1.41',
      'PortMapping.1.PortMappingProtocol': 'TCP',
      'PortMapping.1.PortMappingDescription': 'web',
    }),
    ...under(`${connection}3.WANPPPConnection.1.`, {
      Enable: true,
      ConnectionStatus: 'Connected',
      ConnectionType: 'PPPoE_Bridged',
      Name: '3_OTHER_B_VID_300',
      Username: '',
    }),
  ]
}
