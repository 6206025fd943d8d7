import { BlockList, isIP } from 'node:net'
import { AppError } from './errors.ts'

/** A set of IP networks. */
export interface Networks {
  has(address: string): boolean
}

/**
 * Networks from their text: addresses and CIDR forms, comma between. AppError `invalid` names the part that is none.
 */
export function networksOf(text: string): Networks {
  const list = new BlockList()
  for (const part of text.split(',').map((item) => item.trim())) {
    if (part === '') continue
    const [address = '', bits, ...more] = part.split('/')
    const version = isIP(address)
    const max = version === 4 ? 32 : 128
    const length = bits === undefined ? max : Number(bits)
    if (version === 0 || more.length > 0 || !/^\d{1,3}$/.test(bits ?? '0') || length > max)
      throw new AppError(
        'invalid',
        `${JSON.stringify(part.slice(0, 60))} is no network such as 10.0.0.0/8 or 2001:db8::/32`,
      )
    list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    has(address) {
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

/** An address in its shortest form: IPv4 that is mapped into IPv6 as IPv4, without a zone. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '')
}

/**
 * Returns the holder of a share: an IPv4 address, or the 64 bits of an IPv6 network, whose addresses belong to one
 * customer.
 */
export function shareOf(address: string): string {
  if (isIP(address) !== 6) return address
  return `${groupsOf(address)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight groups of an IPv6 address. */
export function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const [, start = '', ...bytes] = dotted ?? []
  const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number)
  const text = dotted === null ? address : `${start}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  const [head = '', tail] = text.split('::')
  const groups = (part: string) =>
    part.split(':').flatMap((group) => (group === '' ? [] : [Number.parseInt(group, 16)]))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  return [...before, ...Array.from({ length: zeros }, () => 0), ...after]
}
