import { createHash } from 'node:crypto'

/** A device that is associated or plugged in. */
export interface HomeDevice {
  mac: string
  name: string
  ip: string
  /** undefined: by cable. */
  band: '2.4GHz' | '5GHz' | undefined
  rssiDbm: number
}

/** The household and the line of one device: everything in which devices of a family differ, the same for the same serial number. */
export interface Home {
  serial: string
  /** MAC address of an interface, with colons. */
  mac(interfaceNumber: number): string
  /** A number from 0 to below 1 that stays the same for a purpose. */
  part(purpose: string): number
  pppUser: string
  ssid: string
  ssid5: string
  wifiKey: string
  vlan: number
  wanIp: string
  /** Of the connection by which the device is managed, where it is another one. */
  managementIp: string
  rxDbm: number
  txDbm: number
  temperatureC: number
  /** False: the access server refuses the password. */
  loginAccepted: boolean
  devices: readonly HomeDevice[]
}

const FAMILIES = ['souza', 'budi', 'keller', 'diaz', 'nowak', 'okafor', 'lindgren', 'rossi', 'tanaka', 'costa']
const GADGETS = ['Pixel-7', 'iPhone', 'Galaxy-A12', 'ThinkPad', 'Chromecast', 'raspberrypi', 'EPSON-L3150', 'PS5']

/** Returns the household of the device with this serial number; `oui` is of six hex digits. */
export function homeOf(serial: string, oui: string, index: number, lanPrefix = '192.168.1.'): Home {
  const digest = (purpose: string) => createHash('sha256').update(`${serial}|${purpose}`).digest()
  const part = (purpose: string) => digest(purpose).readUInt32BE() / 2 ** 32
  const pick = (purpose: string, from: readonly string[]) => from[Math.floor(part(purpose) * from.length)] ?? ''
  const tail = digest('mac').toString('hex').slice(0, 4).toUpperCase()
  const mac = (interfaceNumber: number) => colons(`${oui}${tail}${hex(interfaceNumber)}`)
  const name = pick('family', FAMILIES)
  const ssid = `${name}-${tail}`
  const loginAccepted = index % 8 !== 5
  return {
    serial,
    mac,
    part,
    pppUser: `${name}${Math.floor(part('user') * 9000) + 1000}@fibra.example`,
    ssid,
    ssid5: `${ssid}-5G`,
    wifiKey: `key-${tail.toLowerCase()}-${hex(index).toLowerCase()}`,
    vlan: 100 + Math.floor(part('vlan') * 8) * 10,
    wanIp: loginAccepted ? addressAfter(serial, 0) : '0.0.0.0',
    managementIp: `10.${20 + Math.floor(part('net') * 200)}.${Math.floor(part('m1') * 250)}.${2 + Math.floor(part('m2') * 250)}`,
    // One line in nine is bad.
    rxDbm: index % 9 === 4 ? -28.2 : -17 - part('rx') * 7,
    txDbm: 1.8 + part('tx') * 0.9,
    temperatureC: 38 + Math.floor(part('temperature') * 14),
    loginAccepted,
    devices: [0, 1, 2, 3].map((n) => ({
      mac: colons(`A483E7${tail}${hex(n + 1)}`),
      name: GADGETS[(index + n * 3) % GADGETS.length] ?? '',
      ip: `${lanPrefix}${20 + n}`,
      band: (['5GHz', '2.4GHz', undefined, '5GHz'] as const)[n],
      rssiDbm: -48 - Math.floor(part(`rssi${n}`) * 30),
    })),
  }
}

/** Returns the address that the n-th connection of a device gets, of the ranges of RFC 5737. */
export function addressAfter(serial: string, connections: number): string {
  const bytes = createHash('sha256').update(`${serial}|${connections}`).digest()
  return `${(bytes[0] ?? 0) < 128 ? '203.0.113' : '198.51.100'}.${2 + ((bytes[1] ?? 0) % 250)}`
}

function hex(byte: number): string {
  return (byte % 256).toString(16).toUpperCase().padStart(2, '0')
}

function colons(digits: string): string {
  return (digits.match(/../g) ?? []).join(':')
}
