/** A security mode as a set of what it takes part in: the words of BeaconType differ from device to device. */
export type Beacon = 'none' | 'basic' | 'wpa' | 'wpa2' | 'wpa-wpa2' | 'wpa3' | 'wpa2-wpa3'

/** Spellings of BeaconType in letters and digits alone, with 11i as wpa2 and without Basic beside another word. */
const BEACONS: readonly (readonly [string, Beacon])[] = [
  ['none', 'none'],
  ['open', 'none'],
  ['basic', 'basic'],
  ['wep', 'basic'],
  ['wpa', 'wpa'],
  ['wpa2', 'wpa2'],
  ['wpawpa2', 'wpa-wpa2'],
  ['wpa2wpa', 'wpa-wpa2'],
  ['wpa3', 'wpa3'],
  ['sae', 'wpa3'],
  ['wpa3sae', 'wpa3'],
  ['wpa2wpa3', 'wpa2-wpa3'],
  ['wpa3wpa2', 'wpa2-wpa3'],
  ['wpa2pskwpa3sae', 'wpa2-wpa3'],
  ['wpawpa2wpa3', 'wpa2-wpa3'],
  ['wpa3transition', 'wpa2-wpa3'],
]

/** Returns the mode that a spelling of BeaconType means; undefined when it is none that is known. */
export function beaconOf(text: string): Beacon | undefined {
  if (text.length > 40) return undefined
  const word = text
    .toLowerCase()
    .replace(/(?:ieee)?11i/g, 'wpa2')
    .replace(/and|mixed|personal|[^a-z0-9]/g, '')
  const bare = word === 'basic' ? word : word.replace(/^basic/, '')
  return BEACONS.find(([spelling]) => spelling === bare || `${spelling}psk` === bare)?.[1]
}

/** Words of TR-098, and of the vendors where TR-098 has none. */
const STANDARD: Readonly<Record<Beacon, string>> = {
  none: 'None',
  basic: 'Basic',
  wpa: 'WPA',
  wpa2: '11i',
  'wpa-wpa2': 'WPAand11i',
  wpa3: 'WPA3',
  'wpa2-wpa3': '11iandWPA3',
}

/** Words of devices that say WPA2 where TR-098 says 11i. */
const WPA2_WORDS: Readonly<Record<Beacon, string>> = {
  ...STANDARD,
  wpa2: 'WPA2',
  'wpa-wpa2': 'WPA/WPA2',
  'wpa2-wpa3': 'WPA2/WPA3',
}

/**
 * Returns the word for a mode in the spelling of a device: its own word where it shows one (`choices`, then `shown`),
 * else the word of the style that it shows. Undefined when the device lists its choices and has none for the mode.
 */
export function beaconWord(beacon: Beacon, shown: readonly string[], choices: readonly string[]): string | undefined {
  const means = (word: string) => beaconOf(word) === beacon && !/^basic./i.test(word)
  const own = choices.find(means) ?? (choices.length === 0 ? shown.find(means) : undefined)
  if (own !== undefined || choices.length > 0) return own
  if (shown.some((word) => word.includes('11i'))) return STANDARD[beacon]
  if (shown.some((word) => /wpa[a-z]*wpa2$/i.test(word)) && beacon === 'wpa2') return 'WPA2'
  return shown.some((word) => /wpa2/i.test(word)) ? WPA2_WORDS[beacon] : STANDARD[beacon]
}

const ENCRYPTION: readonly (readonly [string, string])[] = [
  ['TKIPEncryption', 'TKIP'],
  ['AESEncryption', 'AES'],
  ['TKIPandAESEncryption', 'TKIP,AES'],
  ['WEPEncryption', ''],
  ['WEPandTKIPEncryption', 'TKIP'],
  ['WEPandAESEncryption', 'AES'],
  ['WEPandTKIPandAESEncryption', 'TKIP,AES'],
]

/** Returns the list of TR-181 for a word of TR-098; undefined when it is none. WEP has no place in it. */
export function encryptionOf(text: string): string | undefined {
  const word = text.trim().toLowerCase()
  const known = ENCRYPTION.find(([own]) => own.toLowerCase() === word)?.[1]
  if (known !== undefined) return known
  // Vendors leave the word Encryption out, and say CCMP for AES.
  const short = word
    .slice(0, 40)
    .replace(/encryption|and|wep|[^a-z]/g, '')
    .replace('ccmp', 'aes')
  if (short === 'aes') return 'AES'
  if (short === 'tkip') return 'TKIP'
  return short === 'tkipaes' || short === 'aestkip' ? 'TKIP,AES' : undefined
}

/** Returns the word of TR-098 for a list of TR-181 in any order; undefined when there is none. */
export function encryptionWord(list: string): string | undefined {
  const items = new Set(list.split(',').map((item) => item.trim()))
  const ordered = ['TKIP', 'AES'].filter((item) => items.has(item))
  return ordered.length !== items.size ? undefined : ENCRYPTION.find(([, own]) => own === ordered.join(','))?.[0]
}
