import { booleanIn } from '../booleans.ts'
import { bandOf } from '../rules/band.ts'
import type { Transform, TransformContext } from '../transform.ts'
import { objectOf, quoted, refusal, type Theme, toSource, wholeIn } from './basics.ts'

const ORDER = ['a', 'b', 'g', 'n', 'ac', 'ax', 'be']

/** Returns the letters of a spelling such as `11bgn`, `b/g/n`, `an+ac`, `n 2*2`; undefined when it has others. */
function lettersIn(text: string): string[] | undefined {
  let rest = text
    .replace(/802\.11/g, ' ')
    .replace(/\d+ ?[*x] ?\d+/g, ' ')
    .replace(/11|mixed|mode|only|and|[^a-z0-9]/g, ' ')
    .trim()
  const found = new Set<string>()
  while (rest !== '') {
    const letters = ['ac', 'ax', 'be', 'a', 'b', 'g', 'n'].find((standard) => rest.startsWith(standard))
    if (letters === undefined) return undefined
    found.add(letters)
    rest = rest.slice(letters.length).trimStart()
  }
  return ORDER.filter((standard) => found.has(standard))
}

function standards(raw: string): string | undefined {
  const text = raw.trim().toLowerCase()
  if (text.length > 48) return undefined
  // TR-098: g means both, and g-only is g.
  if (text === 'g') return 'b,g'
  const letters = lettersIn(text)
  return letters === undefined || letters.length === 0 ? undefined : letters.join(',')
}

/**
 * Returns the band that the network of the source shows. A device that took a channel or a standard of another one would
 * have networks of one band alone from then on, and one radio for all of them.
 */
function ownBand(context: TransformContext): string | undefined {
  const tree = { value: (path: string) => context.raw(path), children: (object: string) => context.children(object) }
  return bandOf(tree, objectOf(context))
}

/** Standards that a band does not have. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = { '2.4GHz': ['a'], '5GHz': ['b', 'g'] }

/** The standards of a radio, in the order of age; a write uses the spelling that the device shows. */
const wlanStandard: Transform = {
  read: standards,
  write(value, context) {
    const wanted = standards(value.trim() === 'g' ? 'g-only' : value)
    if (wanted === undefined) throw refusal(context, `${quoted(value)} is no list of ${ORDER.join(', ')}`)
    const band = ownBand(context) ?? ''
    const foreign = FOREIGN[band]?.find((standard) => wanted.split(',').includes(standard))
    if (foreign !== undefined) throw refusal(context, `the radio is that of ${band}, which has no ${quoted(foreign)}`)
    const shown = context.raw(context.from)?.trim() ?? ''
    if (standards(shown) === wanted) return toSource(context, shown)
    const prefix = /^(?:802\.)?11/.exec(shown)?.[0] ?? ''
    const letters = wanted.split(',')
    if (letters.length === 1) return toSource(context, prefix + (wanted === 'g' && prefix === '' ? 'g-only' : wanted))
    const body = shown.slice(prefix.length)
    const separator = shown === '' ? ',' : (/[a-z] ?([,/+])/.exec(body)?.[1] ?? '')
    const inOrder = /^(?:ac|ax|be|n)[^a-z]/.test(body) ? letters.reverse() : letters
    return toSource(context, prefix + inOrder.join(separator))
  },
}

/** A channel; 0 on the device is automatic, and no channel. */
const wlanChannel: Transform = {
  read(raw) {
    const channel = wholeIn(raw)
    return channel === undefined || channel < 1 || channel > 255 ? undefined : String(channel)
  },
  write(value, context) {
    const channel = wholeIn(value)
    if (channel === undefined || channel < 1 || channel > 255)
      throw refusal(context, `${quoted(value)} is no channel; for an automatic one write AutoChannelEnable true`)
    const band = ownBand(context)
    const other = bandOfChannel(channel)
    if (band !== undefined && band !== '6GHz' && other !== undefined && band !== other)
      throw refusal(context, `the radio is that of ${band}, and ${channel} is a channel of ${other}`)
    return toSource(context, String(channel))
  },
}

