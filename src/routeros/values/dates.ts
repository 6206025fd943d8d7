const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
/** `2025-06-03 12:25:25`, since 7.10. */
const ISO = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/
/** `jun/03/2025 12:25:25`, before. */
const OLD = /^([a-z]{3})\/(\d\d)\/(\d{4}) (\d\d):(\d\d):(\d\d)$/i

/** Returns seconds east of UTC of `gmt-offset` of /system/clock: `+02:00`, or a number of seconds. */
export function parseGmtOffset(text: string): number | undefined {
  const match = /^([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text)
  if (match === null) return /^-?\d{1,5}$/.test(text) ? Number(text) : undefined
  const [, sign, hours, minutes, seconds = 0] = match
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return sign === '-' && size > 0 ? -size : size
}

/**
 * Returns milliseconds since the Unix epoch of a date of a router, whose clock shows the time of its zone. Undefined for
 * a text that is no date.
 */
export function parseDate(text: string, gmtOffsetSeconds: number): number | undefined {
  const iso = ISO.exec(text)
  const old = iso === null ? OLD.exec(text) : null
  const parts = iso ?? (old === null ? null : [old[0], old[3], monthOf(old[1]), old[2], ...old.slice(4)])
  if (parts === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number)
  const local = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  const isReal =
    local.getUTCMonth() === month - 1 && local.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  return isReal ? local.getTime() - gmtOffsetSeconds * 1000 : undefined
}

/** Returns a date of a router as dateTime of TR-181 in UTC: `2025-06-03T10:25:25Z` (TR-106 3.2). */
export function toDateTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

function monthOf(name = ''): number {
  return MONTHS.indexOf(name.toLowerCase()) + 1
}
