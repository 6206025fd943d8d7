import { parseDate, parseGmtOffset } from '../../routeros/index.ts'
import { isTrue, truth } from './conversions.ts'
import type { ObjectMapping } from './declaration.ts'
import { kept, shownFrom } from './parameters.ts'

/** The clock, and the client that sets it. */
const TIME: ObjectMapping = {
  object: 'Device.Time.',
  needs: ['/system/clock'],
  source: { menu: '/system/clock' },
  joins: { ntp: { menu: '/system/ntp/client' } },
  parameters: {
    Enable: kept('ntp:enabled', truth),
    Status: shownFrom(['ntp:enabled', 'ntp:status'], ([enabled, status]) => {
      if (!isTrue(enabled)) return 'Disabled'
      return status === undefined || status === 'synchronized' ? 'Synchronized' : 'Unsynchronized'
    }),
    CurrentLocalTime: shownFrom(['date', 'time', 'gmt-offset'], ([date, time, zone]) => {
      const offset = parseGmtOffset(zone ?? '') ?? 0
      const utc = parseDate(`${date} ${time}`, offset)
      if (utc === undefined) return undefined
      const sign = offset < 0 ? '-' : '+'
      const minutes = Math.floor(Math.abs(offset) / 60)
      const two = (number: number) => String(number).padStart(2, '0')
      const local = new Date(utc + offset * 1000).toISOString().slice(0, 19)
      return `${local}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
    }),
  },
}

export const TIME_OBJECTS = [TIME]
