import { menu, reads, verb } from '../form/menu.ts'
import { durationOf, fileName, HOST, HTTPS_URL, INTERFACE, integerOf, oneOf } from '../form/value-kinds.ts'

const FLAG = oneOf('yes', 'no')

/** Diagnostics, which send packets and change nothing, and the fetch of firmware and backups. */
export const TOOLS = {
  '': menu(
    reads(
      'seq',
      'host',
      'size',
      'ttl',
      'time',
      'status',
      'sent',
      'received',
      'packet-loss',
      'min-rtt',
      'avg-rtt',
      'max-rtt',
    ),
    {
      ping: verb(1, {
        args: {
          address: HOST,
          count: integerOf(1, 20),
          size: integerOf(28, 1500),
          interval: durationOf(1, 5),
          interface: INTERFACE,
          dscp: integerOf(0, 63),
        },
      }),
    },
  ),
  '/tool': menu(
    reads('address', 'loss', 'sent', 'last', 'avg', 'best', 'worst', 'std-dev', 'status', 'downloaded', 'total'),
    {
      traceroute: verb(1, {
        args: {
          address: HOST,
          count: integerOf(1, 3),
          size: integerOf(28, 1500),
          'max-hops': integerOf(1, 64),
          timeout: durationOf(1, 10),
          protocol: oneOf('icmp', 'udp'),
          'use-dns': FLAG,
          interface: INTERFACE,
          dscp: integerOf(0, 63),
        },
      }),
      fetch: verb(3, {
        args: { url: HTTPS_URL, 'dst-path': fileName('.npk', '.backup'), 'check-certificate': oneOf('yes') },
      }),
    },
  ),
} as const
