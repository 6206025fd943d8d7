import { isIPv4 } from 'node:net'
import { DraftRefusal } from '../write/draft.ts'

/** Returns the length of a netmask such as `255.255.255.0`; undefined for a text that is none. */
export function maskLength(mask: string): number | undefined {
  if (!isIPv4(mask)) return undefined
  const bits = numberOf(mask).toString(2).padStart(32, '0')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined
}

/** Returns an IPv4 address as a number. */
export function numberOf(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

/** Returns the network that an address is in, e.g. `192.168.88.0/24`. */
export function networkOf(address: string, length: number): string {
  const size = 2 ** (32 - length)
  const first = Math.floor(numberOf(address) / size) * size
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${length}`
}

/** Returns true when an address is in a network. */
export function isInside(address: string, prefix: string): boolean {
  const [network = '', length = ''] = prefix.split('/')
  return isIPv4(address) && isIPv4(network) && networkOf(address, Number(length)) === networkOf(network, Number(length))
}

/** Returns an address and a mask as RouterOS has them together; DraftRefusal. */
export function prefixOf(address: string, mask: string, paths: { address: string; mask: string }): string {
  if (!isIPv4(address)) throw new DraftRefusal(paths.address, 7012, 'must be an IPv4 address')
  const length = maskLength(mask)
  if (length === undefined) throw new DraftRefusal(paths.mask, 7012, 'must be a netmask')
  return `${address}/${length}`
}
