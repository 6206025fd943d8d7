import { isIP, isIPv4 } from 'node:net'

/** Ports from one to another, both included. */
interface PortRange {
  from: number
  to: number
}

/** Returns the items of a list with commas; an empty text has none. Undefined for a negated list (`!a,b`). */
export function parseList(text: string): string[] | undefined {
  if (text.startsWith('!')) return undefined
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Returns the list of these items. RangeError for an item that would be two, or none. */
export function formatList(items: readonly string[]): string {
  for (const item of items)
    if (item === '' || item.trim() !== item || /^!|[,\x00-\x1f\x7f]/.test(item))
      throw new RangeError('an item of a list cannot be written')
  return items.join(',')
}

/** Returns the ports of `80,443,5000-5010`; undefined for a negated list and for a text that is none. */
export function parsePorts(text: string): PortRange[] | undefined {
  const ranges: PortRange[] = []
  for (const item of parseList(text) ?? [text]) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(item)
    if (match === null) return undefined
    const from = Number(match[1])
    const to = Number(match[2] ?? match[1])
    if (from > to || to > 65_535) return undefined
    ranges.push({ from, to })
  }
  return ranges
}

/** Returns the text of ports. RangeError for a range that is none. */
export function formatPorts(ranges: readonly PortRange[]): string {
  return ranges
    .map(({ from, to }) => {
      if (![from, to].every((port) => Number.isInteger(port) && port >= 0 && port <= 65_535) || from > to)
        throw new RangeError('a port is from 0 to 65535')
      return from === to ? String(from) : `${from}-${to}`
    })
    .join(',')
}

/** An address and the bits of its network. */
interface Prefix {
  address: string
  bits: number
}

/** Returns address and bits of `192.168.88.1/24`; an address without bits has all of them. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  const all = version === 4 ? 32 : 128
  const length = bits === undefined ? all : Number(bits)
  if (version === 0 || address.includes('%') || more.length > 0 || !/^\d{1,3}$/.test(bits ?? '0') || length > all)
    return undefined
  return { address, bits: length }
}

/** Returns the text of a prefix. RangeError for one that is none. */
export function formatPrefix({ address, bits }: Prefix): string {
  const text = `${address}/${bits}`
  if (parsePrefix(text) === undefined) throw new RangeError('an address with its bits was expected')
  return text
}

/** Returns the mask of so many bits, 0 to 32: `255.255.255.0`. RangeError. */
export function maskOf(bits: number): string {
  if (!Number.isInteger(bits) || bits < 0 || bits > 32) throw new RangeError('a mask of IPv4 has 0 to 32 bits')
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join('.')
}

/** Returns the bits of a mask of IPv4; undefined for a text that is none. */
export function bitsOf(mask: string): number | undefined {
  if (!isIPv4(mask)) return undefined
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined
}

/** Returns a MAC address in upper case with colons; undefined for a text that is none. */
export function parseMac(text: string): string | undefined {
  return /^[0-9A-F]{2}(?:[:-][0-9A-F]{2}){5}$/i.test(text) ? text.toUpperCase().replaceAll('-', ':') : undefined
}
