import type { Transform } from '../transform.ts'
import { numberIn, positive, type Theme, whole } from './basics.ts'

/** Returns the transform of a level in dBm; what is not measured is 0 or positive. */
function level(dbm: (value: number) => number): Transform {
  return {
    read(raw) {
      const value = numberIn(raw)
      const level = value === undefined ? 0 : dbm(value)
      return Math.round(level) >= 0 || level < -120 ? undefined : whole(level)
    },
  }
}

const STANDARDS: readonly (readonly [RegExp, string])[] = [
  [/be/, 'be'],
  [/ax/, 'ax'],
  [/ac/, 'ac'],
  [/n/, 'n'],
  [/g/, 'g'],
  [/a/, 'a'],
  [/b/, 'b'],
]

/** The facts that a station shows to the access point. */
export const STATIONS: Theme = {
  rssi: level((value) => value),
  // On devices that leave the sign out.
  rssiNegated: level((value) => (value > 0 ? -value : 0)),
  // Received channel power indicator (IEEE 802.11): 0.5 dB above -110 dBm; 255 is not measured.
  rcpi: level((value) => (value > 0 && value <= 220 ? value / 2 - 110 : 0)),
  snr: {
    read(raw) {
      const value = numberIn(raw)
      return value === undefined || value > 120 ? undefined : positive(value)
    },
  },
  /** The newest standard that a mode such as `11bgn` names. */
  stationStandard: {
    read(raw) {
      const text = raw
        .trim()
        .slice(0, 24)
        .toLowerCase()
        .replace(/802\.11|11|mode|mixed|[^a-z]/g, '')
      return /^(?:a|b|g|n|ac|ax|be)+$/.test(text) ? STANDARDS.find(([name]) => name.test(text))?.[1] : undefined
    },
  },
}
