import type { HomeDevice } from '../../families/home.ts'
import { isFrom } from '../menus/life.ts'
import type { Filling } from './fill.ts'
import { radioName } from './network.ts'

/** Radios of the `wifi` driver, each with the network of the home, and a guest network that is switched off. */
export function fillWifi(filling: Filling): void {
  const { facts, home } = filling
  const { board, version } = facts.profile
  const root = isFrom(version, 7, 13) ? '/interface/wifi' : '/interface/wifiwave2'
  filling.add(`${root}/configuration`, {
    name: 'home',
    country: 'Latvia',
    mode: 'ap',
    'security.authentication-types': 'wpa2-psk,wpa3-psk',
    'security.passphrase': home.wifiKey,
    disabled: 'false',
  })
  board.radios.forEach(({ frequency, band, width }, n) => {
    const is5 = frequency > 5000
    const name = radioName(filling, n)
    const mac = home.mac(0x10 + n)
    filling.interface(
      'wifi',
      name,
      {
        'default-name': name,
        l2mtu: '1560',
        'mac-address': mac,
        'radio-mac': mac,
        configuration: 'home',
        'configuration.ssid': is5 ? home.ssid5 : home.ssid,
        'channel.band': band,
        'channel.width': width,
        'channel.skip-dfs-channels': '10min-cac',
        '~frequency': String(frequency),
        '~width': width,
        comment: 'defconf',
      },
      is5 ? [30_000, 280_000] : [6_000, 40_000],
    )
    filling.add(`${root}/radio`, {
      'radio-mac': mac,
      'phy-id': String(n),
      'tx-chains': '0,1',
      'rx-chains': '0,1',
      bands: is5
        ? '5ghz-a:20mhz,5ghz-n:20/40mhz,5ghz-ac:20/40/80mhz,5ghz-ax:20/40/80mhz'
        : '2ghz-g:20mhz,2ghz-n:20/40mhz,2ghz-ax:20/40mhz',
      ciphers: 'tkip,ccmp,gcmp,ccmp-256,gcmp-256,cmac,gmac',
      countries: 'all',
      ...(is5
        ? { '5g-channels': '5180,5200,5220,5240,5260,5280,5300,5320,5500,5520,5540,5560,5580,5745,5765,5785,5805' }
        : { '2g-channels': '2412,2417,2422,2427,2432,2437,2442,2447,2452,2457,2462,2467,2472' }),
      'hw-type': 'QCN6102',
      'hw-caps': 'sniffer',
      interface: name,
      'current-channels': is5 ? '5180/a,5180/an/Ce,5180/ac/Ceee,5180/ax/Ceee' : '2437/g,2437/gn,2437/ax',
      'current-max-reg-power': is5 ? '23' : '20',
      local: 'true',
    })
    for (const device of home.devices)
      if (device.band === (is5 ? '5GHz' : '2.4GHz')) addWifiClient(filling, root, name, device, is5)
  })
  const guest = radioName(filling, board.radios.length)
  filling.interface(
    'wifi',
    guest,
    {
      'master-interface': radioName(filling, board.radios.length - 1),
      'mac-address': home.mac(0x20),
      'configuration.ssid': 'guest',
      'configuration.mode': 'ap',
      'security.authentication-types': '',
      disabled: 'true',
    },
    [0, 0],
  )
  filling.add(`${root}/cap`, {
    enabled: 'false',
    'discovery-interfaces': '',
    'caps-man-addresses': '',
    certificate: 'none',
  })
  filling.add(`${root}/capsman`, { enabled: 'false', interfaces: '', 'package-path': '', 'upgrade-policy': 'none' })
}

function addWifiClient(filling: Filling, root: string, name: string, device: HomeDevice, is5: boolean): void {
  filling.add(`${root}/registration-table`, {
    interface: name,
    'mac-address': device.mac,
    'auth-type': 'wpa2-psk',
    band: is5 ? '5ghz-ax' : '2ghz-n',
    '~dbm': String(device.rssiDbm),
    '~spread': '3',
    '~since': String(filling.facts.now - 600_000),
    '~top': is5 ? '1201000000' : '286800000',
    '~tx': String(Math.round(40_000 * filling.part(device.mac))),
    '~rx': String(Math.round(8_000 * filling.part(device.mac))),
    dynamic: 'true',
  })
}

/** Radios of the legacy driver, and the profile of their key. */
export function fillWireless(filling: Filling): void {
  const { facts, home } = filling
  const profiles = '/interface/wireless/security-profiles'
  filling.add(profiles, {
    name: 'default',
    mode: 'dynamic-keys',
    'authentication-types': 'wpa2-psk',
    'unicast-ciphers': 'aes-ccm',
    'group-ciphers': 'aes-ccm',
    'wpa-pre-shared-key': '',
    'wpa2-pre-shared-key': home.wifiKey,
    'management-protection': 'disabled',
    'supplicant-identity': 'MikroTik',
    default: 'true',
  })
  filling.add(profiles, {
    name: 'guest',
    mode: 'none',
    'authentication-types': '',
    'unicast-ciphers': '',
    'group-ciphers': '',
    'wpa-pre-shared-key': '',
    'wpa2-pre-shared-key': '',
    'management-protection': 'disabled',
    'supplicant-identity': '',
    default: 'false',
  })
  facts.profile.board.radios.forEach(({ frequency, band, width }, n) => {
    const is5 = frequency > 5000
    const name = radioName(filling, n)
    filling.interface(
      'wlan',
      name,
      {
        'default-name': name,
        mtu: '1500',
        l2mtu: '1600',
        'mac-address': home.mac(0x10 + n),
        arp: 'enabled',
        'interface-type': is5 ? 'IPQ4019' : 'IPQ4019',
        mode: 'ap-bridge',
        ssid: is5 ? home.ssid5 : home.ssid,
        frequency: n === 0 ? 'auto' : String(frequency),
        band,
        'channel-width': width,
        'scan-list': 'default',
        'wireless-protocol': '802.11',
        'security-profile': 'default',
        'hide-ssid': 'false',
        country: 'latvia',
        installation: 'indoor',
        'tx-power-mode': 'default',
        'default-forwarding': 'true',
        'default-authentication': 'true',
        'max-station-count': '2007',
        'vlan-mode': 'no-tag',
        'vlan-id': '1',
        'wps-mode': 'disabled',
        'bridge-mode': 'enabled',
        '~frequency': String(frequency),
      },
      is5 ? [30_000, 200_000] : [6_000, 40_000],
    )
    for (const device of home.devices)
      if (device.band === (is5 ? '5GHz' : '2.4GHz'))
        filling.add('/interface/wireless/registration-table', {
          interface: name,
          'mac-address': device.mac,
          'radio-name': '',
          'authentication-type': 'wpa2-psk',
          encryption: 'aes-ccm',
          'last-ip': device.ip,
          '~dbm': String(device.rssiDbm),
          '~spread': '3',
          '~since': String(facts.now - 600_000),
          '~tx': String(Math.round(30_000 * filling.part(device.mac))),
          '~rx': String(Math.round(8_000 * filling.part(device.mac))),
          dynamic: 'true',
        })
  })
}
