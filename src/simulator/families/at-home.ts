import { base, ipInterface, port, ROOT, wifi } from './device.ts'
import { type DeviceFamily, r, w } from './family.ts'

/** Devices behind a router: an access point of a mesh, a set-top box, a camera. */

const MESH = {
  manufacturer: 'Intelbras',
  oui: '58108C',
  productClass: 'Twibi Force',
  model: 'Twibi Force AX',
  hardwareVersion: '1.0',
  softwareVersions: ['1.1.14', '1.1.9'],
} as const

/** An access point of a mesh: no WAN, and the backhaul below DataElements. Every value is a string to it. */
export const MESH_AP: DeviceFamily = {
  ...MESH,
  sentence: 'Intelbras Twibi Force AX, access point of a mesh: takes and sends every value as a string',
  root: ROOT,
  version: '1.2',
  serial: (seed, index) => `TWB${String(seed).padStart(3, '0')}${String(index).padStart(6, '0')}`,
  habits: ['onlyStrings'],
  tree: (home) => ({
    ...base(MESH, home),
    ...port(home, 1),
    ...ipInterface(1, 'br0', 'Ethernet.Interface.1.', home.managementIp),
    ...wifi(home, 1, 1, home.ssid, '2.4GHz'),
    ...wifi(home, 2, 2, home.ssid5, '5GHz'),
    'WiFi.DataElements.Network.': { ID: home.serial, DeviceNumberOfEntries: '0' },
    'WiFi.DataElements.Network.Device.1.': { ID: home.mac(0), MultiAPCapabilities: '' },
    'WiFi.DataElements.Network.Device.1.MultiAPDevice.Backhaul.': {
      LinkType: 'Wi-Fi',
      BackhaulMACAddress: home.mac(5),
    },
  }),
}

const STB_FACTS = {
  manufacturer: 'Kaon',
  oui: '68C63A',
  productClass: 'STB-4K',
  model: 'KSTB6020',
  hardwareVersion: '2.1',
  softwareVersions: ['4.8.2', '4.7.0'],
} as const

/** A set-top box (TR-135). */
export const STB: DeviceFamily = {
  ...STB_FACTS,
  sentence: 'Kaon KSTB6020, set-top box with an STBService',
  root: ROOT,
  version: '1.2',
  serial: (seed, index) => `KST${String(seed).padStart(3, '0')}${String(index).padStart(6, '0')}`,
  habits: ['booleanLiterals'],
  tree: (home) => ({
    ...base(STB_FACTS, home),
    ...port(home, 1),
    ...ipInterface(1, 'eth0', 'Ethernet.Interface.1.', home.managementIp),
    'Services.': { STBServiceNumberOfEntries: r(1, 'unsignedInt') },
    'Services.STBService.1.': { Enable: w('true', 'boolean') },
    'Services.STBService.1.Components.HDMI.1.': {
      Enable: w('true', 'boolean'),
      Status: r('Enabled'),
      ResolutionMode: w('Best'),
    },
    'Services.STBService.1.ServiceMonitoring.MainStream.1.': { Status: r('Enabled'), ServiceType: w('IPTV') },
  }),
}

const CAMERA_FACTS = {
  manufacturer: 'Vivotek',
  oui: '0002D1',
  productClass: 'IP-Camera',
  model: 'IB9365',
  hardwareVersion: '1.0',
  softwareVersions: ['0124c', '0121a'],
} as const

/** A camera: nothing of its tree but its name says what it is. */
export const CAMERA: DeviceFamily = {
  ...CAMERA_FACTS,
  sentence: 'Vivotek IB9365, camera: only its product class says so',
  root: ROOT,
  version: '1.0',
  serial: (seed, index) => `0002D1${String(seed).padStart(3, '0')}${index.toString(16).toUpperCase().padStart(4, '0')}`,
  tree: (home) => ({
    ...base(CAMERA_FACTS, home),
    ...port(home, 1),
    ...ipInterface(1, 'eth0', 'Ethernet.Interface.1.', home.managementIp),
    'X_VIVOTEK_Video.Stream.1.': { Enable: w('true', 'boolean'), Codec: w('H.265'), Resolution: w('1920x1080') },
  }),
}
