import { parseOpticalPower, parseRateKbps } from '../../routeros/index.ts'
import { counter32, counter64, integer, inverted, isTrue, mac } from './conversions.ts'
import type { ObjectMapping, ParameterMapping, Text } from './declaration.ts'
import { everyRow, firstOf, fixed, kept, keptReference, rowsWith, shown, shownFrom } from './parameters.ts'
import { ETHERNET, LINKS, OPTICAL, VLAN_TERMINATION } from './tables.ts'

/** Properties of `/interface` that have the counters of a Stats object. */
export const COUNTERS = [
  'tx-byte',
  'rx-byte',
  'tx-packet',
  'rx-packet',
  'tx-error',
  'rx-error',
  'tx-drop',
  'rx-drop',
] as const

/** Returns the parameters of a Stats object from the counters of `/interface`, which stand under a join or not. */
export function stats(join = ''): Record<string, ParameterMapping> {
  const at = join === '' ? '' : `${join}:`
  return {
    'Stats.BytesSent': shown(`${at}tx-byte`, counter64),
    'Stats.BytesReceived': shown(`${at}rx-byte`, counter64),
    'Stats.PacketsSent': shown(`${at}tx-packet`, counter64),
    'Stats.PacketsReceived': shown(`${at}rx-packet`, counter64),
    'Stats.ErrorsSent': shown(`${at}tx-error`, counter32),
    'Stats.ErrorsReceived': shown(`${at}rx-error`, counter32),
    'Stats.DiscardPacketsSent': shown(`${at}tx-drop`, counter32),
    'Stats.DiscardPacketsReceived': shown(`${at}rx-drop`, counter32),
  }
}

/** Status of an interface: `Down` when it is switched off, `LowerLayerDown` without a link. */
export const INTERFACE_STATUS = shownFrom(['disabled', 'running'], ([disabled, running]) =>
  isTrue(disabled) ? 'Down' : isTrue(running) ? 'Up' : 'LowerLayerDown',
)

const PORTS: ObjectMapping = {
  object: ETHERNET,
  needs: ['/interface/ethernet'],
  source: { menu: '/interface/ethernet' },
  table: { key: firstOf('default-name', 'name'), called: firstOf('name') },
  joins: {
    counters: { menu: '/interface', match: { own: 'name', theirs: 'name' } },
    link: { menu: '/interface/ethernet', monitor: everyRow, match: { own: '.id', theirs: '.id' } },
  },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: INTERFACE_STATUS,
    Name: shown('name'),
    MACAddress: shown('mac-address', mac),
    MaxBitRate: shownFrom(['auto-negotiation', 'speed'], ([auto, speed]) =>
      auto === undefined || isTrue(auto) ? '-1' : (megabits(speed) ?? '-1'),
    ),
    DuplexMode: shownFrom(['auto-negotiation', 'speed'], ([auto, speed]) =>
      auto === undefined || isTrue(auto) ? 'Auto' : /half/.test(speed ?? '') ? 'Half' : 'Full',
    ),
    CurrentBitRate: shownFrom(['link:rate'], ([rate]) => megabits(rate) ?? '0'),
    CurrentDuplexMode: shownFrom(['link:full-duplex'], ([full]) =>
      full === undefined ? 'Unknown' : isTrue(full) ? 'Full' : 'Half',
    ),
    ...stats('counters'),
  },
}

const VLANS: ObjectMapping = {
  object: VLAN_TERMINATION,
  needs: ['/interface/vlan'],
  source: { menu: '/interface/vlan' },
  table: { key: firstOf('name'), called: firstOf('name') },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: INTERFACE_STATUS,
    Name: shown('name'),
    VLANID: kept('vlan-id', integer(1, 4094)),
    LowerLayers: keptReference('interface', LINKS),
  },
}

/** Ports for modules; the names that they have by delivery tell them. */
const MODULES = rowsWith(['default-name'], (row) => /^(sfp|qsfp|combo)/.test(row['default-name'] ?? ''))

/** Modules that measure light. Those of copper, and cables, have no levels. */
const OPTICS: ObjectMapping = {
  object: OPTICAL,
  needs: ['/interface/ethernet'],
  hardware: { menu: '/interface/ethernet', rows: MODULES },
  source: {
    readings: {
      ports: {
        menu: '/interface/ethernet',
        properties: ['.id', 'name', 'default-name', 'disabled', 'running'],
      },
      modules: {
        menu: '/interface/ethernet',
        monitor: MODULES,
        properties: ['sfp-module-present', 'sfp-rx-power', 'sfp-tx-power'],
      },
    },
    rows({ ports = [], modules = [] }) {
      const byId = new Map(ports.map((row) => [row['.id'], row]))
      return modules.flatMap((module) => {
        const hasLight = module['sfp-rx-power'] !== undefined || module['sfp-tx-power'] !== undefined
        const port = byId.get(module['.id'])
        return isTrue(module['sfp-module-present']) && hasLight && port !== undefined ? [{ ...port, ...module }] : []
      })
    },
  },
  // Its port is an Ethernet interface, too: other rows refer to that.
  table: { key: firstOf('default-name', 'name') },
  parameters: {
    Enable: shown('disabled', inverted),
    Status: INTERFACE_STATUS,
    Name: shown('name'),
    LowerLayers: fixed(''),
    OpticalSignalLevel: shown('sfp-rx-power', { read: opticalLevel }),
    TransmitOpticalLevel: shown('sfp-tx-power', { read: opticalLevel }),
  },
}

export const ETHERNET_OBJECTS = [PORTS, VLANS, OPTICS]

/** Mbit/s of a rate, or of a link mode such as `1G-baseT-full`, `100M-full` and `2.5G-baseT`. */
function megabits(text: Text): Text {
  const kbits = parseRateKbps(text ?? '')
  return kbits === undefined ? undefined : String(Math.floor(kbits / 1000))
}

/** Thousandths of a dBm, of which TR-181 has the even numbers. */
function opticalLevel(text: Text): Text {
  const level = parseOpticalPower(text ?? '')
  if (level === undefined || level < -65536 || level > 65534) return undefined
  return String(Math.floor(level / 2) * 2)
}
