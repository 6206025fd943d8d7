import {
  CHANGE,
  CHANGE_UNSET,
  COMMENT,
  MONITOR,
  menu,
  type Property,
  READ,
  ROWS,
  read,
  reads,
  rowVerb,
  secret,
  write,
} from '../form/menu.ts'
import {
  BOOLEAN,
  eitherOf,
  INTERFACE,
  integerOf,
  listOf,
  MAC,
  MHZ,
  NAME,
  oneOf,
  optional,
  textOf,
} from '../form/value-kinds.ts'

const SSID = { ...textOf(32, 1), expects: 'an SSID of 1 to 32 bytes' }
const KEY = { ...optional(textOf(63, 8)), expects: 'a key of 8 to 63 bytes' }
const AUTHENTICATION = listOf(
  oneOf('wpa-psk', 'wpa2-psk', 'wpa3-psk', 'owe', 'wpa-eap', 'wpa2-eap', 'wpa3-eap', 'wpa3-eap-192'),
  4,
)
const PROTECTION = oneOf('disabled', 'allowed', 'required')
const WIDTH = oneOf(
  '20mhz',
  '20/40mhz',
  '20/40mhz-Ce',
  '20/40mhz-eC',
  '20/40/80mhz',
  '20/40/80+80mhz',
  '20/40/80/160mhz',
  '20/40/80/160/320mhz',
)
/** Bands of the `wifi` menu. */
const BAND = oneOf(
  '2ghz-g',
  '2ghz-n',
  '2ghz-ax',
  '2ghz-be',
  '5ghz-a',
  '5ghz-an',
  '5ghz-n',
  '5ghz-ac',
  '5ghz-ax',
  '5ghz-be',
  '6ghz-ax',
  '6ghz-be',
)
const WIRELESS_WIDTH = oneOf(
  '5mhz',
  '10mhz',
  '20mhz',
  '20/40mhz-Ce',
  '20/40mhz-eC',
  '20/40mhz-XX',
  '20/40/80mhz-Ceee',
  '20/40/80mhz-eCee',
  '20/40/80mhz-eeCe',
  '20/40/80mhz-eeeC',
  '20/40/80mhz-XXXX',
)
const DBM = integerOf(-30, 40)
const CLIENTS = integerOf(1, 2007)

const CONFIGURATION = {
  ssid: write(SSID),
  country: write(textOf(64, 1)),
  'hide-ssid': write(BOOLEAN),
  'tx-power': write(DBM),
  'max-clients': write(CLIENTS),
  ...reads('mode', 'manager'),
}
const CHANNEL = {
  // Several frequencies and ranges may stand there; the bridge writes one.
  frequency: write(MHZ),
  band: write(BAND),
  width: write(WIDTH),
  ...reads('skip-dfs-channels'),
}
const SECURITY = {
  'authentication-types': write(AUTHENTICATION),
  passphrase: secret(KEY),
  wps: write(oneOf('disable', 'push-button')),
  'management-protection': write(PROTECTION),
  ...reads('ft'),
}
const DATAPATH = { 'client-isolation': write(BOOLEAN), ...reads('bridge', 'vlan-id') }

type Dotted<P extends string, T> = { readonly [N in keyof T & string as `${P}.${N}`]: Property }

function dotted<P extends string, T extends Readonly<Record<string, Property>>>(
  prefix: P,
  properties: T,
): Dotted<P, T> {
  const entries = Object.entries(properties).map(([name, property]) => [`${prefix}.${name}`, property])
  return Object.fromEntries(entries) as Dotted<P, T>
}

const PARTS = {
  ...dotted('channel', CHANNEL),
  ...dotted('security', SECURITY),
  ...dotted('datapath', DATAPATH),
}

/** The menus of Wi-Fi since RouterOS 7.13; `wifiwave2` before had the same below another path. */
const wifi = {
  interfaces: menu(
    {
      ...PARTS,
      ...dotted('configuration', CONFIGURATION),
      name: read(INTERFACE),
      'default-name': read(INTERFACE),
      'mac-address': read(MAC),
      'radio-mac': read(MAC),
      disabled: write(BOOLEAN),
      comment: read(COMMENT),
      ...reads('master-interface', 'master', 'bound', 'network', 'cap', 'running', 'dynamic', 'inactive'),
      ...reads('configuration', 'channel', 'security', 'datapath'),
      ...reads('state', 'registered-peers', 'authorized-peers', 'tx-power'),
    },
    { ...CHANGE_UNSET, monitor: MONITOR, 'wps-push-button': rowVerb(2) },
  ),
  /** Values with those that come from profiles; from 7.15 they are in the menu of the interfaces. */
  actual: menu({ ...PARTS, ...dotted('configuration', CONFIGURATION), name: read(INTERFACE) }, { print: READ.print }),
  configuration: menu(
    {
      ...PARTS,
      ...CONFIGURATION,
      name: read(NAME),
      ...reads('channel', 'security', 'datapath', 'disabled'),
    },
    CHANGE_UNSET,
  ),
  channel: menu({ ...CHANNEL, name: read(NAME), ...reads('disabled') }, CHANGE_UNSET),
  security: menu({ ...SECURITY, name: read(NAME), ...reads('disabled') }, CHANGE_UNSET),
  datapath: menu({ ...DATAPATH, name: read(NAME), ...reads('disabled') }, CHANGE_UNSET),
  radio: menu(
    reads(
      'radio-mac',
      'interface',
      'bands',
      '2g-channels',
      '5g-channels',
      '6g-channels',
      'countries',
      'current-country',
      'current-channels',
      'current-max-reg-power',
      'tx-chains',
      'hw-type',
      'cap',
    ),
    READ,
  ),
  registrations: menu(
    {
      'mac-address': read(MAC),
      interface: read(INTERFACE),
      ...reads(
        'ssid',
        'uptime',
        'last-activity',
        'signal',
        'auth-type',
        'band',
        'tx-rate',
        'rx-rate',
        'tx-bits-per-second',
        'rx-bits-per-second',
        'packets',
        'bytes',
        'vlan-id',
        'authorized',
      ),
    },
    { ...READ, remove: rowVerb(2) },
  ),
}

