import { figure } from './print.ts'

/** A measured figure beside what was to be reached. */
export interface Reach {
  name: string
  /** Undefined where this machine does not report it. */
  value: number | undefined
  unit: string
  digits: number
  limit: number
  /** `less`: the value should stay below the limit; `more`: above it. */
  better: 'less' | 'more'
}

/** Undefined when nothing was measured. */
export function isReached({ value, limit, better }: Reach): boolean | undefined {
  if (value === undefined) return undefined
  return better === 'less' ? value <= limit : value >= limit
}

/** The limit in words: `at most 0.35 ms`. */
export function limitText({ limit, unit, better }: Reach): string {
  return `${better === 'less' ? 'at most' : 'at least'} ${limit} ${unit}`
}

export function valueText({ value, unit, digits }: Reach): string {
  return figure(value, unit, digits)
}
