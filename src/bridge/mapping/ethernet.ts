import { counter32, counter64, inverted, isTrue, mac } from './conversions.ts'
import type { ObjectMapping, ParameterMapping, Text } from './declaration.ts'
import { kbitsOf } from './forms.ts'
import { firstOf, kept, shown, shownFrom } from './parameters.ts'

const ETHERNET = 'Device.Ethernet.Interface.{i}.'

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
    link: { menu: '/interface/ethernet', monitor: true, match: { own: '.id', theirs: '.id' } },
  },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: INTERFACE_STATUS,
    Name: shown('name'),
    MACAddress: shown('mac-address', mac),
    MaxBitRate: shownFrom(['auto-negotiation', 'speed'], ([auto, speed]) =>
      auto === undefined || isTrue(auto) ? '-1' : (megabits(speed) ?? '-1'),
    ),
    DuplexMode: shownFrom(['auto-negotiation', 'full-duplex', 'speed'], ([auto, full, speed]) =>
      auto === undefined || isTrue(auto) ? 'Auto' : full === 'false' || /half/.test(speed ?? '') ? 'Half' : 'Full',
    ),
    CurrentBitRate: shownFrom(['link:rate'], ([rate]) => megabits(rate) ?? '0'),
    CurrentDuplexMode: shownFrom(['link:full-duplex'], ([full]) =>
      full === undefined ? 'Unknown' : isTrue(full) ? 'Full' : 'Half',
    ),
    ...stats('counters'),
  },
}

export const ETHERNET_OBJECTS = [PORTS]

/** Mbit/s of a rate, or of a link mode such as `1G-baseT-full`, `100M-full` and `2.5G-baseT`. */
function megabits(text: Text): Text {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([GM])(?:-|$)/.exec(text ?? '') ?? []
  if (number !== undefined) return String(Math.floor(Number(number) * (unit === 'G' ? 1000 : 1)))
  const kbits = kbitsOf(text)
  return kbits === undefined ? undefined : String(Math.floor(kbits / 1000))
}
