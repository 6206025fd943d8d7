import { createHmac } from 'node:crypto'

const MAC = /\b[0-9A-F]{2}(?:[:-][0-9A-F]{2}){5}\b/gi

/** Changes texts before they are published. */
export type Privacy = <T>(value: T) => T

/** Publishes everything as it is. */
export const NO_PRIVACY: Privacy = (value) => value

/**
 * Returns the change that puts a keyed hash in the place of each hardware address. The same address has the same hash as
 * long as the key is the same; without the key it cannot be found by trying all addresses.
 */
export function hashedAddresses(key: Buffer): Privacy {
  const hash = (mac: string) =>
    `mac-${createHmac('sha256', key).update(mac.toUpperCase().replaceAll('-', ':')).digest('hex').slice(0, 16)}`
  const text = (one: string) => one.replaceAll(MAC, hash)
  return (value) =>
    JSON.parse(JSON.stringify(value), (_key, one: unknown) => {
      if (typeof one === 'string') return text(one)
      if (typeof one !== 'object' || one === null || Array.isArray(one)) return one
      return Object.fromEntries(Object.entries(one).map(([name, inside]) => [text(name), inside]))
    })
}
