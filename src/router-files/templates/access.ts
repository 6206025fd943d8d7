import type { ScriptTemplate } from '../template.ts'
import { BOOLEAN, HOST, IPV4_NETWORK, integerOf, listOf, NETWORK, nameOf, oneOf, textOf } from '../value-kinds.ts'

/** Rights that an account of a bridge may have: neither `policy` (users) nor `sensitive` (passwords) is among them. */
const GRANTED = ['api', 'rest-api', 'ssh', 'read', 'write', 'test', 'reboot']

/** The account and the services by which a bridge reaches a router, and address lists of the firewall. */
export const ACCESS_TEMPLATES: readonly ScriptTemplate[] = [
  {
    name: 'bridge-account',
    title: 'Make the account of a bridge',
    description:
      'Makes a group with exactly these policies and a user in it, or sets those that exist. For L0 the policies `api,read` are enough; ' +
      'L1 needs `write` and `test` as well, L2 and L3 `reboot`.',
    parameters: {
      user: { kind: nameOf(32, 'admin'), sentence: 'Name of the user', initial: 'isthmus' },
      password: { kind: textOf(12, 64), sentence: 'Password of the user', secret: true },
      group: { kind: nameOf(32, 'full', 'read', 'write'), sentence: 'Name of the group', initial: 'isthmus' },
      policies: {
        kind: listOf(oneOf(...GRANTED), GRANTED.length),
        sentence: 'Rights of the group',
        initial: 'api,read',
      },
      addresses: { kind: listOf(NETWORK, 8), sentence: 'Addresses of the bridge, from which alone the user may come' },
    },
    steps: [
      {
        kind: 'ensure',
        menu: '/user group',
        key: { name: { of: 'group' } },
        values: { policy: { of: 'policies', as: 'policies' } },
      },
      {
        kind: 'ensure',
        menu: '/user',
        key: { name: { of: 'user' } },
        values: { group: { of: 'group' }, password: { of: 'password' }, address: { of: 'addresses' } },
      },
    ],
  },
  {
    name: 'api-ssl',
    title: 'Open the API over TLS for a bridge',
    description:
      'Makes a certificate that the router signs itself, unless it has one of this name, and opens `api-ssl` with it for the addresses of the bridge alone. ' +
      'The bridge trusts it by its fingerprint.',
    parameters: {
      certificate: { kind: nameOf(32), sentence: 'Name of the certificate on the router', initial: 'isthmus-api' },
      host: { kind: HOST, sentence: 'Host name or address in the certificate' },
      days: { kind: integerOf(1, 3650), sentence: 'Days for which a new certificate is good', initial: '3650' },
      addresses: { kind: listOf(NETWORK, 8), sentence: 'Addresses of the bridge' },
      port: { kind: integerOf(1, 65_535), sentence: 'Port of the service', initial: '8729' },
      closePlain: { kind: BOOLEAN, sentence: 'Switch the API without TLS off', initial: 'true' },
    },
    steps: [
      {
        kind: 'create',
        menu: '/certificate',
        key: { name: { of: 'certificate' } },
        values: {
          'common-name': { of: 'host' },
          'days-valid': { of: 'days' },
          'key-usage': 'digital-signature,key-encipherment,tls-server',
        },
        command: 'sign',
      },
      {
        kind: 'setRow',
        menu: '/ip service',
        key: { name: 'api-ssl' },
        values: {
          certificate: { of: 'certificate' },
          address: { of: 'addresses' },
          port: { of: 'port' },
          disabled: 'no',
        },
      },
      { kind: 'setRow', menu: '/ip service', if: 'closePlain', key: { name: 'api' }, values: { disabled: 'yes' } },
    ],
  },
  {
    name: 'address-list-add',
    title: 'Add an address to an address list',
    description: 'Adds an address to a list of the IPv4 firewall; an entry that is there gets the comment.',
    parameters: {
      list: { kind: nameOf(63), sentence: 'Name of the list' },
      address: { kind: IPV4_NETWORK, sentence: 'IPv4 address or network' },
      comment: { kind: textOf(0, 128), sentence: 'Comment of the entry', optional: true },
    },
    steps: [
      {
        kind: 'ensure',
        menu: '/ip firewall address-list',
        key: { list: { of: 'list' }, address: { of: 'address' } },
        values: { comment: { of: 'comment' } },
      },
    ],
  },
  {
    name: 'address-list-remove',
    title: 'Remove an address from an address list',
    description:
      'Removes an address from a list of the IPv4 firewall; rules that added it themselves may add it again.',
    parameters: {
      list: { kind: nameOf(63), sentence: 'Name of the list' },
      address: { kind: IPV4_NETWORK, sentence: 'IPv4 address or network' },
    },
    steps: [
      {
        kind: 'remove',
        menu: '/ip firewall address-list',
        key: { list: { of: 'list' }, address: { of: 'address' } },
      },
    ],
  },
]
