import type { Transform, TransformContext } from '../transform.ts'
import { numberIn, positive, type Theme, whole } from './basics.ts'

/** A receiver shows less than this for noise: no light (dBm). */
const NO_LIGHT_DBM = -40
/** A laser that is on sends more than this (dBm). */
const MIN_TX_DBM = -10
/** Most that a receiver stands, and that a laser sends (dBm). */
const MAX_DBM = 10
/** Readings below this in 0.1 uW are noise of the sensor: no PON works at -30 dBm. */
const NOISE_TENTH_UW = 10
const NO_TEMPERATURE_C = -274

/** Returns the level of a power in 0.1 uW, in dBm. */
function dbmOfTenthMicrowatts(power: number): number {
  return 10 * Math.log10(power) - 40
}

/**
 * Returns the received power in dBm. Negative readings are dBm, or 0.1, 0.01 and 0.001 of it where they are below -60;
 * positive ones are 0.1 uW. Undefined without light: 0, noise, and -40 dBm and less.
 */
function rxDbm(raw: string): number | undefined {
  const value = numberIn(raw)
  if (value === undefined || value === 0) return undefined
  if (value > 0) {
    const dbm = dbmOfTenthMicrowatts(value)
    return value < NOISE_TENTH_UW || dbm > MAX_DBM ? undefined : dbm
  }
  const scale = value >= -60 ? 1 : [10, 100, 1000].find((scale) => value / scale > -60)
  const dbm = scale === undefined ? NO_LIGHT_DBM : value / scale
  return dbm <= NO_LIGHT_DBM ? undefined : dbm
}

/**
 * Returns the sent power in dBm: up to 10 it is dBm, up to 70 0.1 dBm, up to 700 0.01 dBm, above 0.1 uW. Undefined where
 * the laser is off or the reading is none.
 */
function txDbm(raw: string): number | undefined {
  const value = numberIn(raw)
  if (value === undefined || value === 0) return undefined
  if (value <= 10) return value > MIN_TX_DBM ? value : undefined
  if (value < 70) return value / 10
  if (value < 700) return value / 100
  const dbm = dbmOfTenthMicrowatts(value)
  return dbm <= MIN_TX_DBM || dbm > MAX_DBM ? undefined : dbm
}

/** Returns the received power of firmware that leaves the sign out and counts in 0.1 dBm. */
function negatedRxDbm(raw: string): number | undefined {
  const value = numberIn(raw)
  if (value === undefined || value <= 0) return undefined
  const dbm = -value / 10
  return dbm <= NO_LIGHT_DBM ? undefined : dbm
}

/** Returns the power of devices that count in 0.001 dBm as TR-181 does. */
function milliDbm(raw: string): number | undefined {
  const value = numberIn(raw)
  if (value === undefined || value === 0) return undefined
  const dbm = value / 1000
  return dbm <= NO_LIGHT_DBM || dbm > MAX_DBM ? undefined : dbm
}

type Level = (raw: string) => number | undefined

/** Returns a level as Optical.Interface has it: 0.001 dBm in steps of 2. */
function thousandths(level: Level): Transform {
  return {
    read(raw) {
      const dbm = level(raw)
      return dbm === undefined ? undefined : whole(Math.round(decimals(dbm * 500)) * 2)
    },
  }
}

/** Returns a level as a transceiver has it: 0.1 dBm. */
function tenths(level: Level): Transform {
  return {
    read(raw) {
      const dbm = level(raw)
      return dbm === undefined ? undefined : whole(decimals(dbm * 10))
    },
  }
}

/** Removes the error of a product: -18.55 * 10 is -185.5. */
function decimals(value: number): number {
  return Number(value.toFixed(6))
}

/** Returns a temperature in whole degrees; undefined outside of what a transceiver stands. */
function degrees(value: number): string | undefined {
  return value < -40 || value > 125 ? undefined : whole(value)
}

/** Returns the transform of a temperature: up to 150 it is degrees, from 200 it counts parts of a degree. */
function temperature(parts: (value: number, context: TransformContext) => number): Transform {
  return {
    read(raw, context) {
      const value = numberIn(raw)
      // An unused transceiver shows 0.
      if (value === undefined || value === 0 || value === NO_TEMPERATURE_C) return undefined
      if (Math.abs(value) <= 150) return degrees(value)
      return Math.abs(value) <= 200 ? undefined : degrees(value / parts(value, context))
    },
  }
}

/** Families whose firmware counts 0.01 degrees where others count 1/256. */
const HUNDREDTHS = new Set(['vsol', 'realtek'])
/** Own objects of makers in which they do; their firmware has objects of operators, too. */
const HUNDREDTHS_OBJECTS = ['.X_ZTE-COM_', '.X_ALU']
/** In 0.01 degrees a transceiver does not stand more than this; in 1/256 it is usual. */
const MAX_HUNDREDTHS = 9500

