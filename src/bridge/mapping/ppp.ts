import { atMost, integer, inverted, ipv4, isTrue } from './conversions.ts'
import type { ObjectMapping } from './declaration.ts'
import { everyRow, firstOf, kept, keptReference, orElse, shown, shownFrom } from './parameters.ts'
import { LINKS, PPP_INTERFACE } from './tables.ts'

/** States of a client by the beginning of the words of RouterOS. */
const STATES: readonly (readonly [RegExp, string])[] = [
  [/^connected/, 'Connected'],
  [/^(verifying|authenticating)/, 'Authenticating'],
  [/^terminating/, 'Disconnecting'],
  [/^disconnected/, 'Disconnected'],
]

/** Clients of PPPoE. */
const CLIENTS: ObjectMapping = {
  object: PPP_INTERFACE,
  needs: ['/interface/pppoe-client'],
  source: { menu: '/interface/pppoe-client' },
  joins: { state: { menu: '/interface/pppoe-client', monitor: everyRow, match: { own: '.id', theirs: '.id' } } },
  table: { key: firstOf('name'), called: firstOf('name') },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: shownFrom(['disabled', 'running'], ([disabled, running]) =>
      isTrue(disabled) ? 'Down' : isTrue(running) ? 'Up' : 'Dormant',
    ),
    Name: shown('name'),
    LowerLayers: keptReference('interface', LINKS),
    ConnectionStatus: shownFrom(['disabled', 'state:status'], ([disabled, status]) =>
      isTrue(disabled)
        ? 'Disconnected'
        : (STATES.find(([beginning]) => beginning.test(status ?? ''))?.[1] ?? 'Connecting'),
    ),
    Username: orElse('', kept('user', atMost(64))),
    Password: { from: [], read: () => '', write: { properties: (value) => ({ password: value }) } },
    // `auto` is what PPPoE leaves of a frame (RFC 2516 7).
    MaxMRUSize: orElse('1492', kept('max-mru', integer(64, 65535))),
    CurrentMRUSize: shown('state:mru', integer(64, 65535)),
    'IPCP.LocalIPAddress': shown('state:local-address', ipv4),
    'IPCP.RemoteIPAddress': shown('state:remote-address', ipv4),
    'PPPoE.ACName': {
      ...kept('ac-name', atMost(256)),
      ...shownFrom(['ac-name', 'state:ac-name'], ([wanted, found]) => (found ?? wanted ?? '').slice(0, 256)),
    },
    'PPPoE.ServiceName': {
      ...kept('service-name', atMost(256)),
      ...shownFrom(['service-name', 'state:service-name'], ([wanted, found]) => (found ?? wanted ?? '').slice(0, 256)),
    },
  },
}

export const PPP_OBJECTS = [CLIENTS]
