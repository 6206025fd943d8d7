import { isIPv4, isIPv6 } from 'node:net'
import type { Transform } from '../transform.ts'
import { quoted, refusal, type Theme, toSource } from './basics.ts'

/** 0.0.0.0 on the device means that there is no address. */
const zeroToEmpty: Transform = {
  read(raw) {
    const text = raw.trim()
    return text === '0.0.0.0' ? '' : text
  },
  write(value, context) {
    const text = value.trim()
    if (text === '') return toSource(context, context.raw(context.from)?.trim() === '0.0.0.0' ? '0.0.0.0' : '')
    if (!isIPv4(text)) throw refusal(context, `${quoted(value)} is no IPv4 address`)
    return toSource(context, text)
  },
}

/** A mask in dots and the length of its prefix. */
const maskToPrefix: Transform = {
  read(raw) {
    const text = raw.trim()
    if (text === '') return ''
    if (!isIPv4(text)) return undefined
    const bits = text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
    const zeros = 2 ** 32 - bits
    const length = 32 - Math.log2(zeros)
    return Number.isInteger(length) ? `/${length}` : undefined
  },
  write(value, context) {
    const text = value.trim()
    if (text === '') return toSource(context, '')
    const length = Number(/^\/(\d{1,2})$/.exec(text)?.[1] ?? -1)
    if (length < 0 || length > 32) throw refusal(context, `${quoted(value)} is no IPv4 prefix length such as /24`)
    const bits = 2 ** 32 - 2 ** (32 - length)
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256)
    return toSource(context, bytes.join('.'))
  },
}

const CIRCUIT = /^\d{1,5}\/\d{1,5}$/

/** A permanent virtual circuit: TR-098 writes `PVC:` before it, with or without a space. A switched one has no place. */
const atmDest: Transform = {
  read(raw) {
    const circuit = raw
      .trim()
      .slice(0, 32)
      .replace(/^PVC: ?/i, '')
    return circuit === '' || CIRCUIT.test(circuit) ? circuit : undefined
  },
  write(value, context) {
    const circuit = value.trim()
    if (!CIRCUIT.test(circuit)) throw refusal(context, `${quoted(value)} is no circuit such as 8/35`)
    const prefix = /^(?:PVC: ?)?(?=\d)/i.exec(context.raw(context.from)?.trim() ?? '')?.[0] ?? 'PVC:'
    return toSource(context, prefix + circuit)
  },
}

/** Returns an IPv6 address and the length of its prefix; undefined for none and for the unspecified address. */
function ipv6In(raw: string): { address: string; length: string | undefined } | undefined {
  const [address = '', length, ...rest] = raw.trim().slice(0, 64).split('/')
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= 128)
  if (!isIPv6(address) || /^[0:]*$/.test(address) || !isLength || rest.length > 0) return undefined
  return { address, length }
}

/** IPv6 addresses and prefixes that vendors show, the address with or without the length of its prefix. */
const IPV6: Theme = {
  ipv6Address: { read: (raw) => ipv6In(raw)?.address },
  ipv6Prefix: {
    read(raw) {
      const { address, length } = ipv6In(raw) ?? {}
      return address === undefined || length === undefined || length === '0' ? undefined : `${address}/${length}`
    },
  },
}

/** IPv4 addresses, masks, circuits of ATM, and IPv6. */
export const ADDRESSES: Theme = { atmDest, maskToPrefix, zeroToEmpty, ...IPV6 }
