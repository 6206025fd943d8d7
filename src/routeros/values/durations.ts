const UNITS_US: Readonly<Record<string, number>> = {
  w: 604_800e6,
  d: 86_400e6,
  h: 3_600e6,
  m: 60e6,
  s: 1e6,
  ms: 1e3,
  us: 1,
}
/** `1w2d3h4m5s`, `4s750ms`, `453us`. */
const PARTS =
  /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?(?:(\d+)us)?$/
/** `00:10:00`, `1d02:03:04`, `00:00:05.250`. */
const CLOCK = /^(?:(\d+)w)?(?:(\d+)d)?(\d+):(\d\d):(\d\d(?:\.\d+)?)$/
const UNIT_NAMES = ['w', 'd', 'h', 'm', 's', 'ms', 'us']

/**
 * Returns microseconds of a duration; null for `never`, `none` and an empty text, undefined for a text that is none. A
 * bare number is seconds.
 */
export function parseDurationUs(text: string): number | null | undefined {
  if (text === '' || text === 'never' || text === 'none') return null
  if (/^\d+(?:\.\d+)?$/.test(text)) return bounded(Number(text) * 1e6)
  const clock = CLOCK.exec(text)
  if (clock !== null) return sum(clock.slice(1), ['w', 'd', 'h', 'm', 's'])
  const parts = PARTS.exec(text)
  return parts === null ? undefined : sum(parts.slice(1), UNIT_NAMES)
}

/** Returns whole seconds of a duration, as `parseDurationUs` reads it. */
export function parseDurationSeconds(text: string): number | null | undefined {
  const us = parseDurationUs(text)
  return us === undefined || us === null ? us : Math.floor(us / 1e6)
}

/** Returns whole seconds as RouterOS writes them: `1d2h3m4s`, `0s`. RangeError for what is no duration. */
export function formatDuration(seconds: number): string {
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw new RangeError('a duration is a whole number of seconds')
  let rest = seconds
  let text = ''
  for (const [unit, size] of [
    ['w', 604_800],
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) text += `${count}${unit}`
  }
  return text === '' ? '0s' : text
}

function sum(counts: readonly (string | undefined)[], units: readonly string[]): number | undefined {
  return bounded(units.reduce((total, unit, i) => total + Number(counts[i] ?? 0) * (UNITS_US[unit] ?? 0), 0))
}

function bounded(us: number): number | undefined {
  const rounded = Math.round(us)
  return Number.isSafeInteger(rounded) ? rounded : undefined
}
