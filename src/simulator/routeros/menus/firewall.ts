import { bool, duration, iface, listOf, matcher, off, oneOf, ports, ranges, ro, text } from './kinds.ts'
import { counter } from './life.ts'
import { list, type Menu } from './menu.ts'

const NAMED = { key: 'name', unique: { by: ['name'], text: 'failure: already have such name' } } as const

/** Returns the menus of the firewall, and of queues. */
export function firewallMenus(): Menu[] {
  return [
    firewall(
      '/ip/firewall/nat',
      ['srcnat', 'dstnat'],
      [
        'accept',
        'add-dst-to-address-list',
        'add-src-to-address-list',
        'dst-nat',
        'jump',
        'log',
        'masquerade',
        'netmap',
        'passthrough',
        'redirect',
        'return',
        'same',
        'src-nat',
      ],
    ),
    firewall(
      '/ip/firewall/filter',
      ['input', 'forward', 'output'],
      [
        'accept',
        'add-dst-to-address-list',
        'add-src-to-address-list',
        'drop',
        'fasttrack-connection',
        'jump',
        'log',
        'passthrough',
        'reject',
        'return',
        'tarpit',
      ],
    ),
    list(
      '/ip/firewall/address-list',
      { list: text(63), address: text(255), timeout: duration(), 'creation-time': ro, dynamic: ro, disabled: off },
      { required: ['list', 'address'], live: { dynamic: ({ values }) => values.dynamic ?? 'false' } },
    ),
    list(
      '/queue/simple',
      {
        name: text(63),
        target: text(255),
        parent: text(63),
        'max-limit': text(63),
        'limit-at': text(63),
        priority: text(16),
        rate: ro,
        bytes: ro,
        packets: ro,
        dropped: ro,
        dynamic: ro,
        disabled: off,
      },
      {
        ...NAMED,
        isOrdered: true,
        required: ['target'],
        live: {
          rate: () => '0/0',
          bytes: (row, router) => `${counter('~rx')(row, router)}/${counter('~tx')(row, router)}`,
          packets: () => '0/0',
          dropped: () => '0/0',
          dynamic: () => 'false',
        },
      },
    ),
  ]
}

function firewall(path: string, chains: readonly string[], actions: readonly string[]): Menu {
  return list(
    path,
    {
      chain: text(63),
      action: oneOf(...actions),
      protocol: oneOf('tcp', 'udp', 'icmp', 'gre', 'ipsec-esp', 'ipsec-ah', 'igmp', 'ospf', 'udp-lite', 'all'),
      'src-address': matcher,
      'dst-address': matcher,
      'src-address-list': text(63),
      'dst-address-list': text(63),
      'src-port': ports,
      'dst-port': ports,
      'in-interface': iface,
      'in-interface-list': text(63),
      'out-interface': iface,
      'out-interface-list': text(63),
      'ipsec-policy': text(63),
      'connection-state': listOf('established', 'related', 'new', 'invalid', 'untracked'),
      'connection-nat-state': text(63),
      'to-addresses': ranges,
      'to-ports': ports,
      'jump-target': text(63),
      'reject-with': text(63),
      'hw-offload': bool,
      log: bool,
      'log-prefix': text(63),
      bytes: ro,
      packets: ro,
      invalid: ro,
      dynamic: ro,
      disabled: off,
    },
    {
      isOrdered: true,
      required: ['chain'],
      live: {
        bytes: counter('~rx'),
        packets: counter('~rx', 700),
        dynamic: ({ values }) => values.dynamic ?? 'false',
        invalid: ({ values }, { store }) =>
          String(
            ['in-interface', 'out-interface'].some((name) => {
              const value = values[name]?.replace(/^!/, '')
              return value !== undefined && value !== '' && store.find('interface', 'name', value) === undefined
            }),
          ),
      },
      complete: (values) => {
        values.action ??= 'accept'
        values.log ??= 'false'
        values['log-prefix'] ??= ''
        if (values.action === 'masquerade' && values.chain === 'dstnat') values.chain = chains[0] ?? ''
      },
    },
  )
}
