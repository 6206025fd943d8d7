import { GATEWAY, HAP_AC2, HAP_AX3, RADIOS_AX } from './boards.ts'
import { Filling, fillFirewall, fillHealth, fillSystem } from './fill.ts'
import { manage, withDeviceMode } from './modes.ts'
import { fillLan, fillPorts, fillWan } from './network.ts'
import type { RouterProfile } from './profile.ts'
import { fillWifi, fillWireless } from './radios.ts'

const HEALTH = [
  ['voltage', '23.8', 'V'],
  ['cpu-temperature', '47', 'C'],
] as const

/** A gateway with the radios of the `wifi` driver. */
function wifiGateway(filling: Filling): void {
  fillSystem(filling)
  fillPorts(filling)
  fillWifi(filling)
  fillLan(filling)
  fillWan(filling, 'pppoe')
  fillFirewall(filling)
  fillHealth(filling, HEALTH)
}

const list: readonly RouterProfile[] = [
  {
    name: 'v6.49',
    sentence: 'RouterOS 6.49, radios of the legacy driver, PPPoE.',
    version: '6.49.17',
    board: HAP_AC2,
    parts: ['board', 'health', 'wireless', 'poe'],
    packages: ['routeros-arm', 'system', 'wireless', 'security', 'ppp', 'dhcp', 'advanced-tools'],
    fill(store, facts) {
      const filling = new Filling(store, facts)
      fillSystem(filling)
      fillPorts(filling)
      fillWireless(filling)
      fillLan(filling)
      fillWan(filling, 'pppoe')
      fillFirewall(filling)
      fillHealth(filling, [
        ['voltage', '24.1', 'V'],
        ['temperature', '41', 'C'],
      ])
    },
  },
  {
    name: 'v7.12',
    sentence: 'RouterOS 7.12 with wifiwave2, DHCP.',
    version: '7.12.1',
    offers: '7.18.2',
    board: { ...HAP_AX3, name: 'hAP ax^2', model: 'C52iG-5HaxD2HaxD' },
    parts: ['board', 'health', 'poe', 'wifiwave2'],
    packages: ['routeros', 'wifiwave2'],
    fill(store, facts) {
      const filling = new Filling(store, facts)
      fillSystem(filling)
      fillPorts(filling)
      fillWifi(filling)
      fillLan(filling)
      fillWan(filling, 'dhcp')
      fillFirewall(filling)
      fillHealth(filling, HEALTH)
    },
  },
  {
    name: 'v7.16',
    sentence: 'RouterOS 7.16 with wifi, PPPoE.',
    version: '7.16.1',
    offers: '7.18.2',
    board: HAP_AX3,
    parts: ['board', 'health', 'poe', 'wifi', 'deviceMode'],
    packages: ['routeros', 'wifi-qcom'],
    fill: (store, facts) => wifiGateway(withDeviceMode(new Filling(store, facts), 'advanced')),
  },
  {
    name: 'v7.18',
    sentence: 'RouterOS 7.18 with wifi, PPPoE.',
    version: '7.18.2',
    offers: '7.19.1',
    board: HAP_AX3,
    parts: ['board', 'health', 'poe', 'wifi', 'deviceMode'],
    packages: ['routeros', 'wifi-qcom'],
    fill: (store, facts) => wifiGateway(withDeviceMode(new Filling(store, facts), 'advanced')),
  },
  {
    name: 'chr',
    sentence: 'A cloud hosted router: no board, no sensors, no radios.',
    version: '7.18.2',
    board: {
      ...HAP_AX3,
      name: 'CHR QEMU Standard PC (i440FX + PIIX, 1996)',
      model: 'CHR',
      architecture: 'x86_64',
      npk: 'x86',
      cpu: 'QEMU',
      cpuCount: 2,
      cpuMhz: 2394,
      memory: 536_870_912,
      disk: 94_371_840,
      firmwareType: '',
      ports: ['ether1', 'ether2', 'ether3'],
      radios: [],
    },
    parts: ['cloud', 'deviceMode'],
    packages: ['routeros'],
    fill(store, facts) {
      const filling = withDeviceMode(new Filling(store, facts), 'advanced')
      fillSystem(filling, 'chr-pop-1')
      fillPorts(filling)
      fillLan(filling)
      fillWan(filling, 'dhcp')
      fillFirewall(filling)
    },
  },
  {
    name: 'lte',
    sentence: 'A router with an LTE modem and one radio.',
    version: '7.16.1',
    board: {
      ...HAP_AC2,
      name: 'LtAP mini',
      model: 'RB912R-2nD-LTm&R11e-LTE6',
      revision: '',
      architecture: 'mipsbe',
      npk: 'mipsbe',
      cpu: 'MIPS 24Kc V7.4',
      cpuCount: 1,
      cpuMhz: 650,
      memory: 67_108_864,
      firmwareType: 'ar9344L',
      oui: '744D28',
      ports: ['ether1', 'ether2'],
      radios: [{ frequency: 2412, band: '2ghz-b/g/n', width: '20/40mhz-Ce' }],
    },
    parts: ['board', 'health', 'lte', 'wireless'],
    packages: ['routeros', 'wireless'],
    fill(store, facts) {
      const filling = new Filling(store, facts)
      fillSystem(filling)
      fillPorts(filling)
      fillWireless(filling)
      const digits = (purpose: string, length: number) =>
        String(Math.floor(filling.part(purpose) * 10 ** length)).padStart(length, '0')
      filling.interface(
        'lte',
        'lte1',
        {
          'default-name': 'lte1',
          mtu: 'auto',
          'mac-address': '02:00:00:00:00:01',
          band: '',
          'nr-band': '',
          'network-mode': 'lte',
          pin: '',
          operator: '',
          'allow-roaming': 'false',
          'apn-profiles': 'default',
          '~imei': `35${digits('imei', 13)}`,
          '~imsi': `24701${digits('imsi', 10)}`,
          '~iccid': `8937101${digits('iccid', 12)}`,
        },
        [90_000, 12_000],
      )
      filling.add('/interface/lte/apn', {
        name: 'default',
        apn: 'internet',
        authentication: 'none',
        user: '',
        'ip-type': 'auto',
        'add-default-route': 'true',
        'default-route-distance': '2',
        'use-peer-dns': 'true',
        default: 'true',
      })
      fillLan(filling)
      fillWan(filling, 'lte')
      fillFirewall(filling)
      fillHealth(filling, [
        ['voltage', '12.1', 'V'],
        ['cpu-temperature', '38', 'C'],
      ])
    },
  },
  {
    name: 'cap',
    sentence: 'An access point that a CAPsMAN manages.',
    version: '7.18.2',
    board: { ...HAP_AX3, name: 'cAP ax', model: 'cAPGi-5HaxD2HaxD', ports: ['ether1', 'ether2'] },
    parts: ['board', 'health', 'wifi', 'deviceMode'],
    packages: ['routeros', 'wifi-qcom'],
    fill(store, facts) {
      const filling = withDeviceMode(new Filling(store, facts), 'advanced')
      fillSystem(filling, 'cap-lobby')
      fillPorts(filling)
      fillWifi(filling)
      fillLan(filling)
      fillWan(filling, 'dhcp')
      fillHealth(filling, HEALTH)
      manage(filling)
    },
  },
  {
    name: 'rb5009',
    sentence: 'RouterOS 7.18 on a switch router with PoE, fans and an SFP+ port with optics.',
    version: '7.18.2',
    board: {
      ...HAP_AX3,
      name: 'RB5009UPr+S+IN',
      model: 'RB5009UPr+S+',
      revision: 'r2',
      cpuMhz: 1400,
      firmwareType: '70x0',
      ports: [...GATEWAY, 'ether6', 'ether7', 'ether8', 'sfp-sfpplus1'],
      radios: [],
    },
    parts: ['board', 'health', 'poe', 'deviceMode'],
    packages: ['routeros'],
    fill(store, facts) {
      const filling = withDeviceMode(new Filling(store, facts), 'advanced')
      fillSystem(filling, 'core')
      fillPorts(filling)
      fillLan(filling)
      fillWan(filling, 'dhcp')
      fillFirewall(filling)
      fillHealth(filling, [
        ['voltage', '48.2', 'V'],
        ['cpu-temperature', '51', 'C'],
        ['board-temperature1', '43', 'C'],
        ['fan1-speed', '4200', 'RPM'],
        ['fan2-speed', '4170', 'RPM'],
        ['psu1-state', 'ok', ''],
        ['psu2-state', 'fail', ''],
        ['power-consumption', '18.4', 'W'],
        ['poe-out-consumption', '4.3', 'W'],
      ])
    },
  },
  {
    name: 'home',
    sentence: 'RouterOS 7.18 with wifi in the device mode `home`.',
    version: '7.18.2',
    offers: '7.19.1',
    board: {
      ...HAP_AX3,
      name: 'hAP ax lite',
      model: 'L41G-2axD',
      ports: GATEWAY.slice(0, 4),
      radios: RADIOS_AX.slice(1),
    },
    parts: ['board', 'wifi', 'health', 'deviceMode'],
    packages: ['routeros', 'wifi-qcom'],
    fill: (store, facts) => wifiGateway(withDeviceMode(new Filling(store, facts), 'home')),
  },
]

export const ROUTER_PROFILES = ['v6.49', 'v7.12', 'v7.16', 'v7.18', 'chr', 'lte', 'cap', 'rb5009', 'home'] as const
export type RouterProfileName = (typeof ROUTER_PROFILES)[number]

/** Returns a profile by its name. */
export function profileOf(name: RouterProfileName): RouterProfile {
  const found = list.find((profile) => profile.name === name)
  if (found === undefined) throw new Error(`there is no profile ${name}`)
  return found
}

/** Returns a line for each profile. */
export function describeRouterProfiles(): string {
  return list.map(({ name, sentence }) => `  ${name.padEnd(8)} ${sentence}`).join('\n')
}
