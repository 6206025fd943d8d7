import { macIn } from '../facts/readings.ts'
import type { DeviceChange } from './change.ts'
import type { Device } from './device.ts'

/** Characters of a text that is searched for. */
export const MAX_SEARCH = 128
/** Keys of one device at most, and characters of one. */
const MAX_KEYS = 96
const MAX_KEY = 128

/**
 * Returns the texts by which a device is found, in lower case: id, serial number, Endpoint ID, MAC addresses (as 12
 * digits), IP addresses, PPP user, SSIDs, tags, and its label from each of its words on.
 */
export function searchKeys(device: Device): string[] {
  const { id, oui, serial, binding, ipAddress, wan, wifi, label, tags } = device
  const macs = [wan?.macAddress, serial, `${oui}${serial}`].map((text) => macIn(text))
  const texts = [
    id,
    serial,
    binding?.endpointId,
    ipAddress,
    wan?.ipAddress,
    wan?.pppUser,
    ...partsOf(label ?? ''),
    ...tags,
    ...(wifi?.ssids ?? []),
  ]
  const keys = [...texts, ...macs.map((mac) => mac?.replaceAll(':', ''))].flatMap((text) => {
    const key = keyOf(text ?? '')
    return key === '' ? [] : [key]
  })
  return [...new Set(keys)].slice(0, MAX_KEYS)
}

/** Words of a label at which a person may begin to write it. */
const MAX_WORDS = 12

/** Returns a label from each of its words on: `Oak Street 12` is found by `street`, too. */
function partsOf(label: string): string[] {
  const starts = [...label.matchAll(/(?<=^|[^\p{L}\p{N}])[\p{L}\p{N}]/gu)].map(({ index }) => index)
  return [label, ...starts.slice(0, MAX_WORDS).map((start) => label.slice(start))]
}

function keyOf(text: string): string {
  return text.trim().toLowerCase().slice(0, MAX_KEY)
}

/**
 * Returns the beginnings of keys that a text of a person means: itself in lower case, and the digits of what may be the
 * beginning of a MAC address, whatever stands between them.
 */
export function searchTexts(text: string): string[] {
  const key = keyOf(text)
  const isMac =
    /^[0-9a-f]{2}([:-]?[0-9a-f]{2}){1,5}[:-]?[0-9a-f]?$/.test(key) || /^[0-9a-f]{4}(\.[0-9a-f]{1,4}){1,2}\.?$/.test(key)
  const digits = key.replace(/[:.-]/g, '')
  if (!isMac || digits === key || digits.length > 12) return [key]
  // An OUI or more between separators is nothing else.
  return digits.length >= 6 ? [digits] : [key, digits]
}

/** Fields of a record that are searched for; its id, OUI and serial number do not change. */
const SEARCHED: readonly string[] = [
  'label',
  'tags',
  'ipAddress',
  'binding',
  'wan.ipAddress',
  'wan.macAddress',
  'wan.pppUser',
  'wifi.ssids',
]

/** Returns true when a change of a record may change the texts by which it is found. */
export function bearsOnSearch({
  create,
  set = {},
  unset = [],
}: Pick<DeviceChange, 'create' | 'set' | 'unset'>): boolean {
  return (
    create !== undefined ||
    SEARCHED.some((field) => Object.hasOwn(set, field)) ||
    unset.some((field) => SEARCHED.includes(field))
  )
}
