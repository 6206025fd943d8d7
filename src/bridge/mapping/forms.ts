import type { Text } from './declaration.ts'

const UNITS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 }

/**
 * Returns the seconds of a duration of RouterOS (`1w2d3h4m5s`, `00:10:00`, `1d02:03:04`), rounded down; undefined for
 * `never`, `none` and other texts.
 */
export function secondsOf(text: Text): number | undefined {
  if (text === undefined) return undefined
  const clock = /^(?:(\d+)d)?(\d+):(\d{2}):(\d{2})$/.exec(text)
  if (clock !== null) {
    const [days, hours, minutes, seconds] = clock.slice(1).map((part) => Number(part ?? 0)) as [
      number,
      number,
      number,
      number,
    ]
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds
  }
  if (!/^(\d+(ms|us|[wdhms]))+$/.test(text)) return undefined
  let seconds = 0
  for (const [, count, unit = ''] of text.matchAll(/(\d+)(ms|us|[wdhms])/g))
    seconds += Number(count) * (UNITS[unit] ?? 0)
  return seconds
}

/**
 * Returns the kbit/s of a rate of RouterOS (`1Gbps`, `866.6Mbps-80MHz/2S/SGI`, or plain bit/s), rounded down; undefined
 * for other texts.
 */
export function kbitsOf(text: Text): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(Gbps|Mbps|kbps|bps)?(?:$|-)/.exec(text ?? '') ?? []
  const factor: Readonly<Record<string, number>> = { Gbps: 1_000_000, Mbps: 1000, kbps: 1, bps: 0.001, '': 0.001 }
  return number === undefined ? undefined : Math.floor(Number(number) * (factor[unit] ?? 0) + 1e-9)
}

/** Returns the dBm of a signal (`-55`, `-51@1Mbps`, `-55dBm@6Mbps`); undefined for other texts. */
export function dbmOf(text: Text): number | undefined {
  const [, number] = /^(-?\d+(?:\.\d+)?)(?:dBm)?(?:@.*)?$/.exec(text ?? '') ?? []
  return number === undefined ? undefined : Math.round(Number(number))
}
