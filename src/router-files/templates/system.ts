import type { ScriptTemplate } from '../template.ts'
import { DATE, HOST, listOf, oneOf, TIME, TIME_ZONE, textOf } from '../value-kinds.ts'

const REBOOT = { name: 'isthmus-reboot' }

/** Name, time, services and restarts of a router. */
export const SYSTEM_TEMPLATES: readonly ScriptTemplate[] = [
  {
    name: 'identity',
    title: 'Set the name of the router',
    description: 'Sets the name that the router shows to people and neighbours.',
    parameters: { name: { kind: textOf(1, 64), sentence: 'The name' } },
    steps: [{ kind: 'set', menu: '/system identity', values: { name: { of: 'name' } } }],
  },
  {
    name: 'time-zone',
    title: 'Set the time zone',
    description: 'Sets the time zone of the clock, and stops its detection by the address of the router.',
    parameters: { zone: { kind: TIME_ZONE, sentence: 'Name in the time zone database' } },
    steps: [
      {
        kind: 'set',
        menu: '/system clock',
        values: { 'time-zone-autodetect': 'no', 'time-zone-name': { of: 'zone' } },
      },
    ],
  },
  {
    name: 'ntp-servers',
    title: 'Take the time from NTP servers',
    description:
      'Switches the NTP client on, with these servers in place of its own. RouterOS 6 takes the first two addresses and all names.',
    parameters: { servers: { kind: listOf(HOST, 4), sentence: 'Host names or addresses of the servers' } },
    steps: [
      {
        kind: 'set',
        menu: '/system ntp client',
        from: 7,
        values: { enabled: 'yes', mode: 'unicast', servers: { of: 'servers' } },
      },
      {
        kind: 'set',
        menu: '/system ntp client',
        before: 7,
        values: {
          enabled: 'yes',
          'primary-ntp': { of: 'servers', as: 'address', at: 0 },
          'secondary-ntp': { of: 'servers', as: 'address', at: 1 },
          'server-dns-names': { of: 'servers', as: 'names' },
        },
      },
    ],
  },
  {
    name: 'services-off',
    title: 'Switch services off',
    description:
      'Switches services of the router off that carry passwords in the clear. A bridge that uses `api` loses the router: move it to `api-ssl` first.',
    parameters: {
      services: { kind: listOf(oneOf('telnet', 'ftp', 'www', 'api'), 4), sentence: 'The services' },
    },
    steps: [
      {
        kind: 'setRow',
        menu: '/ip service',
        each: 'services',
        key: { name: { of: 'services' } },
        values: { disabled: 'yes' },
      },
    ],
  },
  {
    name: 'reboot-at',
    title: 'Restart at a time',
    description:
      'Schedules one restart, in place of an earlier one, by the clock and the time zone of the router. The device-mode `home` does not allow it.',
    parameters: {
      date: { kind: DATE, sentence: 'The day' },
      time: { kind: TIME, sentence: 'The time of the day' },
    },
    steps: [
      { kind: 'remove', menu: '/system scheduler', key: REBOOT },
      {
        kind: 'create',
        menu: '/system scheduler',
        key: REBOOT,
        values: {
          'start-date': { of: 'date', as: 'date' },
          'start-time': { of: 'time' },
          interval: '0s',
          policy: 'reboot',
          'on-event': '/system reboot',
        },
      },
    ],
  },
  {
    name: 'reboot-cancel',
    title: 'Take a scheduled restart back',
    description: 'Removes the restart that reboot-at has scheduled.',
    parameters: {},
    steps: [{ kind: 'remove', menu: '/system scheduler', key: REBOOT }],
  },
]
