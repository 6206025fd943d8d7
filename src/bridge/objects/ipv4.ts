import { isIPv4 } from 'node:net'
import { bitsOf } from '../../routeros/index.ts'
import { DraftRefusal } from '../write/draft.ts'

/** Returns an address and a mask as RouterOS has them together; DraftRefusal. */
export function prefixOf(address: string, mask: string, paths: { address: string; mask: string }): string {
  if (!isIPv4(address)) throw new DraftRefusal(paths.address, 7012, 'must be an IPv4 address')
  const bits = bitsOf(mask)
  if (bits === undefined) throw new DraftRefusal(paths.mask, 7012, 'must be a netmask')
  return `${address}/${bits}`
}
