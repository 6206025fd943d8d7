import { parseSignal } from '../../routeros/index.ts'
import { atMost, inverted, isTrue } from './conversions.ts'
import type { Conversion, ObjectMapping, Text } from './declaration.ts'
import { everyRow, firstOf, kept, orElse, reference, shown, shownFrom } from './parameters.ts'
import { CELLULAR } from './tables.ts'

const LEVEL: Conversion = { read: (text) => parseSignal(text ?? '')?.toString() }

/** Returns the conversion of a number with so many digits; a text of another form is none. */
function digits(min: number, max: number): Conversion {
  return {
    read: (text) =>
      text !== undefined && /^\d+$/.test(text) && text.length >= min && text.length <= max ? text : undefined,
  }
}

const TECHNOLOGIES: readonly (readonly [RegExp, string])[] = [
  [/5g|\bnr\b/i, 'NR'],
  [/lte/i, 'LTE'],
  [/hspa|hsdpa|hsupa/i, 'UMTSHSPA'],
  [/umts|3g|wcdma/i, 'UMTS'],
  [/edge/i, 'EDGE'],
  [/gprs|gsm/i, 'GPRS'],
]

const MODEMS: ObjectMapping = {
  object: CELLULAR,
  needs: ['/interface/lte'],
  source: { menu: '/interface/lte' },
  joins: { state: { menu: '/interface/lte', monitor: everyRow, match: { own: '.id', theirs: '.id' } } },
  table: { key: firstOf('name'), called: firstOf('name') },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: shownFrom(['disabled', 'running'], ([disabled, running]) =>
      isTrue(disabled) ? 'Down' : isTrue(running) ? 'Up' : 'Dormant',
    ),
    Name: shown('name'),
    IMEI: shown('state:imei', digits(15, 15)),
    CurrentAccessTechnology: shown('state:access-technology', { read: technology }),
    NetworkInUse: shown('state:current-operator', atMost(64)),
    RSSI: shown('state:rssi', LEVEL),
    RSRP: shown('state:rsrp', LEVEL),
    RSRQ: shown('state:rsrq', LEVEL),
    'USIM.IMSI': shown('state:imsi', digits(14, 15)),
    'USIM.ICCID': shownFrom(['state:iccid', 'state:uicc'], ([newer, older], context) =>
      digits(6, 20).read(newer ?? older, context),
    ),
  },
}

/** Roaming of the first modem. */
const ROAMING: ObjectMapping = {
  object: 'Device.Cellular.',
  needs: ['/interface/lte'],
  source: { menu: '/interface/lte' },
  parameters: { RoamingEnabled: shownFrom(['allow-roaming'], ([allowed]) => String(isTrue(allowed))) },
}

/** A profile belongs to the first modem that names it. */
const ACCESS_POINTS: ObjectMapping = {
  object: 'Device.Cellular.AccessPoint.{i}.',
  needs: ['/interface/lte/apn'],
  source: {
    readings: {
      profiles: { menu: '/interface/lte/apn', properties: ['.id', 'name', 'apn', 'user'] },
      modems: { menu: '/interface/lte', properties: ['name', 'apn-profiles'] },
    },
    stays: { '/interface/lte/apn': ['name'] },
    rows: ({ profiles = [], modems = [] }) =>
      profiles.map((row) => ({
        ...row,
        '.menu': '/interface/lte/apn',
        modem: modems.find((modem) => modem['apn-profiles']?.split(',').includes(row.name ?? ''))?.name ?? '',
      })),
  },
  table: { key: firstOf('name') },
  parameters: {
    Enable: shownFrom(['modem'], ([modem]) => String(modem !== undefined && modem !== '')),
    APN: orElse('', kept('apn', atMost(64))),
    Username: shown('user', { read: (text) => (text ?? '').slice(0, 256) }),
    Interface: reference('modem', [CELLULAR]),
  },
}

export const CELLULAR_OBJECTS = [ROAMING, MODEMS, ACCESS_POINTS]

function technology(text: Text): Text {
  return TECHNOLOGIES.find(([word]) => word.test(text ?? ''))?.[1]
}
