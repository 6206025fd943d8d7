const RATE = /^(\d{1,12}(?:\.\d{1,6})?)\s?([kMGT]?)(?:bps|b\/s)?(?![\d.A-Za-z])/
const KBITS: Readonly<Record<string, number>> = { k: 1, M: 1000, G: 1e6, T: 1e9 }

/**
 * Returns kbit/s of a rate: `1Gbps`, `432.3Mbps`, `866.6Mbps-80MHz/2S/SGI`, `100M-full`, `1G-baseT-full`, or a whole
 * number of bit/s. The rest after the unit is left out.
 */
export function parseRateKbps(text: string): number | undefined {
  const match = RATE.exec(text)
  if (match === null) return undefined
  const [, digits = '', unit = ''] = match
  if (unit !== '') return Math.floor(Number((Number(digits) * (KBITS[unit] ?? 0)).toFixed(3)))
  return digits.includes('.') ? undefined : Math.floor(Number(digits) / 1000)
}

/** Returns whole dBm of a signal: `-55`, `-51@1Mbps`, `-55dBm@6Mbps`. */
export function parseSignal(text: string): number | undefined {
  const match = /^(-?\d{1,3})(?:\.\d+)?(?:\s?dBm)?(?:@.*)?$/.exec(text)
  return match === null ? undefined : Number(match[1])
}

/**
 * Returns thousandths of a dBm of an optical power: `-12.5`, `-12.5dBm`. A whole number beyond 100 is in thousandths
 * already, as some versions give it.
 */
export function parseOpticalPower(text: string): number | undefined {
  return thousandths(/^(-?\d{1,6}(?:\.\d{1,3})?)(?:\s?dBm)?$/.exec(text)?.[1], 100)
}

/** Returns millivolts of a supply voltage: `3.29`, `3.29V`, or `3298`, which is in millivolts already. */
export function parseMillivolts(text: string): number | undefined {
  return thousandths(/^(\d{1,6}(?:\.\d{1,3})?)(?:\s?V)?$/.exec(text)?.[1], 100)
}

function thousandths(digits: string | undefined, limit: number): number | undefined {
  if (digits === undefined) return undefined
  const value = Number(digits)
  return Math.abs(value) > limit && Number.isInteger(value) ? value : Math.round(value * 1000)
}
