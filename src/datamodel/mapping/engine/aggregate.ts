import { isTrue } from '../booleans.ts'
import type { Aggregation } from '../row.ts'

/** A value of one source, and the source itself. */
export interface Reading {
  value: string
  source: string
  raw: string
  /** Value of the `Enable` beside the source. */
  enabled: boolean
}

/** Order of the states of which one stands for a group. */
const STATES = ['Up', 'Dormant', 'Unknown', 'Error', 'LowerLayerDown', 'NotPresent', 'Down']

/** Returns what several objects give together, with the source that decided it; undefined for no reading. */
export function aggregate(how: Aggregation, readings: readonly Reading[]): Reading | undefined {
  const [first] = readings
  if (first === undefined || readings.length === 1) return first
  switch (how) {
    case 'first':
      return readings.find(({ enabled }) => enabled) ?? first
    case 'any': {
      const on = readings.find(({ value }) => isTrue(value))
      return on ?? first
    }
    case 'max':
      return readings.reduce((best, reading) => (Number(reading.value) > Number(best.value) ? reading : best))
    case 'sum':
      return { ...first, value: sum(readings) ?? first.value }
    case 'union':
      return { ...first, value: union(readings) }
    case 'best':
      return readings.reduce((best, reading) => (rankOf(reading) < rankOf(best) ? reading : best))
  }
}

function rankOf({ value }: Reading): number {
  const at = STATES.indexOf(value)
  return at < 0 ? STATES.length : at
}

const WHOLE_LENGTH = 20

function sum(readings: readonly Reading[]): string | undefined {
  let total = 0n
  for (const { value } of readings) {
    if (value.length === 0 || value.length > WHOLE_LENGTH) return undefined
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code < 48 || code > 57) return undefined
    }
    total += BigInt(value)
  }
  return total.toString()
}

function union(readings: readonly Reading[]): string {
  const items = new Set<string>()
  for (const { value } of readings) for (const item of value.split(',')) if (item.trim() !== '') items.add(item.trim())
  return [...items].join(',')
}