/** Menus of Wi-Fi. */
export const WIFI = {
  '/interface/wifi': wifi.interfaces,
  '/interface/wifi/configuration': wifi.configuration,
  '/interface/wifi/actual-configuration': wifi.actual,
  '/interface/wifi/channel': wifi.channel,
  '/interface/wifi/security': wifi.security,
  '/interface/wifi/datapath': wifi.datapath,
  '/interface/wifi/radio': wifi.radio,
  '/interface/wifi/registration-table': wifi.registrations,
  '/interface/wifi/capsman': menu(reads('enabled', 'interfaces'), { print: READ.print }),
  '/interface/wifi/capsman/remote-cap': menu(
    reads('identity', 'address', 'board-name', 'serial', 'version', 'state'),
    READ,
  ),
  '/interface/wifiwave2': wifi.interfaces,
  '/interface/wifiwave2/configuration': wifi.configuration,
  '/interface/wifiwave2/actual-configuration': wifi.actual,
  '/interface/wifiwave2/channel': wifi.channel,
  '/interface/wifiwave2/security': wifi.security,
  '/interface/wifiwave2/datapath': wifi.datapath,
  '/interface/wifiwave2/radio': wifi.radio,
  '/interface/wifiwave2/registration-table': wifi.registrations,
  '/interface/wireless': menu(
    {
      name: read(INTERFACE),
      'default-name': read(INTERFACE),
      'mac-address': read(MAC),
      ssid: write(SSID),
      frequency: write(eitherOf(oneOf('auto'), MHZ)),
      band: write(
        oneOf(
          '2ghz-b',
          '2ghz-onlyg',
          '2ghz-b/g',
          '2ghz-onlyn',
          '2ghz-b/g/n',
          '2ghz-g/n',
          '5ghz-a',
          '5ghz-onlyn',
          '5ghz-a/n',
          '5ghz-a/n/ac',
          '5ghz-onlyac',
          '5ghz-n/ac',
        ),
      ),
      'channel-width': write(WIRELESS_WIDTH),
      'security-profile': write(NAME),
      'hide-ssid': write(BOOLEAN),
      'default-forwarding': write(BOOLEAN),
      'max-station-count': write(CLIENTS),
      disabled: write(BOOLEAN),
      comment: read(COMMENT),
      ...reads('mode', 'country', 'tx-power', 'tx-power-mode', 'master-interface', 'interface-type', 'running'),
      ...reads('status', 'channel', 'noise-floor', 'registered-clients', 'authenticated-clients', 'wps-mode'),
      ...reads('dynamic', 'radio-name'),
    },
    { ...CHANGE, monitor: MONITOR, 'wps-push-button': rowVerb(2) },
  ),
  '/interface/wireless/security-profiles': menu(
    {
      name: write(NAME),
      mode: write(oneOf('none', 'dynamic-keys')),
      'authentication-types': write(listOf(oneOf('wpa-psk', 'wpa2-psk', 'wpa-eap', 'wpa2-eap'), 4)),
      'wpa-pre-shared-key': secret(KEY),
      'wpa2-pre-shared-key': secret(KEY),
      'management-protection': write(PROTECTION),
      ...reads('default'),
    },
    ROWS,
  ),
  '/interface/wireless/registration-table': menu(
    {
      'mac-address': read(MAC),
      interface: read(INTERFACE),
      ...reads(
        'ap',
        'uptime',
        'signal-strength',
        'tx-signal-strength',
        'signal-strength-ch0',
        'signal-strength-ch1',
        'signal-to-noise',
        'tx-ccq',
        'tx-rate',
        'rx-rate',
        'bytes',
        'packets',
        'last-ip',
        'last-activity',
        '802.1x-port-enabled',
        'authentication-type',
      ),
    },
    { ...READ, remove: rowVerb(2) },
  ),
  '/caps-man/registration-table': menu(
    {
      'mac-address': read(MAC),
      ...reads('interface', 'ssid', 'uptime', 'rx-signal', 'tx-rate', 'rx-rate', 'bytes', 'packets'),
    },
    READ,
  ),
} as const
