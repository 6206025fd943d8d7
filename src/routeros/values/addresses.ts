import { isIP, isIPv4 } from 'node:net'

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

/** Returns the mask of so many bits, 0 to 32: `255.255.255.0`. RangeError. */
export function maskOf(bits: number): string {
  if (!Number.isInteger(bits) || bits < 0 || bits > 32) throw new RangeError('a mask of IPv4 has 0 to 32 bits')
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join('.')
}

/** Returns the bits of a mask of IPv4; undefined for a text that is none. */
export function bitsOf(mask: string): number | undefined {
  if (!isIPv4(mask)) return undefined
  const bits = addressNumber(mask).toString(2).padStart(32, '0')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined
}

/** Returns an IPv4 address as a number. */
export function addressNumber(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

/** Returns the network of so many bits that an IPv4 address is in, e.g. `192.168.88.0/24`. */
export function networkOf(address: string, bits: number): string {
  const size = 2 ** (32 - bits)
  const first = Math.floor(addressNumber(address) / size) * size
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${bits}`
}

/** Returns true when an address of IPv4 is in a network; false also for texts that are none. */
export function isInNetwork(address: string, prefix: string): boolean {
  const network = parsePrefix(prefix)
  if (network === undefined || !isIPv4(network.address) || !isIPv4(address)) return false
  return networkOf(address, network.bits) === networkOf(network.address, network.bits)
}