/** Automatic choice of the channel on devices that have no parameter for it: channel 0. */
const channelAuto: Transform = {
  merges: true,
  read(raw) {
    const channel = wholeIn(raw)
    return channel === undefined ? undefined : String(channel === 0)
  },
  write(value, context) {
    const auto = booleanIn(value)
    if (auto === undefined) throw refusal(context, `${quoted(value)} is no boolean; write true or false`)
    if (auto) return toSource(context, '0')
    const shown = context.requested(context.to.replace(/[^.]*$/, 'Channel')) ?? context.raw(context.from)?.trim()
    if (shown === undefined || shown === '' || wholeIn(shown) === 0)
      throw refusal(context, 'channel 0 is the automatic choice; write Channel instead')
    return toSource(context, shown)
  },
}

/** Two letters of a country and the place: inside, outside, or a space for both. */
const regDomain: Transform = {
  read(raw) {
    const text = raw.trim()
    return /^[A-Za-z]{2}[A-Za-z]?$/.test(text) ? text.padEnd(3, ' ') : undefined
  },
  write(value, context) {
    const text = value.trim()
    if (!/^[A-Za-z]{2}[A-Za-z]?$/.test(text)) throw refusal(context, `${quoted(value)} is no country such as "US "`)
    const shown = context.raw(context.from)
    return toSource(context, shown !== undefined && shown.trim() === text ? shown : text)
  },
}

const REGIONS: readonly (readonly [string, string])[] = [
  ['BRAZIL', 'BR '],
  ['FCC', 'US '],
  ['ETSI', 'EU '],
]

/** A country that the device spells out. */
const regionName: Transform = {
  read(raw, context) {
    return REGIONS.find(([name]) => name === raw.trim().toUpperCase())?.[1] ?? regDomain.read(raw, context)
  },
  write(value, context) {
    const name = REGIONS.find(([, domain]) => domain.trim() === value.trim())?.[0]
    const shown = context.raw(context.from)?.trim()
    if (name !== undefined && (shown === undefined || shown.length > 3 || shown === 'FCC'))
      return toSource(context, name)
    return regDomain.write?.(value, context) ?? []
  },
}

/** Returns the band of a channel; undefined when no band has it. */
function bandOfChannel(channel: number): string | undefined {
  if (channel >= 1 && channel <= 14) return '2.4GHz'
  return channel >= 32 && channel <= 177 ? '5GHz' : undefined
}

/** The band of a radio in the words of devices: codes, `2.4G`, `5GHz`. */
const rfBand: Transform = {
  read(raw) {
    const text = raw.trim().toLowerCase().slice(0, 16)
    if (text === '0' || /^2(?:\.4)? ?g(?:hz)?$/.test(text) || text === '2.4') return '2.4GHz'
    if (text === '1' || /^5(?:\.\d)?(?: ?g(?:hz)?)?$/.test(text)) return '5GHz'
    return text === '2' || /^6(?: ?g(?:hz)?)?$/.test(text) ? '6GHz' : undefined
  },
}

/** The band of a radio by its channel, or by the first of its possible channels. */
const bandOfChannels: Transform = {
  read(raw) {
    return bandOfChannel(Number(/^\s{0,8}(\d{1,3})(?!\d)/.exec(raw)?.[1] ?? 0))
  },
}

const wpsStatus: Transform = {
  reads: ['Enable', 'SetupLockedState'],
  read(raw, context) {
    if (booleanIn(context.raw(`${objectOf(context)}Enable`)) === false) return 'Disabled'
    const lock = context.raw(`${objectOf(context)}SetupLockedState`)?.trim()
    if (lock !== undefined && lock !== '' && lock !== 'Unlocked') return 'SetupLocked'
    const state = raw.trim().toLowerCase()
    if (state === 'configured') return 'Configured'
    return state === 'not configured' || state === 'unconfigured' ? 'Unconfigured' : undefined
  },
}

/** The version of WPS: a byte of two digits, or their text. */
const wpsVersion: Transform = {
  read(raw) {
    const text = raw.trim()
    if (/^\d\.\d{1,2}$/.test(text)) return text
    const byte = wholeIn(text)
    return byte === undefined || byte < 16 || byte > 255 ? undefined : `${byte >> 4}.${byte & 15}`
  },
}

/** Radios and WPS. */
export const WIFI_RADIO: Theme = {
  bandOfChannels,
  channelAuto,
  regDomain,
  regionName,
  rfBand,
  wlanChannel,
  wlanStandard,
  wpsStatus,
  wpsVersion,
}
