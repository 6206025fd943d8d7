import type { Transform } from '../transform.ts'
import { objectOf, quoted, refusal, type Theme, toSource, wholeIn } from './basics.ts'

/** A new date this close to the one before it is the same date: seconds left are read at slightly different times. */
const SAME_DATE_MS = 120_000
const INFINITE = '9999-12-31T23:59:59Z'
const UNKNOWN_TIME = '0001-01-01T00:00:00Z'

/** Seconds from now become a date in UTC. */
const secondsToDate: Transform = {
  needsPrevious: true,
  read(raw, context) {
    const seconds = wholeIn(raw)
    if (seconds === undefined || seconds < -1 || seconds > 0xffffffff) return undefined
    if (seconds === -1) return INFINITE
    if (seconds === 0) return UNKNOWN_TIME
    const time = context.at + seconds * 1000
    const before = context.previous?.value
    if (before !== undefined && Math.abs(Date.parse(before) - time) < SAME_DATE_MS) return before
    return `${new Date(time).toISOString().slice(0, 19)}Z`
  },
}

/** A longer uptime is no reading: no CPE runs for 20 years, and some show one of all ones for none. */
export const MAX_UPTIME_S = 20 * 365 * 86_400

/** Returns an uptime in seconds; undefined for a text that is none. */
function uptimeIn(raw: string): number | undefined {
  const seconds = wholeIn(raw)
  return seconds === undefined || seconds < 0 || seconds > MAX_UPTIME_S ? undefined : seconds
}

/** Seconds of the device, or of a connection that has them while it is up alone. */
const uptime: Transform = { read: (raw) => uptimeIn(raw)?.toString() }

/** Seconds connected are the time since the last change while the connection is up; a device keeps no other. */
const uptimeToLastChange: Transform = {
  reads: ['ConnectionStatus'],
  read(raw, context) {
    const status = context.raw(`${objectOf(context)}ConnectionStatus`)?.trim()
    return status === 'Connected' ? uptimeIn(raw)?.toString() : undefined
  },
}

const OFFSET = /^([+-])(\d{1,2}):?(\d{2})$/

/** Offset from UTC; POSIX counts the other way. It knows no daylight saving. */
const tzOffset: Transform = {
  read(raw) {
    const [, sign, hour = '', minute = ''] = OFFSET.exec(raw.trim().slice(0, 16)) ?? []
    const hours = Number(hour)
    if (sign === undefined || hours > 14 || Number(minute) > 59) return undefined
    if (hours === 0 && minute === '00') return 'UTC0'
    const name = `${sign}${hour.padStart(2, '0')}${minute === '00' ? '' : minute}`
    return `<${name}>${sign === '+' ? '-' : ''}${hours}${minute === '00' ? '' : `:${minute}`}`
  },
}

const NAME = '(?:[A-Za-z]{3,10}|<[A-Za-z0-9+-]{1,12}>)'
const TIME = '[+-]?\\d{1,3}(?::\\d{1,2}){0,2}'
const DAY = '(?:J?\\d{1,3}|M\\d{1,2}\\.[1-5]\\.[0-6])'
const RULE = `,${DAY}(?:/${TIME})?`
const POSIX = new RegExp(`^${NAME}${TIME}(?:${NAME}(?:${TIME})?(?:${RULE}${RULE})?)?$`)

function isPosix(text: string): boolean {
  return text.length <= 256 && POSIX.test(text)
}

/** The name of a time zone counts where it is the POSIX string that TR-098 asks for; a city is no value. */
const tzName: Transform = {
  read(raw) {
    const text = raw.trim()
    return isPosix(text) ? text : undefined
  },
  write(value, context) {
    const text = value.trim()
    if (!isPosix(text))
      throw refusal(context, `${quoted(value)} is no POSIX time zone; write one such as CET-1CEST,M3.5.0,M10.5.0/3`)
    return toSource(context, text)
  },
}

/** Dates, durations and time zones. */
export const TIMES: Theme = { secondsToDate, tzName, tzOffset, uptime, uptimeToLastChange }
