import { wordIn } from './conversions.ts'
import type { Text } from './declaration.ts'

/** Returns the number of the channel at a frequency in MHz; undefined for frequencies without one. */
export function channelOf(megahertz: number): Text {
  if (megahertz === 2484) return '14'
  if (megahertz >= 2412 && megahertz <= 2472) return whole((megahertz - 2407) / 5)
  if (megahertz >= 5955 && megahertz <= 7115) return whole((megahertz - 5950) / 5)
  if (megahertz > 5000 && megahertz < 5925) return whole((megahertz - 5000) / 5)
  return undefined
}

function whole(number: number): Text {
  return Number.isInteger(number) && number >= 1 && number <= 255 ? String(number) : undefined
}

/** Returns the band of a frequency in MHz. */
export function bandAt(megahertz: number): Text {
  if (megahertz >= 2300 && megahertz < 2500) return '2.4GHz'
  if (megahertz >= 4900 && megahertz < 5925) return '5GHz'
  return megahertz >= 5925 && megahertz <= 7125 ? '6GHz' : undefined
}

/** Returns the band of a text such as `5ghz-ax`; undefined when it names none. */
export function bandOf(text: Text): Text {
  const [, digit] = /^([256])ghz/.exec(text ?? '') ?? []
  return digit === undefined ? undefined : digit === '2' ? '2.4GHz' : `${digit}GHz`
}

/** Returns the bands that a list of modes such as `5ghz-a:20mhz,5ghz-ax:20/40mhz` has. */
export function bandsIn(text: Text): Text {
  const bands = new Set([...(text ?? '').matchAll(/\b([256])ghz/g)].map(([mode]) => bandOf(mode) ?? ''))
  return bands.size === 0 ? undefined : [...bands].sort().join(',')
}

/** The present channel of a radio, as `monitor` shows it: `5180/ax/Ceee`, or `5220/20-Ceee/an`, `5220/20/an`. */
interface CurrentChannel {
  readonly megahertz: number
  /** Width in MHz. */
  readonly width: number
}

export function currentChannelOf(text: Text): CurrentChannel | undefined {
  const [frequency = '', ...rest] = (text ?? '').split('/')
  if (!/^\d{4}$/.test(frequency)) return undefined
  const extension = rest.flatMap((part) => /(?:^|-)([Ce]{2,16})(?:$|\()/.exec(part)?.[1] ?? [])[0]
  const width = rest.flatMap((part) => /^(\d{2,3})(?:$|[-(])/.exec(part)?.[1] ?? [])[0]
  return { megahertz: Number(frequency), width: extension === undefined ? Number(width ?? 20) : extension.length * 20 }
}

/** Returns the width of a channel in the words of TR-181. */
export function widthName(megahertz: number): Text {
  if (megahertz === 320) return '320MHz-1'
  return [20, 40, 80, 160].includes(megahertz) ? `${megahertz}MHz` : undefined
}

/** Returns the widest channel that a setting such as `20/40/80mhz-Ceee` allows; `Auto` without a setting. */
export function configuredWidth(text: Text): Text {
  if (text === undefined || text === '') return 'Auto'
  if (/80\+80mhz/.test(text)) return '80+80MHz'
  const [, widths] = /^([\d/]+)mhz/.exec(text) ?? []
  return widths === undefined ? undefined : widthName(Math.max(...widths.split('/').map(Number)))
}

/** The only frequency of a setting; undefined where the router chooses one of several. */
export function onlyFrequency(text: Text): number | undefined {
  return text !== undefined && /^\d{4}$/.test(text) ? Number(text) : undefined
}

const STANDARDS: Readonly<Record<string, readonly string[]>> = {
  '2': ['g', 'n', 'ax', 'be'],
  '5': ['a', 'n', 'ac', 'ax', 'be'],
  '6': ['ax', 'be'],
}

/** Returns the standards of a mode: `5ghz-ax` includes the older ones, `5ghz-a/n/ac` lists them, `5ghz-onlyac` is one. */
export function standardsOf(text: Text): Text {
  const [, band = '', names] = /^([256])ghz-(.+)$/.exec(text ?? '') ?? []
  if (names === undefined) return undefined
  if (names.startsWith('only')) return names.slice('only'.length)
  if (names.includes('/')) return names.split('/').join(',')
  const all = STANDARDS[band] ?? []
  const last = all.indexOf(names === 'an' ? 'n' : names)
  return last < 0 ? (names === 'b' ? 'b' : undefined) : all.slice(0, last + 1).join(',')
}

/** Returns the newest standard of a mode. */
export function newestStandard(text: Text): Text {
  return standardsOf(text)?.split(',').at(-1)
}

/** Security modes of TR-181 by the authentication types of RouterOS in order. */
const MODES: Readonly<Record<string, string>> = {
  '': 'None',
  'wpa-psk': 'WPA-Personal',
  'wpa-psk,wpa2-psk': 'WPA-WPA2-Personal',
  'wpa2-psk': 'WPA2-Personal',
  'wpa2-psk,wpa3-psk': 'WPA3-Personal-Transition',
  'wpa-psk,wpa2-psk,wpa3-psk': 'WPA3-Personal-Transition',
  'wpa3-psk': 'WPA3-Personal',
  'wpa-eap': 'WPA-Enterprise',
  'wpa-eap,wpa2-eap': 'WPA-WPA2-Enterprise',
  'wpa2-eap': 'WPA2-Enterprise',
  'wpa3-eap': 'WPA3-Enterprise',
  'wpa2-eap,wpa3-eap': 'WPA3-Enterprise',
  'wpa3-eap-192': 'WPA3-Enterprise',
  owe: 'OWE',
}

/** Returns the security mode of a list of authentication types; undefined for a list that TR-181 has no word for. */
export function securityMode(types: Text): Text {
  const list = (types ?? '').split(',').map((type) => type.trim().replace('-pre-shared-key', '-psk'))
  return wordIn(
    MODES,
    list
      .filter((type) => type !== '')
      .sort()
      .join(','),
  )
}

/** Returns the authentication types of a security mode, as `/interface/wifi` has them. */
export function authenticationTypes(mode: string): Text {
  const found = Object.entries(MODES).find(([, name]) => name === mode)
  return found?.[0]
}
