import type { RouterTables } from './table-router.ts'

/** A home router of version 7.18 with two ports, one radio, one virtual access point and one station. */
export const HOME_ROUTER: RouterTables = {
  '/system/resource': [
    {
      version: '7.18.2 (stable)',
      uptime: '1w2d3h4m5s',
      'board-name': 'hAP ax^3',
      'architecture-name': 'arm64',
      'total-memory': '1073741824',
      'free-memory': '900000000',
      'cpu-load': '7',
    },
  ],
  '/system/routerboard': [{ routerboard: 'true', model: 'C53UiG+5HPaxD2HPaxD', 'serial-number': 'HF9087ABCDE' }],
  '/system/identity': [{ name: 'attic' }],
  '/interface/ethernet': [
    { '.id': '*1', name: 'wan', 'default-name': 'ether1', 'mac-address': '48:a9:8a:00:00:01', running: 'true' },
    { '.id': '*2', name: 'ether2', 'default-name': 'ether2', 'mac-address': '48:A9:8A:00:00:02', disabled: 'true' },
  ],
  '/interface/ethernet/monitor': [
    { '.id': '*1', rate: '2.5Gbps', 'full-duplex': 'true' },
    { '.id': '*2', status: 'no-link' },
  ],
  '/interface': [
    { '.id': '*1', name: 'wan', type: 'ether', 'tx-byte': '18446744073709551615', 'rx-error': '4294967299' },
    { '.id': '*2', name: 'ether2', type: 'ether', 'tx-byte': '5', 'rx-error': '0' },
    { '.id': '*3', name: 'wifi1', type: 'wifi', 'tx-byte': '7' },
    { '.id': '*4', name: 'guest', type: 'wifi', 'tx-byte': '8' },
  ],
  '/interface/wifi': [
    {
      '.id': '*3',
      name: 'wifi1',
      'default-name': 'wifi1',
      'mac-address': '48:A9:8A:00:00:05',
      'radio-mac': '48:A9:8A:00:00:05',
      running: 'true',
      'configuration.ssid': 'home',
      'configuration.mode': 'ap',
      'channel.band': '5ghz-ax',
      'channel.frequency': '5180',
      'channel.width': '20/40/80mhz',
      'security.authentication-types': 'wpa2-psk,wpa3-psk',
      'security.passphrase': 'correct horse',
    },
    {
      '.id': '*4',
      name: 'guest',
      'mac-address': '4A:A9:8A:00:00:05',
      'master-interface': 'wifi1',
      running: 'true',
      'configuration.ssid': 'guests',
      'configuration.hide-ssid': 'true',
      'datapath.client-isolation': 'true',
    },
  ],
  '/interface/wifi/monitor': [
    { '.id': '*3', state: 'running', channel: '5180/ax/Ceee' },
    { '.id': '*4', state: 'running', channel: '5180/ax/Ceee' },
  ],
  '/interface/wifi/radio': [
    { interface: 'wifi1', bands: '5ghz-a:20mhz,5ghz-ax:20/40/80mhz', 'current-max-reg-power': '30' },
  ],
  '/interface/wifi/registration-table': [
    {
      '.id': '*9',
      interface: 'wifi1',
      'mac-address': '02:00:00:00:00:aa',
      signal: '-61',
      'tx-rate': '866.6Mbps-80MHz/2S/SGI',
      'rx-rate': '432300000',
      bytes: '123,456',
      packets: '12,34',
      uptime: '1h',
      band: '5ghz-ax',
      authorized: 'true',
    },
  ],
}
