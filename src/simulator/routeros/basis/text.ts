/** Texts as routers print them, and the readings of those that they take. */

const UNITS = [
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** Returns a span as `1w2d3h4m5s`; `0s` for none. */
export function writeDuration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds))
  let text = ''
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text === '' ? '0s' : text
}

/** Returns the seconds of `1w2d3h4m5s`, `1d02:03:04`, `00:10:00` or `600`; undefined for any other text. */
export function readDuration(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const [, days = '', hours, minutes, seconds] = /^(\d+d)?(\d{1,2}):(\d\d):(\d\d)$/.exec(text) ?? []
  if (hours !== undefined)
    return Number(days.slice(0, -1)) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  const parts = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:\d+ms)?$/.exec(text)
  if (text === '' || parts === null) return undefined
  return UNITS.reduce((sum, [, size], i) => sum + Number(parts[i + 1] ?? 0) * size, 0)
}

/** Returns a time of a router as its clock shows it: `2025-06-03 12:25:25`, before 7.10 `jun/03/2025 12:25:25`. */
export function writeDate(ms: number, isIso: boolean): string {
  const { date, time } = dateParts(ms, isIso)
  return `${date} ${time}`
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** Returns date and time on their own. */
export function dateParts(ms: number, isIso: boolean): { date: string; time: string } {
  const [iso = '', rest = ''] = new Date(ms).toISOString().split('T')
  const [year = '', month = '', day = ''] = iso.split('-')
  return { date: isIso ? iso : `${MONTHS[Number(month) - 1]}/${day}/${year}`, time: rest.slice(0, 8) }
}

/** Returns a fixed number from 0 to below 1 for a text. */
export function partOf(text: string): number {
  let hash = 2_166_136_261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619)
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}
