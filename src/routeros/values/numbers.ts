const MAX_64 = 2n ** 64n - 1n

/** Returns a counter of 64 bits; undefined for a text that is none. */
export function parseCounter(text: string): bigint | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined
  const value = BigInt(text)
  return value > MAX_64 ? undefined : value
}

/** Returns the value of a counter of 32 bits that counts the same: TR-181 has errors and discards in 32 bits. */
export function toCounter32(value: bigint): number {
  return Number(BigInt.asUintN(32, value))
}

/** Returns true or false of `true`, `false`, `yes` and `no`; undefined for another text. */
export function parseBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === 'yes') return true
  if (text === 'false' || text === 'no') return false
  return undefined
}

/** Returns `yes` or `no`, which every version takes. */
export function formatBoolean(value: boolean): string {
  return value ? 'yes' : 'no'
}

const BINARY: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }

/** Returns bytes of an amount of memory: a number of bytes, or `12.5MiB` as a console shows it. */
export function parseBytes(text: string): bigint | undefined {
  const match = /^(\d{1,20})(?:\.(\d{1,6}))?(Ki|Mi|Gi|Ti|)B?$/.exec(text)
  if (match === null) return undefined
  const [, whole = '', part = '', unit = ''] = match
  const size = BINARY[unit] ?? 1
  if (part !== '' && size === 1) return undefined
  const value = BigInt(whole) * BigInt(size) + BigInt(Math.floor(Number(`0.${part || 0}`) * size))
  return value > MAX_64 ? undefined : value
}

/** Returns whole KiB of bytes. */
export function toKib(bytes: bigint): bigint {
  return bytes / 1024n
}

const DECIMAL: Readonly<Record<string, bigint>> = { '': 1n, k: 1000n, M: 1_000_000n, G: 1_000_000_000n }

/**
 * Returns the two halves of a pair: `123,456` of wireless counters (sent, received), `10M/50M` of queues (up, down).
 */
export function parsePair(text: string): [bigint, bigint] | undefined {
  const match = /^(\d{1,20})([kMG]?)[,/](\d{1,20})([kMG]?)$/.exec(text)
  if (match === null) return undefined
  const [, first = '', firstUnit = '', second = '', secondUnit = ''] = match
  const pair: [bigint, bigint] = [
    BigInt(first) * (DECIMAL[firstUnit] ?? 1n),
    BigInt(second) * (DECIMAL[secondUnit] ?? 1n),
  ]
  return pair.some((value) => value > MAX_64) ? undefined : pair
}