/** Returns the parts of a degree that a device counts: by family, and in the own objects of ZTE and Nokia. */
function partsOf(value: number, { family, from }: TransformContext): number {
  const isHundredths =
    (family !== undefined && HUNDREDTHS.has(family)) || HUNDREDTHS_OBJECTS.some((name) => from.includes(name))
  return isHundredths && value <= MAX_HUNDREDTHS ? 100 : 256
}

/** Supply voltage in mV: below 10 it is V, up to 9999 mV, above 100 uV. */
const opticalVoltage: Transform = {
  read(raw) {
    const value = numberIn(raw)
    if (value === undefined || value <= 0 || value > 99_999 || (value >= 10 && value < 100)) return undefined
    if (value < 10) return positive(value * 1000)
    return whole(value < 10_000 ? value : value / 10)
  },
}

/** More than a laser takes (uA). */
const MAX_BIAS_UA = 150_000

/** Returns the transform of a bias current to uA: up to 100 it is mA, above it counts a part of it. */
function bias(unitUa: (context: TransformContext) => number): Transform {
  return {
    read(raw, context) {
      const value = numberIn(raw)
      if (value === undefined || value <= 0) return undefined
      const current = value <= 100 ? value * 1000 : value * unitUa(context)
      return current > MAX_BIAS_UA ? undefined : positive(current)
    },
  }
}

/** Words of PON modes, first match first. An `X_` before a word is the sign of an extension, and not of 10 Gbit/s. */
const PON_MODES: readonly (readonly [RegExp, string | undefined])[] = [
  [/NG[-_ ]?PON[-_ ]?2|TWDM/, 'NG-PON2'],
  [/XGS[-_ ]?PON/, 'XGS-PON'],
  [/XG[-_ ]?PON|10G[-_ ]?GPON/, 'XG-PON'],
  // TR-181 has no word for EPON.
  [/(?:^|[^A-Z])G?E[-_ ]?PON/, undefined],
  [/G[-_ ]?PON/, 'G-PON'],
]

/** PON modes by the words in a text. */
const ponMode: Transform = {
  read(raw) {
    const text = raw.trim().slice(0, 48).toUpperCase()
    return PON_MODES.find(([word]) => word.test(text))?.[1]
  },
}

const PON_UP = /^(?:up|link ?up|online|connected|registered|operational|1|o5)\b/i
const PON_DOWN = /^(?:down|no ?link|link ?down|offline|disabled|disconnected|nosignal|unregistered|0|o[1-46-9])\b/i

/** Status of a PON port, in words and in states of the activation of G.984.3. */
const ponStatus: Transform = {
  read(raw) {
    const text = raw.trim().slice(0, 32)
    if (text === '') return undefined
    if (PON_UP.test(text)) return 'Up'
    if (PON_DOWN.test(text)) return 'Down'
    if (/^error/i.test(text)) return 'Error'
    return /^(?:initializing|connecting|registering|dormant)/i.test(text) ? 'Dormant' : 'Unknown'
  },
}

/** State of the activation of an ONU: `O5`, `5`, `O5(Operation)`. */
const onuState: Transform = {
  read(raw) {
    const digit = /^\s{0,8}[oO]?([1-9])(?![0-9])/.exec(raw)?.[1]
    return digit === undefined ? undefined : `O${digit}`
  },
}

/** Returns the serial number of an ONU as 4 letters of the vendor and 8 hex digits. */
function gponSerialOf(raw: string): string | undefined {
  const text = raw
    .trim()
    .slice(0, 32)
    .toUpperCase()
    .replace(/[\s:-]/g, '')
  if (/^[A-Z]{4}[0-9A-F]{8}$/.test(text)) return text
  if (!/^[0-9A-F]{16}$/.test(text)) return undefined
  const vendor = Buffer.from(text.slice(0, 8), 'hex').toString('latin1')
  return /^[A-Z]{4}$/.test(vendor) ? vendor + text.slice(8) : undefined
}

/** Optics of PON devices: levels, transceivers, and the identity of an ONU. */
export const OPTICAL: Theme = {
  opticalRx: thousandths(rxDbm),
  opticalRxTenths: tenths(rxDbm),
  opticalTx: thousandths(txDbm),
  opticalTxTenths: tenths(txDbm),
  opticalRxNegated: thousandths(negatedRxDbm),
  opticalRxNegatedTenths: tenths(negatedRxDbm),
  opticalMilliDbm: thousandths(milliDbm),
  opticalMilliDbmTenths: tenths(milliDbm),
  opticalTemperature: temperature(partsOf),
  opticalTemperature256: temperature(() => 256),
  opticalTemperature100: temperature(() => 100),
  opticalVoltage,
  opticalBias: bias(({ family, from }) => (family === 'nokia' || from.includes('.X_ALU') ? 1 : 2)),
  opticalBias2uA: bias(() => 2),
  opticalBiasUA: bias(() => 1),
  ponMode,
  ponStatus,
  onuState,
  gponSerial: { read: gponSerialOf },
  gponVendor: { read: (raw) => gponSerialOf(raw)?.slice(0, 4) },
}
