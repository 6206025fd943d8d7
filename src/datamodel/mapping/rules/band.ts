import { itemsOf, type RawLookup } from '../tree/raw-tree.ts'
import { lastNumber } from '../tree/schema.ts'

/** The instances of WLANConfiguration by band, as devices of a model or family lay them out. */
export type BandLayout = Readonly<Partial<Record<Band, readonly number[]>>>

/** Frequency bands as TR-181 Radio.OperatingFrequencyBand has them. */
type Band = '2.4GHz' | '5GHz' | '6GHz'

/** Endings of vendor parameters that name the band; the code 0 is 2.4 GHz and 1 is 5 GHz where it is a number. */
const BAND_NAMES = ['RFBand', 'OperatingFrequencyBand', 'FrequencyBand', 'WlanBand', 'RadioBand']
const LAST_24_CHANNEL = 14
const LAST_5_CHANNEL = 196

/**
 * Returns the band of each radio network of a LANDevice (objects in the order of their numbers), undefined where
 * nothing tells. A network decides by vendor parameter, channel, possible channels, standard; the rest by the layout of
 * the device's model, or by the common one: half of the networks for each band.
 */
export function bandsOf(tree: RawLookup, networks: readonly string[], layout?: BandLayout): (Band | undefined)[] {
  const known = networks.map((network) => bandOf(tree, network) ?? bandByLayout(network, layout))
  if (!known.includes(undefined)) return known
  return fill(known)
}

/** Returns the band that a network's own parameters tell. */
export function bandOf(tree: Pick<RawLookup, 'value' | 'children'>, network: string): Band | undefined {
  for (const ending of BAND_NAMES)
    for (const name of tree.children(network))
      if (name.endsWith(ending)) {
        const band = bandOfWord(tree.value(network + name))
        if (band !== undefined) return band
      }
  return (
    bandOfChannel(tree.value(`${network}Channel`)) ??
    bandOfChannels(tree.value(`${network}PossibleChannels`)) ??
    bandOfStandard(tree.value(`${network}Standard`))
  )
}

function bandByLayout(network: string, layout: BandLayout | undefined): Band | undefined {
  if (layout === undefined) return undefined
  const number = Number(lastNumber(network))
  return BANDS.find((band) => layout[band]?.includes(number))
}

const BANDS: readonly Band[] = ['2.4GHz', '5GHz', '6GHz']

function bandOfWord(word: string | undefined): Band | undefined {
  const text = word?.trim().toLowerCase()
  if (text === undefined || text === '') return undefined
  if (text === '0' || text.startsWith('2.4') || text.startsWith('2g')) return '2.4GHz'
  if (text === '1' || text.startsWith('5')) return '5GHz'
  return text.startsWith('6') ? '6GHz' : undefined
}

function bandOfChannel(text: string | undefined): Band | undefined {
  const channel = text === undefined || text.length > 3 ? Number.NaN : Number(text)
  if (!(channel > 0 && channel <= LAST_5_CHANNEL)) return undefined
  return channel <= LAST_24_CHANNEL ? '2.4GHz' : '5GHz'
}

/** `1-13`, `36,40,44`: the band of all of them; undefined when they are of both. */
function bandOfChannels(text: string | undefined): Band | undefined {
  let band: Band | undefined
  for (const item of itemsOf(text)) {
    const own = bandOfChannel(item.split('-')[0])
    if (own === undefined || (band !== undefined && band !== own)) return undefined
    band = own
  }
  return band
}

function bandOfStandard(text: string | undefined): Band | undefined {
  const word = text?.toLowerCase().replace('802.11', '').replace('11', '') ?? ''
  if (word.includes('b') && !word.includes('be')) return '2.4GHz'
  if (word.includes('g')) return '2.4GHz'
  return word.includes('a') && !/^ax$/.test(word) ? '5GHz' : undefined
}

/** Gives a band to the networks that do not show theirs. */
function fill(known: readonly (Band | undefined)[]): (Band | undefined)[] {
  const half = Math.ceil(known.length / 2)
  const halves = (low: Band, high: Band) => known.map((_, i): Band => (i < half ? low : high))
  const agrees = (layout: readonly Band[]) => known.every((band, i) => band === undefined || band === layout[i])
  const shown = new Set(known.filter((band) => band !== undefined))
  if (known.length === 1) return [...known]
  if (shown.size === 1 && known.length <= MAX_ONE_BAND) return known.map(() => [...shown][0])
  for (const layout of [halves('2.4GHz', '5GHz'), halves('5GHz', '2.4GHz')]) if (agrees(layout)) return layout
  let before: Band | undefined
  return known.map((band) => {
    before = band ?? before
    return before ?? known.find((other) => other !== undefined)
  })
}

/** Up to so many networks can be those of one radio, when all that tell are of one band. */
const MAX_ONE_BAND = 4
